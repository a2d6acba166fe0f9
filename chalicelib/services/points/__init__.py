"""Points of metrics: batches stored exactly once, compaction, recomputation, curves."""
