"""Permissions, invariants and orchestration: a module per noun, a room per mechanism.

Services know no HTTP and no keys of the table; tests/rules/test_keys_stay.py holds the second.
"""
