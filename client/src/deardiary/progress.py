"""The import path of `Bar` in earlier versions."""

from deardiary.transfer.progress import Bar

__all__ = ["Bar"]
