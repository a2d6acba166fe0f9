"""Records other than points, parameters and tags. Each can be carried out again without a second effect."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deardiary.client import Client
from deardiary.errors import ClientError
from deardiary.sending import registry
from deardiary.spool import store
from deardiary.wire.shapes import Iteration, IterationStatus
from deardiary.wire.times import from_milliseconds


def upload(client: Client, iteration: Iteration, given: Mapping[str, Any], folder: Path | None) -> None:
    """Upload a copy from the spool. OSError if it is missing and not uploaded yet, or outside the spool."""
    if folder is None:
        raise FileNotFoundError(f"There is no folder in which {given['name']!r} was kept")
    path = store.kept_file(folder, given["file"])
    if not path.exists() and _is_there(client, iteration, given):
        return
    client.resources.upload(
        iteration.experiment_id,
        path,
        given["name"],
        iteration_id=iteration.id,
        description=given["description"],
        id_key=given.get("id_key"),
    )
    path.unlink(missing_ok=True)


def _is_there(client: Client, iteration: Iteration, given: Mapping[str, Any]) -> bool:
    same = (given["name"], given["hash"], "ready")
    listed = client.resources.list(iteration.experiment_id, iteration_id=iteration.id)
    return any((each.name, each.content_hash, each.state) == same for each in listed)


def register(client: Client, iteration: Iteration, given: Mapping[str, Any], folder: Path | None) -> None:
    registry.register(
        client, iteration, given["name"], given["resource"], given["description"], given.get("id_key"), kept=True
    )


def read(client: Client, iteration: Iteration, given: Mapping[str, Any], folder: Path | None) -> None:
    """Record an input; the server finds an equal one. ``model`` refers to a version, which is looked up now."""
    fields = {name: value for name, value in given.items() if name != "model"}
    if "model" in given:
        fields["modelversion_id"] = registry.find_version_id(client, iteration, given["model"])
    client.inputs.create(iteration.id, **fields)


def describe(client: Client, iteration: Iteration, given: Mapping[str, Any], folder: Path | None) -> None:
    """Set the snapshot. An ended iteration may have it already, from an earlier delivery."""
    try:
        client.iterations.set_snapshot(iteration.id, **given)
    except ClientError as error:
        if not is_locked(error):
            raise
        there = client.iterations.snapshot(iteration.id)
        if any(getattr(there, name, None) != value for name, value in given.items()):
            raise


def finish(client: Client, iteration: Iteration, given: Mapping[str, Any], folder: Path | None) -> None:
    """End the iteration with the recorded time. If another process has ended it before, keep that end."""
    try:
        _end(client, iteration, given)
    except ClientError as error:
        if not is_locked(error) or client.iterations.get(iteration.id).end_date is None:
            raise


def is_locked(error: ClientError) -> bool:
    return error.status == 422 and error.details.get("field") == "end_date"


def end_as(client: Client, before: Iteration) -> None:
    """End an iteration again, with its earlier status, time and error message."""
    client.iterations.update(
        before.id,
        status_id=before.status_id,
        end_date=before.end_date,
        error_message=before.error_message or None,
    )


def _end(client: Client, iteration: Iteration, given: Mapping[str, Any]) -> None:
    client.iterations.update(
        iteration.id,
        status_id=IterationStatus(given["status"]),
        # This machine's clock may be behind the server's.
        end_date=max(from_milliseconds(given["at"]), iteration.created_date),
        error_message=given["error_message"] or None,
    )


def alert(client: Client, iteration: Iteration, given: Mapping[str, Any], folder: Path | None) -> None:
    client.iterations.create_alert(iteration.id, **given)


KINDS: Mapping[str, Callable[[Client, Iteration, Mapping[str, Any], Path | None], None]] = {
    "upload": upload,
    "register": register,
    "input": read,
    "alert": alert,
    "snapshot": describe,
    "finish": finish,
}
