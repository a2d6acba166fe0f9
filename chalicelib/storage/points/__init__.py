"""Storage of points: chunks, packed rows, the codec, summaries."""
