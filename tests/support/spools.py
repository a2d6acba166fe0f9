"""Spools that a test sends with `sync`, or changes before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import deardiary
import deardiary.client
from deardiary import Client, Iteration
from deardiary.spool import lines


def sync(folder: Path, client: Client) -> deardiary.Synced:
    (result,) = deardiary.sync(folder, client=client, tell=lambda _: None)
    return result


def iterations_of(client: Client, experiment: str) -> list[Iteration]:
    project = next(client.projects.list(name="Offline"))
    found = next(client.experiments.list(project.id, name=experiment))
    return list(client.iterations.list(found.id))


def spool_in(folder: Path) -> Path:
    (spool,) = (folder / "spool").iterdir()
    return spool


def said(spool: Path, **fields: Any) -> None:
    run = json.loads((spool / "run.json").read_text())
    run["origin"] |= fields.pop("origin", {})
    (spool / "run.json").write_text(json.dumps(run | fields))


def change_upload(spool: Path, file: str) -> None:
    """Make the spool name this file for the upload."""
    for path in spool.glob("*.log"):
        entries, _ = lines.read(path.read_bytes())
        path.write_bytes(b"".join(lines.seal(lines.dump(_with_file(entry, file))) for entry in entries))


def _with_file(entry: dict[str, Any], file: str) -> dict[str, Any]:
    return {**entry, "upload": {**entry["upload"], "file": file}} if "upload" in entry else entry
