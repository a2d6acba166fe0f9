"""W&B's artifacts as versions of models, with the files and the manifest that `deardiary.wandb` writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from deardiary_exchange.origins import media
from deardiary_exchange.origins.artifacts import MANIFEST, in_memory, manifest_of
from deardiary_exchange.origins.origin import date
from deardiary_exchange.origins.wandb.state import Logged, State
from deardiary_exchange.runs import File, Model, Version


class Artifacts:
    """The artifacts of all runs. Offline they have no numbers: they count in the order of the runs."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[int, Version]] = {}
        self._digests: dict[str, str] = {}

    def take(self, run_key: str, state: State) -> Iterator[File]:
        """The files of the artifacts of one run. The versions are known at once, the files when they are asked for."""
        taken = [(logged, number) for logged in state.artifacts if (number := self._take(run_key, logged, state))]
        return (file for logged, number in taken for file in _files(logged, _prefix(logged, number), state))

    def manifests(self, run_key: str) -> list[File]:
        """The manifests of a run's versions by their names, for a run that is already here."""
        found = (each for versions in self._versions.values() for each in versions.values() if each.run_key == run_key)
        return [media.refused((each.file_key or "").removeprefix(f"{run_key}/"), "it was not read") for each in found]

    def versions(self) -> Iterator[Version]:
        for versions in self._versions.values():
            taken: set[str] = set()
            # An alias names the last version that was given it.
            unique = []
            for _, each in sorted(versions.items(), reverse=True):
                unique.append((each, [alias for alias in each.aliases if alias not in taken]))
                taken.update(each.aliases)
            for each, aliases in reversed(unique):
                yield replace(each, aliases=aliases)

    def _take(self, run_key: str, logged: Logged, state: State) -> int | None:
        """The number of the version; None if an earlier run has logged it: same content makes no new version."""
        before = self._versions.setdefault(logged.name, {})
        number = logged.version or len(before) + 1
        if number in before or (logged.version is None and self._digests.get(logged.name) == logged.digest):
            return None
        self._digests[logged.name] = logged.digest
        before[number] = _version(run_key, logged, number, state)
        return number


def _prefix(logged: Logged, number: int) -> str:
    return f"artifacts/{logged.name}/{number}"


def _created_ms(logged: Logged, state: State) -> int:
    return state.last_ms if logged.created_ms is None else logged.created_ms


def _files(logged: Logged, prefix: str, state: State) -> Iterator[File]:
    created_date = date(_created_ms(logged, state))
    for name, path in logged.files.items():
        try:
            found = logged.fetch(name) if logged.fetch else Path(path)
            yield File.of_path(f"{prefix}/{name}", found, created_date=created_date)
        except OSError as error:
            yield media.refused(f"{prefix}/{name}", str(error))
    manifest = manifest_of(logged.name, logged.kind, logged.metadata, list(logged.files), logged.references)
    yield in_memory(f"{prefix}/{MANIFEST}", manifest, created_date, logged.description)


def _version(run_key: str, logged: Logged, number: int, state: State) -> Version:
    return Version(
        key=f"{run_key}/{logged.name}/{logged.digest}",
        model=Model(name=logged.name, labels={"type": logged.kind}),
        version=number,
        run_key=run_key,
        file_key=f"{run_key}/{_prefix(logged, number)}/{MANIFEST}",
        description=logged.description,
        aliases=[alias for alias in logged.aliases if alias != "latest"],
        created_date=date(_created_ms(logged, state)),
    )
