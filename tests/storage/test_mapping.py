"""Stored rows of every kind that maps to a shape by field names: read, and written unchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.storage import experiment, iteration, model, modelversion, permission, resource, user
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.mapping import row_of, shape_of
from deardiary.wire.shapes import Iteration, IterationStatus, ModelVersion, Stage, UserPermission

_DATE = {"S": "2026-01-02T03:04:05.678000+0000"}
_ITERATION = {
    "PK": {"S": "EXPERIMENT#e"},
    "SK": {"S": "ITERATION#i"},
    "kind": {"S": "iteration"},
    "id": {"S": "i"},
    "experiment_id": {"S": "e"},
    "notes": {"S": "n"},
    "created_date": _DATE,
    "status_id": {"N": "2"},
    "error_message": {"S": ""},
    "python_version": {"S": "3.12"},
    "julia_version": {"S": ""},
    "git_sha": {"S": "abc"},
    "git_dirty": {"BOOL": True},
    "entrypoint": {"S": "train.py"},
}
_EXPERIMENT = {
    "PK": {"S": "PROJECT#p"},
    "SK": {"S": "EXPERIMENT#e"},
    "kind": {"S": "experiment"},
    "id": {"S": "e"},
    "project_id": {"S": "p"},
    "status_id": {"N": "3"},
    "name": {"S": "n"},
    "description": {"S": "d"},
    "created_date": _DATE,
    "end_date": _DATE,
}
_RESOURCE = {
    "PK": {"S": "EXPERIMENT#e"},
    "SK": {"S": "RESOURCE#r"},
    "kind": {"S": "resource"},
    "id": {"S": "r"},
    "experiment_id": {"S": "e"},
    "name": {"S": "n"},
    "description": {"S": "d"},
    "created_date": _DATE,
    "backend": {"S": "s3"},
    "uri": {"S": "s3://b/k"},
    "size_bytes": {"N": "7"},
    "content_hash": {"S": "h"},
    "content_type": {"S": "text/plain"},
    "state": {"S": "ready"},
}
_MODEL = {
    "PK": {"S": "PROJECT#p"},
    "SK": {"S": "MODEL#m"},
    "kind": {"S": "model"},
    "id": {"S": "m"},
    "project_id": {"S": "p"},
    "name": {"S": "n"},
    "description": {"S": "d"},
    "created_date": _DATE,
    "updated_date": _DATE,
    "last_version": {"N": "0"},
    "promotions": {"N": "0"},
}
_VERSION = {
    "PK": {"S": "MODEL#m"},
    "SK": {"S": "VERSION#000000007"},
    "kind": {"S": "model-version"},
    "id": {"S": "m.000000007"},
    "model_id": {"S": "m"},
    "version": {"N": "7"},
    "iteration_id": {"S": "i"},
    "stage_id": {"N": "2"},
    "description": {"S": "d"},
    "created_date": _DATE,
}
_PERMISSION = {
    "PK": {"S": "USER#u"},
    "SK": {"S": "PERMISSION#p"},
    "kind": {"S": "permission"},
    "id": {"S": "u.p"},
    "user_id": {"S": "u"},
    "project_id": {"S": "p"},
    "create_permission": {"BOOL": True},
    "read_permission": {"BOOL": True},
    "update_permission": {"BOOL": False},
    "delete_permission": {"BOOL": False},
}
_USER = {
    "PK": {"S": "USER#u"},
    "SK": {"S": "USER"},
    "kind": {"S": "user"},
    "id": {"S": "u"},
    "username": {"S": "ada"},
    "first_name": {"S": "A"},
    "last_name": {"S": "L"},
    "created_date": _DATE,
    "is_admin": {"BOOL": True},
    "password_hash": {"S": "hash"},
    "epoch": {"N": "3"},
    "version": {"N": "4"},
    "tokens": {"S": "{}"},
}
_NO_PROMOTION = model.Registry(last_version=7, production=None, promotions=0, aliases={})
Rewrite = Callable[[Any], Item]
_KINDS: dict[str, tuple[dict[str, Any], type[Item], Rewrite]] = {
    "iteration": (_ITERATION, iteration.IterationRow, lambda row: iteration._row(iteration.shape(row), None)),
    "experiment": (_EXPERIMENT, experiment.ExperimentRow, lambda row: experiment._row(experiment.shape(row), None)),
    "resource": (_RESOURCE, resource.ResourceRow, lambda row: resource._row(resource.shape(row), None)),
    "model": (_MODEL, model.ModelRow, lambda row: model._row(model.shape(row))),
    "version": (
        _VERSION,
        modelversion.ModelVersionRow,
        lambda row: modelversion._row(modelversion._shape(row, _NO_PROMOTION)),
    ),
    "permission": (
        _PERMISSION,
        permission.PermissionRow,
        lambda row: row_of(permission.PermissionRow, row.key, shape_of(row, UserPermission)),
    ),
    "user": (_USER, user.UserRow, lambda row: user._row(user._account(row))),
}


@pytest.mark.parametrize("kind", sorted(_KINDS))
def test_a_stored_row_is_read_and_written_as_it_was(kind: str) -> None:
    stored, row, rewrite = _KINDS[kind]
    assert rewrite(row.from_raw_data(stored)).serialize() == stored


def test_a_number_becomes_an_enumeration_and_an_absent_attribute_none() -> None:
    found = shape_of(iteration.IterationRow.from_raw_data(_ITERATION), Iteration)
    assert found.status_id is IterationStatus.SUCCEEDED
    assert (found.end_date, found.parent_iteration_id) == (None, None)


def test_a_given_field_replaces_the_stored_one() -> None:
    row = modelversion.ModelVersionRow.from_raw_data(_VERSION)
    assert shape_of(row, ModelVersion, stage_id=Stage.PRODUCTION).stage_id is Stage.PRODUCTION
