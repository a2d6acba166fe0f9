"""The dashboard's build: `web/` becomes `chalicelib/ui`, with a Node.js that pip has installed."""
