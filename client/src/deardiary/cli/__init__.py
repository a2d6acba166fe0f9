"""The command ``deardiary``: one file for each noun, and what they share. Nothing else of the client imports it."""
