"""Artifact bytes behind resources: serve them, move them to another backend."""
