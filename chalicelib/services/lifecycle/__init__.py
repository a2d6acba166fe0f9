"""How things end: deletions, silent iterations, uploads that expire, and the time that a step has."""
