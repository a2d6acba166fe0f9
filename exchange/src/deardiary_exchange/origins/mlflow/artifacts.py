"""The artifacts of MLflow's runs in folders of this machine, wherever the record says that they are."""

from __future__ import annotations

import functools
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from deardiary_exchange.origins.mlflow.form import StoredFile, path_of

# Folders beside the database in which MLflow keeps artifacts by default.
_DEFAULTS = ("mlruns", "mlartifacts")


def roots(folder: Path, given: Path | None) -> list[Path]:
    """Where to look for artifacts that are not at the path of their record."""
    return [given] if given else [folder, *(folder / name for name in _DEFAULTS)]


def files(uri: str, among: Sequence[Path]) -> Iterator[StoredFile]:
    """The files of a folder of artifacts. OSError if it is on another machine or in another store."""
    folder = _folder(uri, among)
    if folder is None:
        return
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield StoredFile(path.relative_to(folder).as_posix(), functools.partial(open_file, path), path)


def open_file(path: Path) -> BinaryIO:
    return path.open("rb")


def _folder(uri: str, among: Sequence[Path]) -> Path | None:
    """The folder of this URI. None if there is only that of its experiment: MLflow creates it with the first file."""
    candidates = list(_candidates(uri, among))
    found = next((each for each in candidates if each.is_dir()), None)
    if found is None and not any(each.parent.parent.is_dir() for each in candidates):
        where = "not on this machine; copy them into a folder" if path_of(uri) is None else "there is no such folder"
        raise OSError(f"{where}. Name the folder that has them with --artifacts")
    return found


def _candidates(uri: str, among: Sequence[Path]) -> Iterator[Path]:
    """The path itself, and those of EXPERIMENT/RUN/artifacts or of more of its end below each root."""
    path = path_of(uri)
    if path is not None:
        yield Path(path)
    parts = [part for part in urllib.parse.urlsplit(uri).path.split("/") if part]
    for root in among:
        for start in range(max(len(parts) - 2, 0)):
            yield root.joinpath(*parts[start:])
