"""`deardiary.progress.Bar`, where earlier versions had it."""

from deardiary.transfer.progress import Bar

__all__ = ["Bar"]
