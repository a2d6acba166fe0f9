"""Metric points of an iteration."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from deardiary.api import Calls, HasId, id_of, path_of, present
from deardiary.entities.records import Point
from deardiary.entities.table import Backend
from deardiary.wire.columns import Columns
from deardiary.wire.shapes import BatchReceipt, Curve, Metric, MetricSummary


@dataclass(frozen=True, slots=True)
class _Summaries:
    data: dict[str, MetricSummary]


@dataclass(frozen=True, slots=True)
class _Curves:
    data: dict[str, Curve]
    next_cursor: str | None


def _joined(one: Curve, other: Curve) -> Curve:
    return Curve(
        step=one.step + other.step,
        value=one.value + other.value,
        recorded_at=one.recorded_at + other.recorded_at,
    )


class Metrics(Calls):
    def create(
        self, iteration_id: str, key: str, value: float, *, step: int | None = None, recorded_at: datetime | None = None
    ) -> Metric:
        """Create one point. ``step`` defaults to the next one of its key, ``recorded_at`` to the server's clock."""
        point = Point(key, value, step, recorded_at)
        return self._api.post(Metric, path_of("iterations", iteration_id, "metrics"), point.to_json())

    def batch(self, iteration_id: str, points: Iterable[Point], *, batch_id: str | None = None) -> BatchReceipt:
        """Send points in one request: at most 10,000, and 4 MiB of JSON.

        A repeated ``batch_id`` changes nothing and returns the same receipt. The default is a random one.
        """
        body = {"batch_id": batch_id or secrets.token_hex(16), "metrics": [point.to_json() for point in points]}
        return self._api.post(
            BatchReceipt, path_of("iterations", iteration_id, "metrics", "batch"), body, repeatable=True
        )

    def get(self, metric_id: str) -> Metric:
        return self._api.get(Metric, path_of("metrics", metric_id))

    def list(self, iteration_id: str, *, key: str | None = None) -> Iterator[Metric]:
        """List all points of the iteration, or of one metric."""
        return self._api.pages(Metric, path_of("iterations", iteration_id, "metrics"), {"key": key})

    def update(
        self,
        metric_id: str,
        *,
        value: float | None = None,
        step: int | None = None,
        recorded_at: datetime | None = None,
    ) -> Metric:
        """Change the given fields. The points of an ended iteration are locked."""
        changes = present(value=value, step=step, recorded_at=recorded_at)
        return self._api.patch(Metric, path_of("metrics", metric_id), changes)

    def curves(
        self,
        iteration_id: str,
        *keys: str,
        min_step: int | None = None,
        max_step: int | None = None,
        max_points: int | None = None,
    ) -> dict[str, Curve]:
        """Return the curves of these keys, or of all keys; ``max_points`` downsamples each curve.

        A bucket reduced to two points keeps its lowest and its highest one.
        """
        window = present(min_step=min_step, max_step=max_step, max_points=max_points)
        asked = [("key", key) for key in keys]
        return self._curves(path_of("iterations", iteration_id, "metrics", "series"), asked, window)

    def curve_of_iterations(
        self, experiment_id: str, key: str, iteration_ids: Iterable[str] = (), *, max_points: int = 200
    ) -> dict[str, Curve]:
        """Return one metric's curves in these iterations of an experiment, or in all, by iteration id."""
        asked = [("key", key), *(("iteration_id", each) for each in iteration_ids)]
        window = {"max_points": max_points}
        return self._curves(path_of("experiments", experiment_id, "metrics", "series"), asked, window)

    def columns(
        self,
        iteration: str | HasId,
        keys: Collection[str] = (),
        *,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> dict[str, Any]:
        """Return all points of these keys, or of all keys, as a dict of lists, which `pandas.DataFrame` accepts.

        The columns are ``key``, ``step``, ``value`` and ``recorded_at``, key by key, in the order of the steps. The
        client decodes the stored points itself: the fastest way to read a whole history. The iteration is an id, or an
        object with one.
        """
        from deardiary.entities import frames

        return frames.as_lists(self._points(iteration, keys, min_step, max_step))

    def to_dataframe(
        self,
        iteration: str | HasId,
        keys: Collection[str] = (),
        *,
        min_step: int | None = None,
        max_step: int | None = None,
        backend: Backend = "pandas",
    ) -> Any:
        """Return the points of `columns` as a data frame of pandas or polars, or as an Arrow table.

        The times have milliseconds, in UTC. ImportError without the package: ``pip install "deardiary[pandas]"``,
        ``[polars]`` or ``[arrow]``.
        """
        from deardiary.entities import frames

        # Fail before the download.
        to_frame = frames.points_to(backend)
        return to_frame(self._points(iteration, keys, min_step, max_step))

    def _points(
        self, iteration: str | HasId, keys: Collection[str], min_step: int | None, max_step: int | None
    ) -> dict[str, Columns]:
        from deardiary.entities.points import read_points

        names = [keys] if isinstance(keys, str) else list(keys)
        return read_points(self._api, id_of(iteration), names, min_step, max_step)

    def summary(self, iteration_id: str) -> dict[str, MetricSummary]:
        """Return the first, last, least and greatest value of each metric, and its number of points."""
        path = path_of("iterations", iteration_id, "metrics", "summary")
        return self._api.get(_Summaries, path).data

    def _curves(self, path: str, asked: Sequence[tuple[str, str]], window: Mapping[str, int]) -> dict[str, Curve]:
        """Read all pages, and join curves that continue on the next page."""
        whole: dict[str, Curve] = {}
        query = first = [*asked, *((name, str(value)) for name, value in window.items())]
        while True:
            page = self._api.get(_Curves, f"{path}?{urlencode(query)}")
            for name, curve in page.data.items():
                whole[name] = _joined(whole[name], curve) if name in whole else curve
            if page.next_cursor is None:
                return whole
            query = [*first, ("cursor", page.next_cursor)]

    def delete(self, metric_id: str) -> None:
        self._api.delete(path_of("metrics", metric_id))
