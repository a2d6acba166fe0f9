"""Folders and the names that their files have as resources: relative, with slashes, on every system."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NAME = 255
# Windows takes it for a drive wherever it stands.
_DRIVE = re.compile(r"[A-Za-z]:")


def files_in(folder: Path, prefix: str = "") -> list[tuple[str, Path]]:
    """Every file below, with its name. ValueError for a name that a resource cannot have; links to folders stay out.

    Devices, sockets and pipes are no files.
    """
    found = [(_name(path, folder, prefix), path) for path in sorted(_walk(folder))]
    long = next((name for name, _ in found if len(name) > MAX_NAME), None)
    if long is not None:
        raise ValueError(f"The name of a resource has at most {MAX_NAME} characters: {long!r}")
    return found


def place_of(name: str, root: Path) -> Path:
    """Where a resource's file goes below the root. ValueError for a name that leads elsewhere, or names no file.

    Somebody else may have chosen the name, so everything is refused that any system takes for a way out.
    """
    steps = name.replace("\\", "/").split("/")
    if any(map(has_drive, steps)) or "\0" in name or name[:1] in ("/", "\\") or ".." in steps:
        raise ValueError(f"The resource's name {name!r} leads out of the folder")
    if steps[-1] in ("", "."):
        raise ValueError(f"The resource's name {name!r} names no file")
    return root.joinpath(*(step for step in steps if step not in ("", ".")))


def has_drive(step: str) -> bool:
    """Whether a part of a path is one that leads to another drive on Windows."""
    return bool(_DRIVE.match(step))


def checked_name(name: str) -> str:
    """A name that can be downloaded into a folder again. ValueError for any other one."""
    place_of(name, Path("/"))
    return name


def make_way(root: Path, place: Path) -> None:
    """The folders above a place. ValueError when a link stands in the way: it may lead anywhere."""
    for folder in reversed([each for each in place.parents if root in each.parents]):
        if folder.is_symlink():
            raise ValueError(f"{folder} is a link, and may lead out of {root}")
        folder.mkdir(exist_ok=True)


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for above, _, names in os.walk(folder, onerror=fail):
        yield from (path for name in names if (path := Path(above, name)).is_file())


def _name(path: Path, folder: Path, prefix: str) -> str:
    relative = path.relative_to(folder).as_posix()
    return f"{prefix.rstrip('/')}/{relative}" if prefix else relative
