"""The points to write and read: curves like those of a training run, in the form of each server."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

BEGIN = datetime(2026, 11, 23, tzinfo=timezone.utc)
STEP_MS = (1400, 1600)


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of one key, in columns: steps from 0, times in ms since 1970, values."""

    steps: Sequence[int]
    times: Sequence[int]
    values: Sequence[float]

    def part(self, begin: int, end: int) -> Curve:
        return Curve(self.steps[begin:end], self.times[begin:end], self.values[begin:end])


Curves = Mapping[str, Curve]


def make_curves(keys: int, points: int, seed: str = "") -> Curves:
    """Create this many keys with this many points each, by a seed: `loss` first, then `metric_01` and so on."""
    names = ["loss", *(f"metric_{number:02}" for number in range(1, keys))]
    return {name: _curve(points, f"{seed}{name}") for name in names}


def batches(curves: Curves, points_of_a_key: int) -> Iterator[Curves]:
    """The curves in pieces of this many steps, all keys in each."""
    length = max(len(curve.steps) for curve in curves.values())
    for begin in range(0, length, points_of_a_key):
        yield {key: curve.part(begin, begin + points_of_a_key) for key, curve in curves.items()}


def flush_body(curves: Curves, batch_id: str) -> bytes:
    """Our `POST /iterations/{id}/log`, in the form of columns."""
    columns = {
        key: {"step": list(curve.steps), "value": curve.values, "recorded_at": [_time(time) for time in curve.times]}
        for key, curve in curves.items()
    }
    return json.dumps({"batch_id": batch_id, "metrics": columns}).encode()


def mlflow_body(curves: Curves, run_id: str) -> bytes:
    """MLflow's `runs/log-batch`."""
    return json.dumps({"run_id": run_id, "metrics": list(_mlflow_metrics(curves))}).encode()


def _mlflow_metrics(curves: Curves) -> Iterator[dict[str, Any]]:
    for key, curve in curves.items():
        for step, time, value in zip(curve.steps, curve.times, curve.values, strict=True):
            yield {"key": key, "value": value, "timestamp": time, "step": step}


def _curve(points: int, seed: str) -> Curve:
    """A step about every 1.5 seconds, a value that falls, with noise."""
    dice = random.Random(seed)  # noqa: S311
    time, times, values = int(BEGIN.timestamp() * 1000), [], []
    for step in range(points):
        time += dice.randint(*STEP_MS)
        times.append(time)
        values.append(2.0 / (1 + step / 50) + dice.gauss(0, 0.05))
    return Curve(range(points), times, values)


def _time(milliseconds: int) -> str:
    at = datetime.fromtimestamp(milliseconds // 1000, tz=timezone.utc) + timedelta(milliseconds=milliseconds % 1000)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
