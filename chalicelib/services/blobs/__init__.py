"""Artifact bytes behind resources: when they are released, served, moved to another backend."""
