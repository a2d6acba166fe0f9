"""The purge: remove what has been in the trash until its purge date."""

from __future__ import annotations

from functools import partial

from chalicelib import clock
from chalicelib.errors import NotFound, Overtaken
from chalicelib.services.lifecycle import deletion
from chalicelib.services.lifecycle.budget import Budget, all_done
from chalicelib.storage import trash
from chalicelib.storage.trash import Entry


def purge_due(seconds: float) -> bool:
    """Purge every object whose purge date is over. True if there was time for all, else False."""
    budget = Budget(seconds)
    return all_done((partial(_purge, entry, budget) for entry in trash.each_due(clock.now())), budget)


def _purge(entry: Entry, budget: Budget) -> bool:
    """Purge an object. The recorded deletions continue with what is left of it."""
    try:
        deletion.purge_entry(entry, budget)
    except (NotFound, Overtaken):
        # Another request restores or purges it at this moment, or a removal of its rows was cut short.
        trash.remove_if_stale(entry)
    return True
