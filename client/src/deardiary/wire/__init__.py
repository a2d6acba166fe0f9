"""What travels between client and server; all of the client that the server imports."""
