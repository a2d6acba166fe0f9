"""From the spool to the server."""
