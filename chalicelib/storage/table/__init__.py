"""The table itself: keys, items, conditional writes, transactions."""
