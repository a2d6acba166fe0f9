"""What a W&B run is as a whole, from its server."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from deardiary.wire.times import to_milliseconds
from deardiary_exchange.origins.wandb.remote import Remote, console_of, each_of, time_of
from deardiary_exchange.origins.wandb.state import INTERNAL, Logged, State


def state_of(run: Any) -> State:
    """The state without the history and the contents of the artifacts."""
    state = State(tags=list(run.tags or ()), config=dict(run.config), summary=dict(run.summary_metrics))
    machines = _machines(run)
    state.start_ms = min(
        (_ms(each["startedAt"]) for each in machines if each.get("startedAt")), default=_ms(run.created_at)
    )
    state.environment = _environment(machines)
    state.names = _names(run, state.environment)
    state.last_ms = max(_times(run, state.start_ms), default=_ms(run.heartbeat_at or run.created_at))
    state.last_step = int((run.history_keys or {}).get("lastStep", 0))
    state.artifacts = [_logged(each) for each in each_of(run.logged_artifacts()) if _is_shown(each)]
    return state


def add_contents(state: State, run: Any, reading: Remote) -> None:
    """The files of the artifacts, and what the run has used."""
    logged = {(each.name, each.version): each for each in state.artifacts}
    for artifact in each_of(run.logged_artifacts()):
        mine = logged.get((_collection(artifact), _number(artifact)))
        if mine is not None:
            entries = artifact.manifest.entries
            mine.files.update((str(name), str(name)) for name, entry in entries.items() if entry.ref is None)
            mine.references.update((str(name), str(entry.ref)) for name, entry in entries.items() if entry.ref)
            mine.fetch = functools.partial(reading.entry_of, artifact)
    state.used = [(artifact.name, artifact.type) for artifact in each_of(run.used_artifacts())]


def _machines(run: Any) -> list[dict[str, Any]]:
    """What each process of the run said of itself, the oldest first: in the config, before 0.19 in a file."""
    told = (run.rawconfig.get("_wandb") or {}).get("e") or {}
    found = [each for each in told.values() if isinstance(each, dict)] or [run.metadata or {}]
    return sorted(found, key=lambda each: str(each.get("startedAt", "")))


def _environment(machines: list[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in machines:
        given = {
            "entrypoint": each.get("program"),
            "python_version": str(each.get("python") or "").rpartition(" ")[2],
            "git_sha": (each.get("git") or {}).get("commit"),
            "user": each.get("username"),
            "host": each.get("host"),
        }
        found.update({key: str(value) for key, value in given.items() if value})
    return found


def _names(run: Any, environment: dict[str, str]) -> dict[str, str]:
    account = run.user.username if run.user else None
    user = environment.setdefault("user", account or run.entity)
    given = {
        "project": run.project,
        "entity": run.entity,
        "group": run.group,
        "job_type": run.job_type,
        "name": run.name,
        "notes": run.notes,
        "sweep": run.sweep_name,
        "host": environment.pop("host", None),
        "git_sha": run.commit,
        "account": account if account != user else None,
    }
    return {key: str(value) for key, value in given.items() if value}


def _times(run: Any, start_ms: int) -> Iterator[int]:
    """The times that tell when the run was last active."""
    for values in (run.summary_metrics, run.system_metrics):
        if isinstance(values.get("_timestamp"), (int, float)):
            yield round(values["_timestamp"] * 1000)
    runtime = run.summary_metrics.get("_wandb")
    if isinstance(runtime, Mapping) and "runtime" in runtime:
        yield start_ms + int(runtime["runtime"]) * 1000
    yield from (to_milliseconds(line.timestamp) for line in console_of(run, last=1) if line.timestamp)


def _is_shown(artifact: Any) -> bool:
    return artifact.type not in INTERNAL and artifact.state == "COMMITTED"


def _collection(artifact: Any) -> str:
    return str(artifact.source_name).partition(":")[0]


def _number(artifact: Any) -> int:
    """W&B counts from v0, a model here from 1."""
    return int(str(artifact.source_version).removeprefix("v")) + 1


def _logged(artifact: Any) -> Logged:
    return Logged(
        name=_collection(artifact),
        kind=artifact.type,
        digest=artifact.digest,
        description=artifact.description or "",
        metadata=json.dumps(artifact.metadata or {}),
        aliases=list(artifact.aliases),
        files={},
        references={},
        version=_number(artifact),
        created_ms=_ms(artifact.created_at),
    )


def _ms(time: str) -> int:
    return to_milliseconds(time_of(time))
