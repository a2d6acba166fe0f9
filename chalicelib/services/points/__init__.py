"""Points of metrics: batches taken once, compaction, recounts, curves."""
