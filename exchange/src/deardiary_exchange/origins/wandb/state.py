"""What a W&B run is as a whole, from all its records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Artifacts in which W&B itself keeps tables, histories and jobs. Tables are media of the run as well.
INTERNAL = ("run_table", "wandb-history", "wandb-events", "job")


@dataclass(slots=True)
class Logged:
    """An artifact that the run has logged. Offline it has no number and no date, and ``files`` has paths.

    With ``fetch`` the files are elsewhere: it returns the path of one, by its name.
    """

    name: str
    kind: str
    digest: str
    description: str
    metadata: str
    aliases: list[str]
    files: dict[str, str]  # the path of each on the machine of the run
    references: dict[str, str]
    version: int | None = None
    created_ms: int | None = None
    fetch: Callable[[str], Path] | None = None


@dataclass(slots=True)
class State:
    """Everything but points, lines and media, which may be many."""

    names: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, Any] = field(default_factory=dict)  # the last value of each key of the history
    environment: dict[str, str] = field(default_factory=dict)
    artifacts: list[Logged] = field(default_factory=list)
    used: list[tuple[str, str]] = field(default_factory=list)
    start_ms: int | None = None
    last_ms: int = 0
    last_step: int = 0
    exit_code: int | None = None
    tensorboard: bool = False


def state_of(records: Iterable[Any]) -> State:
    state = State()
    for record in records:
        kind = record.WhichOneof("record_type")
        take = _TAKE.get(kind)
        if take is not None:
            take(state, getattr(record, kind))
    return state


def values_of(history: Any) -> tuple[int, int | None, dict[str, Any]]:
    """Step, time in ms and nested values of one row of the history, without W&B's own."""
    values: dict[str, Any] = {}
    for item in history.item:
        _put(values, item, _value(item))
    return row_of(values, history.step.num)


def row_of(values: dict[str, Any], step: int = 0) -> tuple[int, int | None, dict[str, Any]]:
    """Step, time in ms and values of a row that has W&B's own values too."""
    step = int(values.get("_step", step))
    time = values.get("_timestamp")
    shown = {key: value for key, value in values.items() if not key.startswith("_")}
    return step, None if time is None else round(float(time) * 1000), shown


def leaves(values: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values with their keys joined by dots; media stay whole."""
    for key, value in values.items():
        if isinstance(value, dict) and "_type" not in value and value:
            yield from leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def milliseconds(stamp: Any) -> int:
    """A time of protobuf."""
    return int(stamp.seconds) * 1000 + int(stamp.nanos) // 1_000_000


def _take_run(state: State, run: Any) -> None:
    given = {
        "id": run.run_id,
        "project": run.project,
        "entity": run.entity,
        "group": run.run_group,
        "job_type": run.job_type,
        "name": run.display_name,
        "notes": run.notes,
        "sweep": run.sweep_id,
        "host": run.host,
        "git_sha": run.git.commit,
    }
    state.names.update({key: value for key, value in given.items() if value})
    state.tags = list(run.tags) or state.tags
    _begin(state, run.start_time)
    state.exit_code = None  # a resumed run is open again
    _take_config(state, run.config)


def _begin(state: State, time: Any) -> None:
    if time.seconds:
        start_ms = milliseconds(time)
        state.start_ms = start_ms if state.start_ms is None else min(state.start_ms, start_ms)
        state.last_ms = max(state.last_ms, start_ms)


def _take_config(state: State, config: Any) -> None:
    for item in config.update:
        _put(state.config, item, _value(item))
    for item in config.remove:
        _drop(state.config, item)


def _take_summary(state: State, summary: Any) -> None:
    for item in summary.update:
        _put(state.summary, item, _value(item))
    for item in summary.remove:
        _drop(state.summary, item)


def _take_history(state: State, history: Any) -> None:
    take_row(state, *values_of(history))


def take_row(state: State, step: int, time_ms: int | None, values: dict[str, Any]) -> None:
    state.last_step = max(state.last_step, step)
    state.last_ms = max(state.last_ms, time_ms or 0)
    state.curves.update(leaves(values))


def _take_environment(state: State, found: Any) -> None:
    given = {
        "entrypoint": found.program,
        "python_version": found.python.rpartition(" ")[2],
        "git_sha": found.git.commit,
        "user": found.username,
    }
    state.environment.update({key: value for key, value in given.items() if value})
    _begin(state, found.started_at)


def _take_artifact(state: State, found: Any) -> None:
    if found.type in INTERNAL:
        return
    contents = found.manifest.contents
    state.artifacts.append(
        Logged(
            found.name,
            found.type,
            found.digest,
            found.description,
            found.metadata,
            list(found.aliases),
            {each.path: each.local_path for each in contents if not each.ref},
            {each.path: each.ref for each in contents if each.ref},
        )
    )


def _take_exit(state: State, found: Any) -> None:
    state.exit_code = int(found.exit_code)
    state.last_ms = max(state.last_ms, (state.start_ms or 0) + int(found.runtime) * 1000)


def _take_time(state: State, found: Any) -> None:
    state.last_ms = max(state.last_ms, milliseconds(found.timestamp))


def _take_used(state: State, found: Any) -> None:
    state.used.append((found.name, found.type))


def _take_tensorboard(state: State, _: Any) -> None:
    state.tensorboard = True


_TAKE = {
    "run": _take_run,
    "config": _take_config,
    "summary": _take_summary,
    "history": _take_history,
    "environment": _take_environment,
    "artifact": _take_artifact,
    "exit": _take_exit,
    "output": _take_time,
    "output_raw": _take_time,
    "stats": _take_time,
    "use_artifact": _take_used,
    "tbrecord": _take_tensorboard,
}


def _value(item: Any) -> Any:
    """Newer versions of W&B have a field for each kind of value; all can have JSON, with NaN and Infinity."""
    kinds = item.DESCRIPTOR.oneofs_by_name
    kind = next((found for name in kinds if (found := item.WhichOneof(name))), None)
    if kind is not None and kind not in ("value_json", "json"):
        return None if kind == "none" else getattr(item, kind)
    text = getattr(item, kind) if kind else item.value_json
    try:
        return json.loads(text)
    except ValueError:
        return text


def _put(values: dict[str, Any], item: Any, value: Any) -> None:
    path = list(item.nested_key) or [item.key]
    for key in path[:-1]:
        inner = values.get(key)
        if not isinstance(inner, dict):
            inner = values[key] = {}
        values = inner
    values[path[-1]] = value


def _drop(values: dict[str, Any], item: Any) -> None:
    path = list(item.nested_key) or [item.key]
    for key in path[:-1]:
        inner = values.get(key)
        if not isinstance(inner, dict):
            return
        values = inner
    values.pop(path[-1], None)
