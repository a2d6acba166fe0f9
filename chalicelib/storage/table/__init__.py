"""Access to the table: keys, items, conditional writes, transactions."""
