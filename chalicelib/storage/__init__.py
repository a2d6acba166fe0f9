"""The table: what is written where (`keys`), one file per entity, and the mechanisms that they share.

Every function takes and gives the shapes of `deardiary.wire.shapes` or small frozen dataclasses, never PynamoDB models.
"""
