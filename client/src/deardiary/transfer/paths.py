"""The names of a folder's files as resources: relative, with slashes, on every system."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from deardiary.wire import limits

# Windows reads this as a drive in any part of a path.
_DRIVE = re.compile(r"[A-Za-z]:")


def files_in(folder: Path, prefix: str = "") -> list[tuple[str, Path]]:
    """Every regular file below the folder, with its resource name. ValueError for a name that is too long.

    Links to folders are not followed; devices, sockets and pipes are left out.
    """
    found = [(_name(path, folder, prefix), path) for path in sorted(_walk(folder))]
    long = next((name for name, _ in found if len(name) > limits.MAX_NAME_CHARACTERS), None)
    if long is not None:
        raise ValueError(f"The name of a resource has at most {limits.MAX_NAME_CHARACTERS} characters: {long!r}")
    return found


def path_of(name: str, root: Path) -> Path:
    """The path of a resource's file below the root. ValueError for a name that leaves the root or names no file.

    Another user may have chosen the name, so refuse every path that leaves the root on any system.
    """
    parts = name.replace("\\", "/").split("/")
    if any(map(has_drive, parts)) or "\0" in name or name[:1] in ("/", "\\") or ".." in parts:
        raise ValueError(f"The resource's name {name!r} leads out of the folder")
    if parts[-1] in ("", "."):
        raise ValueError(f"The resource's name {name!r} names no file")
    return root.joinpath(*(part for part in parts if part not in ("", ".")))


def has_drive(step: str) -> bool:
    """True if a part of a path names a drive on Windows."""
    return bool(_DRIVE.match(step))


def checked_name(name: str) -> str:
    """The name, if its file can be downloaded into a folder. ValueError for any other name."""
    path_of(name, Path("/"))
    return name


def create_folders(root: Path, path: Path) -> None:
    """Create the folders between the root and a path. ValueError if one is a link, which may leave the root."""
    for folder in reversed([each for each in path.parents if root in each.parents]):
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
