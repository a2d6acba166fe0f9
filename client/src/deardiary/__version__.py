"""The version of the client, alone in a module so that all others can import it."""

__version__ = "0.1.0"
