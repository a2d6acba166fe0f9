"""W&B's artifacts as versions of models, with the files and the manifest that `deardiary.wandb` writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from deardiary_exchange.origins.artifacts import MANIFEST, in_memory, manifest_of
from deardiary_exchange.origins.origin import date
from deardiary_exchange.origins.wandb.state import Logged, State
from deardiary_exchange.runs import File, Model, Version


class Artifacts:
    """The artifacts of the runs of a folder. Offline they have no numbers: they count in the order of the runs."""

    def __init__(self) -> None:
        self._versions: dict[str, list[Version]] = {}
        self._digests: dict[str, str] = {}

    def take(self, run_key: str, state: State) -> list[File]:
        """The files of the artifacts of one run."""
        files: list[File] = []
        for logged in state.artifacts:
            before = self._versions.setdefault(logged.name, [])
            if before and self._digests[logged.name] == logged.digest:
                continue  # W&B gives the same content no new version
            self._digests[logged.name] = logged.digest
            prefix = f"artifacts/{logged.name}/{len(before) + 1}"
            manifest = manifest_of(logged.name, logged.kind, logged.metadata, list(logged.files), logged.references)
            files += [
                File.of_path(f"{prefix}/{name}", Path(path), created_date=date(state.last_ms))
                for name, path in logged.files.items()
            ]
            files.append(in_memory(f"{prefix}/{MANIFEST}", manifest, date(state.last_ms), logged.description))
            before.append(_version(run_key, logged, len(before) + 1, state, f"{prefix}/{MANIFEST}"))
        return files

    def versions(self) -> Iterator[Version]:
        for versions in self._versions.values():
            taken: set[str] = set()
            # An alias names the last version that was given it.
            unique = []
            for each in reversed(versions):
                unique.append((each, [alias for alias in each.aliases if alias not in taken]))
                taken.update(each.aliases)
            for each, aliases in reversed(unique):
                yield _with_aliases(each, aliases)


def _version(run_key: str, logged: Logged, number: int, state: State, manifest: str) -> Version:
    return Version(
        key=f"{run_key}/{logged.name}/{logged.digest}",
        model=Model(name=logged.name, labels={"type": logged.kind}),
        version=number,
        run_key=run_key,
        file_key=f"{run_key}/{manifest}",
        description=logged.description,
        aliases=[alias for alias in logged.aliases if alias != "latest"],
        created_date=date(state.last_ms),
    )


def _with_aliases(version: Version, aliases: list[str]) -> Version:
    return replace(version, aliases=aliases)
