"""What a run logs: metrics, params and tags, one at a time or in a batch."""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from collections.abc import Sequence
from typing import Any

from chalicelib.errors import Conflict
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import limits, lookup, mapping
from chalicelib.routes.mlflow.checks import check_key, check_length, check_number, check_unique, time_of
from chalicelib.routes.mlflow.errors import invalid, missing, refuse
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Int64, RunBody
from chalicelib.routes.mlflow.run import Tag, check_tags, put_tags
from chalicelib.services import log as service
from chalicelib.services import loggedmodel as loggedmodels
from chalicelib.services.access import IterationAccess, Need
from chalicelib.services.loggedmodel import LoggedPoint
from chalicelib.services.points.batch import Sent
from chalicelib.services.search.ast import Kind
from chalicelib.services.search.facts import read

operations = Operations("/2.0/mlflow")


class Metric(RunBody):
    """A point. In a batch, the run is that of the batch."""

    key: str = ""
    value: float | None = None
    timestamp: Int64 | None = None
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class Param(RunBody):
    key: str = ""
    value: str = ""


class Batch(RunBody):
    metrics: list[Metric] = []
    params: list[Param] = []
    tags: list[Tag] = []


@operations.post("/runs/log-metric", body=Metric)
def log_metric(call: Call[Metric, None]) -> Answer[dict[str, Any]]:
    _check_metric(call.body, "")
    line = lookup.active_run(call, call.body.id, Need.CREATE)
    _store(line, [call.body], {}, {})
    return ok({})


@operations.post("/runs/log-parameter", body=Param)
def log_param(call: Call[Param, None]) -> Answer[dict[str, Any]]:
    params = _check_params([call.body], "key")
    line = lookup.active_run(call, call.body.id, Need.CREATE)
    _store(line, [], params, {})
    return ok({})


@operations.post("/runs/log-batch", body=Batch)
def log_batch(call: Call[Batch, None]) -> Answer[dict[str, Any]]:
    """Check everything before the first write: a batch that fails stores nothing."""
    body = call.body
    for index, metric in enumerate(body.metrics):
        _check_metric(metric, f"metrics[{index}].")
    params = _check_params(body.params, "params[{}].key")
    tags = check_tags({each.key: each.value for each in body.tags})
    _check_numbers(body)
    line = lookup.active_run(call, body.id, Need.CREATE)
    special, labels = mapping.split_tags(tags)
    _store(line, body.metrics, params, {} if special else labels)
    if special:
        put_tags(call, line, tags)
    return ok({})


def _check_numbers(body: Batch) -> None:
    numbers = len(body.metrics), len(body.params), len(body.tags)
    check_number("metrics", numbers[0], limits.MAX_BATCH_METRICS)
    check_number("params", numbers[1], limits.MAX_BATCH_PARAMS)
    check_number("tags", numbers[2], limits.MAX_BATCH_TAGS)
    check_number("metrics, params, and tags", sum(numbers), limits.MAX_BATCH_ENTITIES)
    check_unique([each.key for each in body.params])


def _check_metric(metric: Metric, prefix: str) -> None:
    check_key(metric.key, f"{prefix}{'name' if metric.key else 'key'}")
    for name in ("value", "timestamp"):
        if getattr(metric, name) is None:
            raise missing(f"{prefix}{name}")
    if (metric.timestamp or 0) < 0:
        hint = f"metric '{metric.key}' (value={metric.value}). Timestamp must be a nonnegative long (64-bit integer) "
        raise invalid(f"{prefix}timestamp", metric.timestamp, hint)
    time_of(metric.timestamp or 0, f"{prefix}timestamp")
    check_length("Metric name", metric.key, limits.MAX_KEY_CHARACTERS)


def _check_params(params: Sequence[Param], path: str) -> dict[str, str]:
    """The params by key. Too long values are cut, as MLflow does."""
    for index, each in enumerate(params):
        check_key(each.key, path.format(index))
        check_length("Param key", each.key, limits.MAX_KEY_CHARACTERS)
    return {each.key: each.value[: limits.MAX_PARAM_CHARACTERS] for each in params}


def _store(line: IterationAccess, metrics: Sequence[Metric], params: dict[str, str], labels: dict[str, str]) -> None:
    points = _points(metrics)
    batch_id = _batch_id(line.iteration.id, points)
    try:
        service.store_entries(line, batch_id, parameters=params, labels=labels, points=points)
    except Conflict:
        _refuse_other_values(line, params)
        raise
    if any(each.model_id for each in metrics):
        loggedmodels.record_points(line.iteration, _points_of_models(line.iteration.id, metrics))


def _points_of_models(run_id: str, metrics: Sequence[Metric]) -> dict[str, list[LoggedPoint]]:
    """The points that are about a logged model, by its id."""
    found: dict[str, list[LoggedPoint]] = {}
    for each in metrics:
        if each.model_id:
            value, time = float(each.value or 0), int(each.timestamp or 0)
            dataset = each.dataset_name or None, each.dataset_digest or None
            found.setdefault(each.model_id, []).append(LoggedPoint(each.key, value, time, each.step, *dataset, run_id))
    return found


def _refuse_other_values(line: IterationAccess, params: dict[str, str]) -> None:
    known = read(line.experiment.id, [line.iteration], (Kind.PARAMETERS,), keys=params).of(line.iteration).parameters
    others = {key: (known[key], value) for key, value in params.items() if known.get(key, value) != value}
    if len(params) == 1:
        for key, (old, new) in others.items():
            refuse(
                f"Changing param values is not allowed. Param with key='{key}' was already logged with value='{old}'"
                f" for run ID='{line.iteration.id}'. Attempted logging new value '{new}'.",
                "value",
            )
    if others:
        shown = [{"key": key, "old_value": old, "new_value": new} for key, (old, new) in others.items()]
        refuse(
            f"Changing param values is not allowed. Params were already logged='{shown}' for run"
            f" ID='{line.iteration.id}'.",
            "params",
        )


def _points(metrics: Sequence[Metric]) -> dict[str, Sent]:
    """The points by key, each once, in the order in which MLflow decides which is the last: NaN before numbers."""
    by_key: dict[str, dict[tuple[int, int, bool, float], float]] = {}
    for each in metrics:
        value, time = float(each.value or 0), int(each.timestamp or 0)
        is_number = not math.isnan(value)
        order = (each.step, time, is_number, value if is_number else 0.0)
        by_key.setdefault(each.key, {})[order] = value
    return {key: _sent(dict(sorted(found.items()))) for key, found in sorted(by_key.items())}


def _sent(points: dict[tuple[int, int, bool, float], float]) -> Sent:
    return Sent(array("d", points.values()), [order[0] for order in points], [order[1] for order in points])


def _batch_id(run_id: str, points: dict[str, Sent]) -> str:
    """The same for the same points of a run, so that a repeated request adds none."""
    content = [[key, sent.steps, sent.times, [repr(value) for value in sent.values]] for key, sent in points.items()]
    return "mlflow " + hashlib.sha256(json.dumps([run_id, content]).encode()).hexdigest()
