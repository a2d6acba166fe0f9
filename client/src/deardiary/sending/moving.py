"""Names and keys under which a run, logged for one server, is found or created on another."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from deardiary import settings
from deardiary.client import Client
from deardiary.sending.run_ref import find
from deardiary.spool.run import Run, RunRef
from deardiary.spool.segment import segments_in


class Move:
    """A move of runs from ``from_url`` to ``client``'s server.

    Ids of the old server are unknown to another one. So the iteration is created there again, by the names of project
    and experiment and under its id_key. If the new server knows the id, as after a change of its URL, the id stays.
    """

    def __init__(self, client: Client, from_url: str, runs: Iterable[Run]) -> None:
        """``runs`` are all runs to move: of several runs of one iteration only one may know the id_key."""
        self.client = client
        self.from_url = from_url
        refs = [run.origin for run in runs]
        self._keys = {each.iteration_id: each.id_key for each in refs if each.iteration_id and each.id_key}
        self._known: dict[str, bool] = {}

    def moved(self, run: Run) -> Run:
        """The run for the new server. ValueError if neither run nor settings name its project and experiment."""
        return replace(run, url=self.client.url, offline=False, origin=self._ref(run.origin))

    def remark(self, run: Run, folder: Path) -> str:
        """A remark on records that only the old server has: the spool no longer holds acknowledged records."""
        if run.origin.iteration_id is None or self._knows(run.origin.iteration_id):
            return ""
        numbers = [each.number for each in segments_in(folder)]
        gone = "all its records" if not numbers else f"its records before file {min(numbers):08}"
        if numbers and min(numbers) == 1:
            return ""
        return f"{self.from_url} had acknowledged {gone} (iteration {run.origin.iteration_id}): those are there only"

    def _ref(self, ref: RunRef, child: RunRef | None = None) -> RunRef:
        if ref.iteration_id is not None and self._knows(ref.iteration_id):
            return ref
        key = ref.id_key or self._keys.get(ref.iteration_id or "") or ref.resume or ref.iteration_id
        project, experiment = _names(ref, child)
        parent = None if ref.parent is None else self._ref(ref.parent, ref)
        if parent is None and not (project and experiment):
            raise ValueError(
                f"the run knows its experiment only by its id at {self.from_url}: set DEARDIARY_PROJECT and "
                "DEARDIARY_EXPERIMENT to say where it goes"
            )
        return replace(
            ref,
            iteration_id=None,
            experiment_id=None,
            project=project,
            experiment=experiment,
            id_key=key,
            resume=None,
            parent=parent,
        )

    def _knows(self, iteration_id: str) -> bool:
        if iteration_id not in self._known:
            self._known[iteration_id] = find(self.client, iteration_id) is not None
        return self._known[iteration_id]


def _names(ref: RunRef, child: RunRef | None) -> tuple[str | None, str | None]:
    """Project and experiment: of the run, else of its child or parent, which share them, else of the settings."""
    for each in (ref, child, ref.parent):
        if each is not None and each.project and each.experiment:
            return each.project, each.experiment
    return settings.default_project(), settings.default_experiment()
