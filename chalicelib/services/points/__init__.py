"""Points of metrics: batches stored exactly once, compaction, recounts, curves."""
