"""Column blocks: what a table shows of about a thousand ended iterations, one item for each column."""
