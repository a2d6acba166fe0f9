"""The wire format of client and server. The server imports only this part of the client."""
