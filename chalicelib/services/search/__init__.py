"""Searching the iterations of an experiment: `filter`, `order_by` and `include`."""
