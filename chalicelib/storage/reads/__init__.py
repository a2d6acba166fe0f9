"""Reads that span several entities."""
