"""Finding the project of a script: its folder, and the kind of its lock file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from deardiary.environment.kinds.kind import PYPROJECT, Kind, first_in
from deardiary.environment.lockfile import OTHERS, PYTHON


class Project(NamedTuple):
    """A project's folder, and the kind of its lock file; None without one."""

    folder: Path
    kind: Kind | None


def find_project(start: Path, root: Path | None) -> Project:
    """The nearest project of Python from ``start`` up to ``root``, or else of Julia or R; ``start`` without any."""
    for kinds in (PYTHON, OTHERS):
        folder = _nearest(start, root, _holds(kinds))
        if folder is not None:
            return Project(folder, next((kind for kind in kinds if kind.is_in(folder)), None))
    return Project(start, None)


def folder_for(kind: Kind, start: Path, root: Path) -> Path:
    """The folder of a checkout in which a lock file of this kind was: the nearest such project from ``start``."""
    kinds = PYTHON if kind in PYTHON else (kind,)
    with_lock = _nearest(start, root, _holds(kinds))
    return with_lock or _nearest(start, root, lambda folder: first_in(folder, kind.projects) is not None) or start


def _holds(kinds: tuple[Kind, ...]) -> Callable[[Path], bool]:
    names = (PYPROJECT,) if kinds is PYTHON else ()
    return lambda folder: first_in(folder, names) is not None or any(kind.is_in(folder) for kind in kinds)


def _nearest(start: Path, root: Path | None, is_project: Callable[[Path], bool]) -> Path | None:
    return next((folder for folder in _upwards(start, root) if is_project(folder)), None)


def _upwards(start: Path, root: Path | None) -> Iterator[Path]:
    """The folders from ``start`` up to ``root``; ``start`` alone without a root."""
    for folder in (start, *start.parents):
        yield folder
        if folder == root or root is None:
            return
