"""One job, one iteration: that of its program, if it logs, else one that the capture creates.

The capture stores the facts of a job before it looks for the program's iteration, and looks again after it has created
one. A program's iteration is stored before `join` looks for facts. So of two at once, one sees the other.
"""

from __future__ import annotations

from contextlib import suppress

from chalicelib import config
from chalicelib.errors import Conflict, NotFound
from chalicelib.services.capture.facts import Facts
from chalicelib.services.capture.machine import MACHINE_ID, machine
from chalicelib.services.capture.record import record
from chalicelib.services.label import LabelChanges, put_labels
from chalicelib.services.lifecycle import deletion
from chalicelib.services.tag import put_tags
from chalicelib.storage import captured
from chalicelib.storage import experiment as experiments
from chalicelib.storage import iteration as iterations
from deardiary.wire.shapes import Iteration


def join(project_id: str, given: Iteration, stored: Iteration, id_key: str, tags: list[str]) -> bool:
    """After a program created its iteration: if that is a captured job, make both one. False if it is none.

    `stored` is `given`, or the captured iteration of that key: then it gets the name, notes and labels of `given`.
    """
    known = None if given.created_by == MACHINE_ID else captured.find_facts(project_id, id_key)
    if known is None:
        return False
    if stored.created_by == MACHINE_ID:
        _adopt(stored, given, tags)
    record(stored, facts_from(known[0]))
    captured.mark_created(project_id, id_key)
    settle(project_id, id_key)
    return True


def settle(project_id: str, job: str) -> Iteration | None:
    """The job's iteration: a program's, if there is one. Delete the others that the capture created."""
    alive = [each.id for each, hidden in experiments.read_all(project_id) if not hidden]
    found = iterations.find_all_by_id_key(alive, job)
    theirs = [each for each in found if each.created_by != MACHINE_ID]
    chosen = min(theirs or found, key=lambda each: each.id, default=None)
    for each in found:
        if chosen is not None and each.created_by == MACHINE_ID and each.id != chosen.id:
            _remove(project_id, each)
    return chosen


def facts_from(stored: dict[str, object]) -> Facts:
    return Facts(**stored)  # type: ignore[arg-type]


def _adopt(stored: Iteration, given: Iteration, tags: list[str]) -> None:
    """Keep what the program says of its iteration; the creator comes last, so that a repetition does all again."""
    put_tags(stored, tags)
    labels: LabelChanges = given.labels
    if labels:
        put_labels(stored, labels)
    with suppress(Conflict):
        iterations.adopt(stored, given, MACHINE_ID)


def _remove(project_id: str, iteration: Iteration) -> None:
    """Remove a captured iteration whose program logs elsewhere: into the trash, if a person has written notes.

    Only the upkeep has the rights to remove bytes, so this removes no rows.
    """
    actor = machine(project_id)
    with suppress(NotFound):
        if iteration.notes and config.settings().undo is not None:
            deletion.delete_iteration(actor, iteration.id)
        else:
            deletion.discard_iteration(actor, iteration.id)
