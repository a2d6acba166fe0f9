"""The values of a W&B history that are no numbers, as media files."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from deardiary.media import histogram, table, text
from deardiary.media.encoded import Encoded
from deardiary_exchange.origins import media
from deardiary_exchange.runs import File

# A larger table stays JSON: to write it as CSV needs several times its size in memory.
_TABLE_BYTES = 32 * 1024 * 1024


def files_of(key: str, step: int, time_ms: int | None, value: Any, path_of: Callable[[str], Path]) -> Iterator[File]:
    """The files of a value; none for one that W&B shows nowhere. ValueError if it cannot be a file of ours.

    ``path_of`` returns the path of a file of the run.
    """
    if isinstance(value, str):
        yield media.encoded(key, step, time_ms, ".txt", functools.partial(text.encode_text, value))
    elif isinstance(value, list):
        yield media.encoded(key, step, time_ms, ".json", functools.partial(text.encode_json, value))
    elif isinstance(value, dict) and "_type" in value:
        yield from _typed(key, step, time_ms, value, path_of)


def _typed(
    key: str, step: int, time_ms: int | None, value: Mapping[str, Any], path_of: Callable[[str], Path]
) -> Iterator[File]:
    if value["_type"] == "histogram":
        yield media.encoded(key, step, time_ms, ".json", functools.partial(_histogram, value))
    elif isinstance(value.get("filenames"), list):  # several images of one step
        captions = value.get("captions") or []
        for index, name in enumerate(value["filenames"]):
            caption = str(captions[index]) if index < len(captions) and captions[index] else ""
            yield media.stored(key, step, time_ms, path_of(name), index=index, caption=caption)
    elif isinstance(value.get("path"), str):
        yield _of_path(key, step, time_ms, value, path_of(value["path"]))


def paths_of(value: Any) -> Iterator[str]:
    """The paths below the run's files that a value names."""
    if isinstance(value, dict):
        found = value.get("filenames", [value.get("path")])
        yield from (path for path in found if isinstance(path, str)) if isinstance(found, list) else ()


def _of_path(key: str, step: int, time_ms: int | None, value: Mapping[str, Any], path: Path) -> File:
    caption = str(value.get("caption") or "")
    is_table = path.name.endswith(".table.json")
    if is_table and path.is_file() and path.stat().st_size <= _TABLE_BYTES:
        return media.encoded(key, step, time_ms, ".csv", functools.partial(_table, path), caption=caption)
    return media.stored(key, step, time_ms, path, caption=caption)


def _table(path: Path) -> Encoded:
    found = json.loads(path.read_bytes())
    names = [str(each) for each in found["columns"]]
    columns = zip(*found["data"], strict=True) if found["data"] else ([] for _ in names)
    return table.encode(dict(zip(names, columns, strict=True)))


def _histogram(value: Mapping[str, Any]) -> Encoded:
    packed = value.get("packedBins")
    if packed:
        edges = [packed["min"] + packed["size"] * number for number in range(int(packed["count"]) + 1)]
    else:
        edges = value["bins"]
    return histogram.encode(counts=value["values"], edges=edges)
