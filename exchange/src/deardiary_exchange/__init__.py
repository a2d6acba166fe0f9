"""Export, import and replication of projects. The command ``deardiary`` finds the commands by their entry points."""

from deardiary_exchange.__version__ import __version__

__all__ = ["__version__"]
