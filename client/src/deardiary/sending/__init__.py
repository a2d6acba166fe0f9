"""Delivery of spools to the server."""
