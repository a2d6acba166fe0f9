"""Every figure in the README, one command each: `python -m benchmarks.NAME [--json] [--no-peer]`."""
