"""A project in a form without ids, so that two servers' projects can be compared."""

from __future__ import annotations

import dataclasses
from typing import Any

import deardiary

# What a server sets by itself.
_OWN = ("id", "project_id", "experiment_id", "iteration_id", "model_id", "created_by", "updated_date", "backend", "uri")


def state_of(client: deardiary.Client, project_id: str) -> dict[str, Any]:
    """All that a project has; ids of other objects are their names. The notes of its iterations differ."""
    names: dict[Any, Any] = {None: None}
    experiments = sorted(client.experiments.list(project_id), key=lambda each: each.name)
    models = sorted(client.models.list(project_id), key=lambda each: each.name)
    versions = [each for model in models for each in client.modelversions.list(model.id)]
    resources = [each for experiment in experiments for each in client.resources.list(experiment.id)]
    kinds = ["parameters", "tags"]
    listed = [
        each
        for experiment in experiments
        for each in client.iterations.list(experiment.id, include=kinds)  # type: ignore[arg-type]
    ]
    named: list[tuple[str, Any]] = [
        *((f"experiment {each.name}", each) for each in experiments),
        *((f"iteration {each.notes}", each) for each in listed),
        *((f"model {each.name}", each) for each in models),
    ]
    names |= {each.id: name for name, each in named}
    names |= {each.id: f"{names[each.model_id]}/{each.version}" for each in versions}
    names |= {
        each.id: f"file {names[each.experiment_id]}/{names[each.iteration_id]}/{each.name} {each.content_hash}"
        for each in resources
    }
    return {
        "experiments": [
            (_fields(each), sorted(tag.value for tag in client.tags.list("experiment", each.id)))
            for each in experiments
        ],
        "iterations": {names[each.id]: _iteration(client, each, names) for each in listed},
        "resources": {names[each.id]: _fields(each) for each in resources},
        "models": [_fields(each) for each in models],
        "versions": [
            (names[each.id], _fields(each) | {"of": (names[each.iteration_id], names[each.resource_id])})
            for each in versions
        ],
    }


def _iteration(client: deardiary.Client, each: Any, names: dict[Any, Any]) -> Any:
    columns = client.metrics.columns(each.id)
    values = [value.hex() for value in columns["value"]]
    inputs = [
        _fields(i) | {"of": (names.get(i.resource_id, "gone"), names.get(i.modelversion_id, "gone"))}
        for i in client.inputs.list(each.id)
    ]
    return {
        "fields": _fields(client.iterations.snapshot(each.id)) | {"parent": names.get(each.parent_iteration_id)},
        "of": names[each.experiment_id],
        "parameters": each.parameters,
        "tags": sorted(each.tags),
        "points": sorted(zip(columns["key"], columns["step"], columns["recorded_at"], values, strict=True)),
        "output": [(line.stream, line.text, line.recorded_at) for line in client.iterations.output(each.id)],
        "inputs": sorted(inputs, key=repr),
    }


def _fields(shape: Any) -> dict[str, Any]:
    own = (*_OWN, "resource_id", "modelversion_id", "parent_iteration_id")
    return {each.name: getattr(shape, each.name) for each in dataclasses.fields(shape) if each.name not in own}
