"""The tables of an export, which docs/exchange-format.md describes. A change of their meaning is a new version."""

from __future__ import annotations

import pyarrow

SCHEMA_VERSION = 1

_TEXT, _TIME, _INT = pyarrow.string(), pyarrow.timestamp("ms", tz="UTC"), pyarrow.int64()
# Ids and keys repeat: readers see texts.
_WORD = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
_CREATED = {"created_by": _TEXT, "created_date": _TIME}

_COLUMNS: dict[str, dict[str, pyarrow.DataType]] = {
    "project": {"id": _TEXT, "name": _TEXT, "description": _TEXT, **_CREATED},
    "experiments": {
        "id": _TEXT,
        "name": _TEXT,
        "description": _TEXT,
        "status": _TEXT,
        **_CREATED,
        "end_date": _TIME,
        "origin": _TEXT,
    },
    "iterations": {
        "id": _TEXT,
        "experiment_id": _TEXT,
        "name": _TEXT,
        "notes": _TEXT,
        **_CREATED,
        "end_date": _TIME,
        "parent_iteration_id": _TEXT,
        "status": _TEXT,
        "error_message": _TEXT,
        "python_version": _TEXT,
        "julia_version": _TEXT,
        "git_sha": _TEXT,
        "git_dirty": pyarrow.bool_(),
        "entrypoint": _TEXT,
        "origin": _TEXT,
    },
    "snapshots": {"iteration_id": _TEXT, "project_toml": _TEXT, "manifest_toml": _TEXT, "git_diff": _TEXT},
    "parameters": {"iteration_id": _TEXT, "key": _TEXT, "value": _TEXT},
    "labels": {"owner": _TEXT, "owner_id": _TEXT, "key": _TEXT, "value": _TEXT},
    "tags": {"owner": _TEXT, "owner_id": _TEXT, "value": _TEXT},
    "metrics": {"iteration_id": _WORD, "key": _WORD, "step": _INT, "value": pyarrow.float64(), "recorded_at": _TIME},
    "output": {
        "iteration_id": _TEXT,
        "line": _INT,
        "stream": _TEXT,
        "text": _TEXT,
        "recorded_at": _TIME,
        "gap_lines": _INT,
        "gap_bytes": _INT,
    },
    "inputs": {
        "id": _TEXT,
        "iteration_id": _TEXT,
        "kind": _TEXT,
        "name": _TEXT,
        "digest": _TEXT,
        "source": _TEXT,
        "source_type": _TEXT,
        "context": _TEXT,
        "resource_id": _TEXT,
        "modelversion_id": _TEXT,
        "description": _TEXT,
    },
    "resources": {
        "id": _TEXT,
        "experiment_id": _TEXT,
        "iteration_id": _TEXT,
        "name": _TEXT,
        "description": _TEXT,
        "content_type": _TEXT,
        **_CREATED,
        "updated_date": _TIME,
        "size_bytes": _INT,
        "content_hash": _TEXT,
        "state": _TEXT,
        "file": _TEXT,
    },
    "models": {"id": _TEXT, "name": _TEXT, "description": _TEXT, **_CREATED, "updated_date": _TIME},
    "modelversions": {
        "id": _TEXT,
        "model_id": _TEXT,
        "version": _INT,
        "iteration_id": _TEXT,
        "run_id": _TEXT,
        "resource_id": _TEXT,
        "stage": _TEXT,
        "description": _TEXT,
        "source": _TEXT,
        **_CREATED,
        "updated_date": _TIME,
        "aliases": pyarrow.list_(_TEXT),
    },
}

TABLES: dict[str, pyarrow.Schema] = {
    name: pyarrow.schema(columns, {"deardiary.table": name, "deardiary.schema_version": str(SCHEMA_VERSION)})
    for name, columns in _COLUMNS.items()
}
# One file each; all others have a file for each part of the iterations.
WHOLE = ("project", "experiments", "models", "modelversions")
