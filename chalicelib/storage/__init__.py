"""The table: one file per entity, and rooms for the keys (`table/keys`) and the mechanisms that they share.

Functions take and return the shapes of `deardiary.wire.shapes` or small frozen dataclasses, never PynamoDB models.
"""
