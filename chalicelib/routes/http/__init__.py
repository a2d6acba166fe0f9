"""HTTP: endpoints, answers, parsing, CORS, the request log."""
