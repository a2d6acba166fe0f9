"""Artifact bytes between files and the store."""
