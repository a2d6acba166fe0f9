"""HTTP: parse, one service call, answer. One blueprint per noun; `endpoint.py` does for all of them what they share."""
