"""Readers of other trackers: each yields the runs of its origin in the form of `deardiary_exchange.runs`."""
