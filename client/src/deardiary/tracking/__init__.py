"""A training run: start, log into and end an iteration."""
