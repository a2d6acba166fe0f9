"""Metric points of an iteration."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from deardiary.api import Api, path_of
from deardiary.records import Point
from deardiary.shapes import BatchReceipt, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime


class Metrics:
    def __init__(self, api: Api) -> None:
        self._api = api

    def create(
        self, iteration_id: str, key: str, value: float, *, step: int | None = None, recorded_at: datetime | None = None
    ) -> Metric:
        """One point. Without ``step`` it gets the next of its key, without ``recorded_at`` the server's clock."""
        point = Point(key, value, step, recorded_at)
        return self._api.post(Metric, path_of("iterations", iteration_id, "metrics"), point.to_json())

    def batch(self, iteration_id: str, points: Iterable[Point], *, batch_id: str | None = None) -> BatchReceipt:
        """Points in one request: at most 10,000, and 4 MiB of JSON.

        The same ``batch_id`` again changes nothing and answers the same; without one, a new one is made.
        """
        body = {"batch_id": batch_id or secrets.token_hex(16), "metrics": [point.to_json() for point in points]}
        return self._api.post(
            BatchReceipt, path_of("iterations", iteration_id, "metrics", "batch"), body, repeatable=True
        )

    def get(self, metric_id: str) -> Metric:
        return self._api.get(Metric, path_of("metrics", metric_id))

    def list(self, iteration_id: str, *, key: str | None = None) -> Iterator[Metric]:
        """Every point of the iteration, or of one of its series."""
        return self._api.pages(Metric, path_of("iterations", iteration_id, "metrics"), {"key": key})

    def delete(self, metric_id: str) -> None:
        self._api.delete(path_of("metrics", metric_id))
