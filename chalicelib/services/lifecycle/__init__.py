"""Ends of things: deletions, silent iterations, expired uploads, and the time budget of a step."""
