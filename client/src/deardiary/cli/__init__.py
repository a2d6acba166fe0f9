"""The command ``deardiary``: one file for each noun, and shared modules. No other module of the client imports it."""
