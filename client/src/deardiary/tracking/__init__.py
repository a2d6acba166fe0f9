"""A training run: what starts, logs and ends an iteration."""
