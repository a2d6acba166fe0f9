"""The differences between an environment and a snapshot."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from deardiary.environment import git, lockfile
from deardiary.environment.git import GitFailed
from deardiary.environment.installed import installed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from deardiary.wire.shapes import Snapshot

# The packages of a new venv, and this package.
_TOOLS = frozenset({"pip", "setuptools", "wheel", "uv", "deardiary"})


def differences(snapshot: Snapshot, project: Path) -> tuple[str, ...]:
    """One line for each difference.

    The packages are those in ``project``'s ``.venv``, or else this Python's. A lock file may name packages that only
    other systems need; these count as missing too.
    """
    return (*_python(snapshot, project), *_commit(snapshot, project), *_packages(snapshot, project))


def _python(snapshot: Snapshot, project: Path) -> Iterator[str]:
    present = _version_of_venv(project) or platform.python_version()
    if snapshot.python_version and present != snapshot.python_version:
        yield f"python: {snapshot.python_version} then, {present} now"


def _commit(snapshot: Snapshot, project: Path) -> Iterator[str]:
    if not snapshot.git_sha:
        return
    try:
        present = git.ask(project, "rev-parse", "HEAD") if project.is_dir() else ""
    except GitFailed:
        present = ""
    if present != snapshot.git_sha:
        yield f"commit: {snapshot.git_sha} then, {present or 'no repository'} now"


def _packages(snapshot: Snapshot, project: Path) -> Iterator[str]:
    if snapshot.manifest_toml is None:
        return
    then, now = lockfile.packages_of(snapshot.manifest_toml), _installed(project)
    yield from _compare(then, now)
    if lockfile.is_made_by_us(snapshot.manifest_toml):  # the only kind that names every package
        yield from (f"{name}: not there then, {now[name]} now" for name in sorted(now.keys() - then.keys() - _TOOLS))


def _compare(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(then.keys() - _TOOLS):
        if now.get(name) != then[name]:
            yield f"{name}: {then[name]} then, {now.get(name, 'not installed')} now"


def _installed(project: Path) -> dict[str, str]:
    folders = [*project.glob(".venv/lib/python*/site-packages"), *project.glob(".venv/Lib/site-packages")]
    return installed([str(folder) for folder in folders] or None)


def _version_of_venv(project: Path) -> str | None:
    """The ``version`` in pyvenv.cfg, which uv calls ``version_info``."""
    try:
        lines = (project / ".venv" / "pyvenv.cfg").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    fields = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    found = fields.get("version") or fields.get("version_info")
    return ".".join(found.split(".")[:3]) if found else None
