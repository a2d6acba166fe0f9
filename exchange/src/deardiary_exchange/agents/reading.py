"""The tools that read. Their docstrings are what a model knows of them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from deardiary import Client
from deardiary.cli import compare, find
from deardiary.errors import NotFound
from deardiary.wire.shapes import Iteration
from deardiary_exchange.agents import shown

_PARTS: tuple[Literal["parameters", "metrics", "tags"], ...] = ("parameters", "metrics", "tags")
_MOST_ROWS, _MOST_POINTS, _MOST_LINES = 100, 200, 500
_MOST_COMPARED = 20
_MOST_BYTES = 5_000_000
_HIDDEN_OF_FILES = ("experiment_id", "iteration_id", "backend", "uri")


class Reading:
    def __init__(self, client: Client) -> None:
        self._client = client

    def search(self, words: str) -> dict[str, Any]:
        """Find projects, experiments, models and new iterations (runs) by a part of a name, and any object by its id.

        For older iterations use `find_iterations` with a filter like: name like "%heron%".
        """
        return shown.listed("results", self._client.search(words), 50, "use more words")

    def list_projects(self) -> dict[str, Any]:
        """List the projects that you may read. A project has experiments and models."""
        return shown.listed("projects", self._client.projects.list(), _MOST_ROWS, "search for a name")

    def list_experiments(self, project: str) -> dict[str, Any]:
        """List the experiments of a project (a name or an id). An experiment has iterations (runs)."""
        found = find.project(self._client, project)
        return shown.listed("experiments", self._client.experiments.list(found.id), _MOST_ROWS, "search for a name")

    def describe_experiment(self, experiment: str) -> dict[str, Any]:
        """Say how many iterations an experiment has, and which parameters, metrics, labels and tags they use.

        Call this before `find_iterations`: it gives the names for a filter. `experiment` is PROJECT/EXPERIMENT or an
        id.
        """
        found = find.experiment(self._client, experiment)
        keys = self._client.iterations.keys(found.id)
        count = self._client.iterations.count(found.id)
        return {"experiment": shown.plain(found), "iterations": count, "keys": shown.plain(keys)}

    def find_iterations(
        self,
        experiment: str,
        filter: str | None = None,  # noqa: A002 - the word of the server's API
        order_by: str = "created_date desc",
        metrics: Sequence[str] = (),
        parameters: Sequence[str] = (),
        limit: int = 20,
    ) -> dict[str, Any]:
        """List the iterations (runs) of an experiment that match a filter, as a table.

        `experiment` is PROJECT/EXPERIMENT or an id. `filter` is like: parameters.lr = "0.01" and metrics.loss.min < 0.3
        and status = "FAILED" and tags = "best"; name like "%heron%"; created_by = "alice"; a parameter is a text.
        metrics.loss is the last value; metrics.loss.min, .max, .first, .count and .last_step are the others. `order_by`
        is like: metrics.accuracy desc. `metrics` and `parameters` choose the columns; the default is all.
        """
        found = find.experiment(self._client, experiment)
        most = max(1, min(limit, _MOST_ROWS))
        rows, has_more = shown.some(
            self._client.iterations.list(found.id, filter=filter, order_by=order_by, include=_PARTS), most
        )
        answer = {"iterations": [_row(each, metrics, parameters) for each in rows]}
        return answer | ({"more": "narrow the filter, or raise the limit (at most 100)"} if has_more else {})

    def get_iteration(self, iteration: str) -> dict[str, Any]:
        """Read one iteration (run): state, notes, error, parameters, tags, labels, summaries of metrics, git commit.

        `iteration` is an id, the beginning of one, or PROJECT/EXPERIMENT/NAME.
        """
        found = find.iteration(self._client, iteration)
        (whole,) = self._overviews([found])
        return {**shown.plain(whole), "url": self._client.dashboard_url(f"iterations/{found.id}")}

    def compare_iterations(self, iterations: Sequence[str]) -> dict[str, Any]:
        """Compare 2 to 20 iterations: the fields, parameters and last metric values in which they differ.

        The values stand in the order of the given iterations.
        """
        if not 2 <= len(iterations) <= _MOST_COMPARED:
            raise ValueError(f"compare 2 to {_MOST_COMPARED} iterations, not {len(iterations)}")
        overviews = self._overviews([find.iteration(self._client, each) for each in iterations])
        rows = list(compare.rows_of(overviews))
        return {
            "iterations": [{"id": each.id, "name": each.name} for each in overviews],
            "differ": {name: shown.plain(values) for name, differs, values in rows if differs},
            "same": [name for name, differs, _ in rows if not differs and name not in compare.ALWAYS],
        }

    def read_curves(
        self,
        iterations: Sequence[str],
        metrics: Sequence[str],
        max_points: int = 50,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> dict[str, Any]:
        """Read the curves of metrics in up to 20 iterations, each downsampled to `max_points` (at most 200).

        The lowest and highest point of each part of a curve stay. Each point is [step, value].
        """
        if not 1 <= len(iterations) <= _MOST_COMPARED:
            raise ValueError(f"read the curves of 1 to {_MOST_COMPARED} iterations, not {len(iterations)}")
        most = max(2, min(max_points, _MOST_POINTS))
        curves: dict[str, Any] = {}
        for each in iterations:
            found = find.iteration(self._client, each)
            read = self._client.metrics.curves(
                found.id, *metrics, min_step=min_step, max_step=max_step, max_points=most
            )
            curves[found.id] = {
                "name": found.name,
                "metrics": {
                    key: [[step, shown.number(value)] for step, value in zip(curve.step, curve.value, strict=True)]
                    for key, curve in islice(read.items(), _MOST_COMPARED)
                },
            }
        return {"curves": curves}

    def read_console(
        self, iteration: str, last_lines: int = 100, stream: Literal["stdout", "stderr"] | None = None
    ) -> dict[str, Any]:
        """Read the newest lines that an iteration's program printed (at most 500), such as the end of a traceback."""
        found = find.iteration(self._client, iteration)
        tail = max(1, min(last_lines, _MOST_LINES))
        page = self._client.iterations.output_page(found.id, stream=stream, tail=tail)
        return {"lines": [shown.text(each.text, 500) for each in page.data]}

    def list_files(self, iteration: str) -> dict[str, Any]:
        """List the files (artifacts) that an iteration has stored."""
        found = find.iteration(self._client, iteration)
        listed = self._client.resources.list(found.experiment_id, iteration_id=found.id)
        files = (shown.without(each, *_HIDDEN_OF_FILES) for each in listed)
        return shown.listed("files", files, _MOST_ROWS, "the dashboard has the others")

    def read_file(self, file: str, max_characters: int = 10_000) -> dict[str, Any]:
        """Read a stored text file by its id, such as a report, a table or a configuration. Of a long one, both ends."""
        resource = find.resource(self._client, file)
        if resource.size_bytes > _MOST_BYTES:
            raise ValueError(f"{resource.name} has {resource.size_bytes} bytes; this tool reads up to {_MOST_BYTES}")
        with tempfile.TemporaryDirectory() as folder:
            content = self._client.resources.download(resource.id, Path(folder) / "file").read_bytes()
        try:
            words = content.decode()
        except UnicodeDecodeError:
            raise ValueError(f"{resource.name} is no text ({resource.content_type})") from None
        return {"name": resource.name, "text": shown.text(words, max(100, min(max_characters, 50_000)))}

    def lineage(self, iteration: str) -> dict[str, Any]:
        """Say what an iteration has read (data, files, models), which model versions came from it, and its children."""
        found = find.iteration(self._client, iteration)
        return {
            "inputs": shown.plain(self._client.inputs.list(found.id)),
            "produced": [
                {**shown.plain(each), "model": self._client.models.get(each.model_id).name}
                for each in self._client.iterations.modelversions(found.id)
            ],
            **shown.listed("children", self._client.iterations.children(found.id), _MOST_ROWS, "there are more"),
        }

    def list_models(self, project: str) -> dict[str, Any]:
        """List the registered models of a project with their versions, stages and aliases."""
        found = find.project(self._client, project)
        models, has_more = shown.some(self._client.models.list(found.id), 30)
        answer = {
            "models": [
                shown.plain(each)
                | shown.listed("versions", self._client.modelversions.list(each.id), 50, "there are more")
                for each in models
            ]
        }
        return answer | ({"more": "search for the name of a model"} if has_more else {})

    def _overviews(self, found: Sequence[Iteration]) -> list[Any]:
        """The iterations with their parameters, metrics and tags, in this order."""
        whole: dict[str, Any] = {}
        for experiment_id in dict.fromkeys(each.experiment_id for each in found):
            ids = [each.id for each in found if each.experiment_id == experiment_id]
            wanted = " or ".join(f'id = "{each}"' for each in ids)
            listed = self._client.iterations.list(experiment_id, filter=wanted, include=_PARTS)
            whole |= {each.id: each for each in listed}
        missing = [each.id for each in found if each.id not in whole]
        if missing:
            raise NotFound(404, "NOT_FOUND", f"there is no iteration {missing[0]}")
        return [whole[each.id] for each in found]


def _row(iteration: Any, metrics: Sequence[str], parameters: Sequence[str]) -> dict[str, Any]:
    row = {
        "id": iteration.id,
        "name": iteration.name,
        "status": iteration.status_id.name,
        "created_date": iteration.created_date,
        "tags": iteration.tags,
        "parameters": _chosen(iteration.parameters or {}, parameters),
        "metrics": {key: each.last for key, each in _chosen(iteration.metrics or {}, metrics).items()},
    }
    return dict(shown.plain(row))


def _chosen(values: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: each for key, each in values.items() if not keys or key in keys}
