"""The differences between an environment and a snapshot."""

import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from deardiary.environment import git
from deardiary.environment.git import GitFailed
from deardiary.environment.kinds.julia import JULIA
from deardiary.environment.kinds.kind import Kind, NotComparable, Present
from deardiary.environment.kinds.python import is_made_by_us
from deardiary.environment.lockfile import kind_of
from deardiary.wire.shapes import Snapshot


class Comparison(NamedTuple):
    """A line for each difference, for the compared packages, and for those that cannot be compared."""

    differences: tuple[str, ...]
    compared: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()


def compare(snapshot: Snapshot, project: Path) -> Comparison:
    """Compare Python, commit and packages with those of ``project``, as the kind of the lock file finds them.

    A lock file may name packages that only other systems need; these count as missing too.
    """
    kind = kind_of(snapshot.manifest_toml, snapshot.project_toml)
    commit = tuple(_commit(snapshot, project))
    if snapshot.manifest_toml is None:
        return Comparison((*_python(snapshot, None), *commit))
    try:
        then = _locked(snapshot, kind, snapshot.manifest_toml)
        present = kind.present(project, then)
    except NotComparable as error:
        return Comparison((*_python(snapshot, None), *commit), not_compared=(f"packages of {kind.name}: {error}",))
    packages = _packages(then, present.versions, kind, is_whole=is_made_by_us(snapshot.manifest_toml))
    differences = (*_python(snapshot, present), *commit, *packages)
    return Comparison(differences, compared=(f"{_count(then)} of {kind.name} with {present.source}",))


def _count(packages: Mapping[str, str]) -> str:
    return f"{len(packages)} package{'' if len(packages) == 1 else 's'}"


def _locked(snapshot: Snapshot, kind: Kind, text: str) -> Mapping[str, str]:
    """The versions in the lock file. The Julia that ran replaces the Julia that wrote the manifest."""
    julia = {"julia": snapshot.julia_version} if kind is JULIA and snapshot.julia_version else {}
    return {**kind.versions(text), **julia}


def _python(snapshot: Snapshot, present: Present | None) -> Iterator[str]:
    now = (present and present.python) or platform.python_version()
    if snapshot.python_version and now != snapshot.python_version:
        yield f"python: {snapshot.python_version} then, {now} now"


def _commit(snapshot: Snapshot, project: Path) -> Iterator[str]:
    if not snapshot.git_sha:
        return
    try:
        present = git.ask(project, "rev-parse", "HEAD") if project.is_dir() else ""
    except GitFailed:
        present = ""
    if present != snapshot.git_sha:
        yield f"commit: {snapshot.git_sha} then, {present or 'no repository'} now"


def _packages(then: Mapping[str, str], now: Mapping[str, str], kind: Kind, *, is_whole: bool) -> Iterator[str]:
    for name in sorted(then.keys() - kind.ignored):
        if now.get(name) != then[name]:
            yield f"{name}: {then[name]} then, {now.get(name, 'not installed')} now"
    if is_whole:  # the only kind that names every package
        yield from (
            f"{name}: not there then, {now[name]} now" for name in sorted(now.keys() - then.keys() - kind.ignored)
        )
