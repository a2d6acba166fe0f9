"""The version of the package, the same as that of the client."""

__version__ = "0.1.0"
