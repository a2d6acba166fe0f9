"""Points as they are stored: chunks, packed rows, the codec, summaries."""
