"""The package that Chalice deploys, and what Chalice must know of a stage."""
