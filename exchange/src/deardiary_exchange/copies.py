"""Which experiments and iterations of a project are copies, and of what.

Each copy has a record in a study of its experiment, which no list shows: a copy has no label or note that its original
does not have. A key names the project where an object was born: a copy that comes home is recognised, and so is one
that comes a second time by another server. A record says before the creation what is begun; so a process that dies
between the creation and the second record leaves a trace, which `settle` follows.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from deardiary.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import deardiary
    from deardiary.wire.shapes import Iteration

_STUDY = "deardiary.origins"
_EXPERIMENT, _BEGUN, _COPIED = "experiment", "begun", "copied"
_APPENDED = 500


def key_of(project_id: str, id_: str) -> str:
    """The key of an object that was born in this project."""
    return f"deardiary:{project_id}:{id_}"


class Copies:
    """The records of one project; those of an experiment are read once."""

    def __init__(self, client: deardiary.Client, project_id: str) -> None:
        self._client = client
        self._project_id = project_id
        self._experiments: dict[str, str] = {}  # by key: the id of the copy
        self._iterations: dict[str, tuple[str, str]] = {}  # by key: the id of the copy, and of its experiment
        self._keys: dict[str, str] = {}  # by the id of the copy
        self._begun: dict[str, dict[str, None]] = {}  # by experiment: keys without a copy that is known
        for experiment in client.experiments.list(project_id):
            self._read(experiment.id)

    def native_id(self, key: str) -> str | None:
        """The id of an object that was born in this project."""
        home = key_of(self._project_id, "")
        return key.removeprefix(home) if key.startswith(home) else None

    def experiment_id(self, key: str) -> str | None:
        return self.native_id(key) or self._experiments.get(key)

    def copy_of(self, key: str) -> tuple[str, str] | None:
        """The id of the copy of an iteration, and that of its experiment."""
        return self._iterations.get(key)

    def key(self, id_: str) -> str | None:
        """The key of the original, if this experiment or iteration is a copy."""
        return self._keys.get(id_)

    def keep_experiment(self, key: str, experiment_id: str) -> None:
        if self.experiment_id(key) is None:
            self._append(experiment_id, [f"{_EXPERIMENT} {key}"])

    def begin(self, wanted: Mapping[str, Iterable[str]]) -> None:
        """Say for each experiment the keys of which it may get copies now."""
        for experiment_id, keys in wanted.items():
            known = self._begun.get(experiment_id, {})
            new = [
                key for key in keys if self.copy_of(key) is None and self.native_id(key) is None and key not in known
            ]
            self._append(experiment_id, [f"{_BEGUN} {key}" for key in new])

    def keep(self, experiment_id: str, copies: Mapping[str, str]) -> None:
        """Keep the ids of copies, by key."""
        new = [(key, id_) for key, id_ in copies.items() if self.copy_of(key) is None and self.native_id(key) is None]
        self._append(experiment_id, [f"{_COPIED} {key} {id_}" for key, id_ in new])

    def settle(self, original: deardiary.Client, project_id: str) -> None:
        """Find the copies that a killed process has not recorded; the originals are in that project."""
        home = key_of(project_id, "")
        for experiment_id, keys in list(self._begun.items()):
            wanted = {}
            for key in keys:
                if key.startswith(home) and (found := _find(original, key.removeprefix(home))) is not None:
                    wanted[found.created_date, found.name] = key
            if wanted:
                listed = self._client.iterations.list(experiment_id)
                copies = {
                    wanted[mark]: each.id for each in listed if (mark := (each.created_date, each.name)) in wanted
                }
                self.keep(experiment_id, copies)

    def _read(self, experiment_id: str) -> None:
        for record in self._client.studies.records(experiment_id, _STUDY):
            self._learn(experiment_id, record)

    def _append(self, experiment_id: str, records: list[str]) -> None:
        for start in range(0, len(records), _APPENDED):
            part = records[start : start + _APPENDED]
            append_id = hashlib.sha256("\n".join(part).encode()).hexdigest()
            self._client.studies.append(experiment_id, _STUDY, part, append_id=append_id)
        for record in records:
            self._learn(experiment_id, record)

    def _learn(self, experiment_id: str, record: str) -> None:
        kind, key, *rest = record.split(" ")
        begun = self._begun.setdefault(experiment_id, {})
        if kind == _EXPERIMENT:
            self._experiments[key] = experiment_id
            self._keys[experiment_id] = key
        elif kind == _BEGUN and key not in self._iterations:
            begun[key] = None
        elif kind == _COPIED:
            self._iterations[key] = (rest[0], experiment_id)
            self._keys[rest[0]] = key
            begun.pop(key, None)


def _find(client: deardiary.Client, iteration_id: str) -> Iteration | None:
    try:
        return client.iterations.get(iteration_id)
    except NotFound:
        return None
