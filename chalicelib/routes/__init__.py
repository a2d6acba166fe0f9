"""HTTP: parse the request, call one service, answer. One blueprint per noun; `http/endpoint.py` has shared parts."""
