"""Requests and answers: the transport, its connections, retries, proxies."""
