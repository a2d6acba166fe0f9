"""Events: what happened to an object, for EventBridge. Without a bus in the settings there are none.

An event is stored in the transaction of its change (`storage/event.py`), and sent after it: by the request within
seconds, otherwise by the upkeep. docs/events.md has the fields, which are versioned.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from chalicelib import clock, config, ids
from chalicelib.errors import label
from chalicelib.services.actor import Actor
from chalicelib.storage import event as storage
from chalicelib.storage.deletion import Deletion
from chalicelib.storage.event import Event
from chalicelib.storage.reads.lineage import ExperimentLineage, ModelLineage
from deardiary.wire.shapes import Iteration, IterationStatus, ModelVersion, Stage
from deardiary.wire.times import format_time

VERSION = 1
# A request sends for so long; the upkeep sends the rest.
REQUEST_SECONDS = 2.0
_ENDS = {
    IterationStatus.SUCCEEDED: "succeeded",
    IterationStatus.FAILED: "failed",
    IterationStatus.KILLED: "killed",
}
# Characters of a text in an event.
_LONGEST = 400


class NotDelivered(Exception):
    """EventBridge has refused events; the outbox keeps them."""


def ended(above: ExperimentLineage, before: Iteration, after: Iteration, site: str) -> Event | None:
    """The end of an iteration, or another end than before; None if the change is not one."""
    end = after.end_date, after.status_id
    if not is_on() or after.end_date is None or end == (before.end_date, before.status_id):
        return None
    return _of_end(above, after, _ENDS[after.status_id], site)


def lost(above: ExperimentLineage | None, iteration: Iteration) -> Event | None:
    """The end that the server sets for want of heartbeats; None without anything above the iteration."""
    return None if above is None or not is_on() else _of_end(above, iteration, "lost", "")


def _of_end(above: ExperimentLineage, iteration: Iteration, word: str, site: str) -> Event:
    reason = line(iteration.error_message.strip().rpartition("\n")[2])
    end = iteration.end_date
    about: dict[str, Any] = {"status": iteration.status_id.name, "end_date": end and format_time(end), "error": reason}
    return of_iteration(above, iteration, word, "DearDiary Iteration Ended", reason, site, **about)


def of_iteration(
    above: ExperimentLineage,
    iteration: Iteration,
    word: str,
    detail_type: str,
    reason: str,
    site: str,
    *,
    fields: Mapping[str, Any] = MappingProxyType({}),
    **about: Any,
) -> Event:
    """An event of an iteration. `fields` are further ones of the detail, `about` of the iteration."""
    name = f"{line(iteration.name)} ({line(above.project.name)} / {line(above.experiment.name)})"
    return new_event(
        detail_type,
        word,
        f"{name} {word}" + (f": {reason}" if reason else ""),
        f"iterations/{iteration.id}",
        site,
        project={"id": above.project.id, "name": above.project.name},
        experiment={"id": above.experiment.id, "name": above.experiment.name},
        iteration={
            "id": iteration.id,
            "name": iteration.name,
            "created_date": format_time(iteration.created_date),
            "parent_iteration_id": iteration.parent_iteration_id,
            **about,
        },
        **fields,
    )


def stage_moved(above: ModelLineage, before: ModelVersion, after: ModelVersion, site: str) -> Event | None:
    """A version that got another stage. A version that it replaces in PRODUCTION has no event of its own."""
    if not is_on() or after.stage_id is before.stage_id:
        return None
    stages = {"stage": after.stage_id.name, "previous_stage": before.stage_id.name}
    replaced = above.registry.production if after.stage_id is Stage.PRODUCTION else None
    text = f"is {after.stage_id.name}" + (f" in place of version {replaced}" if replaced else "")
    return _of_version(above, after.version, "stage", text, site, **stages, replaced_version=replaced)


def alias_moved(above: ModelLineage, alias: str, number: int | None, site: str) -> Event | None:
    """An alias that names another version, or none any more."""
    before = above.registry.aliases.get(alias)
    if not is_on() or before == number:
        return None
    text = f"is {line(alias)}" + (f" in place of version {before}" if before else "")
    if number is None:
        text = f"is not {line(alias)} any more"
    return _of_version(above, number or before, "alias", text, site, alias=alias, previous_version=before, to=number)


def _of_version(above: ModelLineage, number: int | None, word: str, text: str, site: str, **about: Any) -> Event:
    to = about.pop("to", number)
    return new_event(
        "DearDiary Model Version Moved",
        word,
        f"{line(above.model.name)} ({line(above.project.name)}): version {number} {text}",
        f"models/{above.model.id}",
        site,
        project={"id": above.project.id, "name": above.project.name},
        model={"id": above.model.id, "name": above.model.name},
        version={"number": to, **about},
    )


def deleted(deletion: Deletion, name: str, *, is_purged: bool, actor: Actor) -> Event | None:
    """An object that a request deletes; the objects below it have no events."""
    if not is_on():
        return None
    project_id = deletion.id if deletion.kind == "project" else deletion.project_id
    return new_event(
        "DearDiary Object Deleted",
        "deleted",
        f"{label(deletion.kind)} {line(name) or deletion.id} deleted",
        f"projects/{project_id}" if project_id else "",
        actor.site,
        project=project_id and {"id": project_id},
        experiment=deletion.experiment_id and {"id": deletion.experiment_id},
        object={"kind": deletion.kind, "id": deletion.id, "name": name},
        purged=is_purged,
        deleted_by=actor.user.id,
    )


def new_event(detail_type: str, word: str, text: str, path: str, site: str, **fields: Any) -> Event:
    """An event of now. `path` is that of the dashboard's page of its object, `text` a line for people."""
    now, event_id = clock.now(), ids.new_id()
    detail = {
        "version": VERSION,
        "id": event_id,
        "event": word,
        "deployment": config.settings().table,
        "time": format_time(now),
        "text": text,
        "path": f"/ui#/{path}",
        "url": f"{site}/ui#/{path}" if site else None,
        **fields,
    }
    return Event(event_id, detail_type, now, json.dumps(detail, ensure_ascii=False, separators=(",", ":")))


def is_on() -> bool:
    return bool(config.settings().event_bus)


def line(text: str) -> str:
    """The text in one line, shortened, and without characters that mean something in JSON or to a chat."""
    plain = re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).replace("\\", "/").replace('"', "'").strip()
    return re.sub(r"<(?=\S)", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", plain)[:_LONGEST]


def send(events: Sequence[Event]) -> int:
    """Send the events of a request. Return the number of those that are left to the upkeep; never raise."""
    until = time.monotonic() + REQUEST_SECONDS
    left = len(events)
    for first in range(0, len(events), storage.PER_CALL):
        if time.monotonic() > until:
            break
        some = events[first : first + storage.PER_CALL]
        try:
            left -= storage.send(some)
        except Exception:  # noqa: BLE001 - the change is committed: its request must not fail
            break
    return left
