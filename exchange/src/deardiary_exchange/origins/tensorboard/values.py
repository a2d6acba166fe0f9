"""The values of an event: points, or media files that are read again when their bytes are needed."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Literal

from deardiary.media import histogram, text
from deardiary.media.encoded import Encoded
from deardiary_exchange.origins import media as files_of_media
from deardiary_exchange.origins.tensorboard import tensors
from deardiary_exchange.origins.tensorboard.events import Position, value_at
from deardiary_exchange.runs import File

Kind = Literal["images", "audio", "histograms", "text"]

_SUFFIXES = {b"\x89PNG": ".png", b"\xff\xd8": ".jpg", b"GIF8": ".gif", b"RIFF": ".wav"}


def scalar(value: Any, plugin: str) -> float | None:
    """The value as a point; None if it is none. A float32 becomes the same float64."""
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    return tensors.scalar(value.tensor) if kind == "tensor" and plugin in ("scalars", "") else None


def media(value: Any, plugin: str) -> Kind | None:
    """What kind of media the value is; None for points and for other plugins."""
    kind = value.WhichOneof("value")
    given: dict[str, Kind] = {"image": "images", "histo": "histograms", "audio": "audio"}
    if kind in given:
        return given[kind]
    known: dict[str, Kind] = {"images": "images", "audio": "audio", "histograms": "histograms", "text": "text"}
    return known.get(plugin) if kind == "tensor" else None


def files(value: Any, step: int, time_ms: int, kind: Kind, position: Position) -> Iterator[File]:
    """The files of a value. ValueError if its key cannot be a part of a path."""
    key = value.tag.removesuffix("/text_summary") if kind == "text" else value.tag
    if kind == "histograms":
        yield files_of_media.encoded(key, step, time_ms, ".json", functools.partial(_histogram, position))
        return
    found = _contents(value, kind)
    for index, content in enumerate(found):
        suffix = ".txt" if kind == "text" else _suffix(content)
        number = index if len(found) > 1 else None
        encode = functools.partial(_content, position, kind, index, suffix)
        yield files_of_media.encoded(key, step, time_ms, suffix, encode, index=number)


def _contents(value: Any, kind: Kind) -> list[bytes]:
    if value.WhichOneof("value") == "image":
        return [value.image.encoded_image_string]
    if value.WhichOneof("value") == "audio":
        return [value.audio.encoded_audio_string]
    found = tensors.texts(value.tensor)
    if kind == "images":
        return found[2:]  # behind width and height
    # Sounds come in pairs with their labels.
    return found[::2] if kind == "audio" and len(value.tensor.tensor_shape.dim) == 2 else found


def _content(position: Position, kind: Kind, index: int, suffix: str) -> Encoded:
    content = _contents(value_at(position), kind)[index]
    return text.encode_text(content.decode("utf-8", "replace")) if kind == "text" else Encoded(content, suffix)


def _histogram(position: Position) -> Encoded:
    value = value_at(position)
    if value.WhichOneof("value") == "tensor":
        rows = tensors.array(value.tensor)  # left edge, right edge, count
        rows = rows[rows[:, 1] > rows[:, 0]] if len(rows) else rows
        return _encoded([*rows[:, 0].tolist(), *rows[-1:, 1].tolist()], rows[:, 2].tolist())
    limits, counts = list(value.histo.bucket_limit), list(value.histo.bucket)
    # A bucket has only its upper end; the first begins at the minimum, the last ends at the maximum.
    if counts and counts[0] == 0:
        return _encoded([*limits], counts[1:])
    low = value.histo.min if limits and value.histo.min < limits[0] else (limits[0] - 1 if limits else 0.0)
    return _encoded([low, *limits], counts)


def _encoded(edges: list[float], counts: list[float]) -> Encoded:
    if not counts:
        edges, counts = [0.0, 1.0], [0.0]
    finite = [min(max(each, -1.7e308), 1.7e308) for each in edges]
    return histogram.encode(counts=counts, edges=finite)


def _suffix(content: bytes) -> str:
    return next((suffix for start, suffix in _SUFFIXES.items() if content.startswith(start)), ".bin")
