"""Permissions, invariants and orchestration, one file per noun. Knows no HTTP and no keys of the table."""
