"""Aim's images, texts, sounds, figures and distributions, as media files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy

from deardiary.media import histogram, text
from deardiary.media.encoded import Encoded
from deardiary_exchange.origins import media
from deardiary_exchange.origins.aim.sequences import Sequence, Value
from deardiary_exchange.origins.aim.store import Blob, Custom
from deardiary_exchange.runs import File

_KINDS = ("aim.image", "aim.text", "aim.audio", "aim.figure", "aim.distribution")


def is_known(kind: str) -> bool:
    """True for a sequence whose values become files; ``list(aim.image)`` is one of several images a step."""
    return kind.removeprefix("list(").removesuffix(")") in _KINDS


def files(sequence: Sequence, value: Value) -> Iterator[File]:
    several = isinstance(value.content, list)
    for index, each in enumerate(value.content if several else [value.content]):
        try:
            yield _file(sequence.key, value, each, index if several else None)
        except ValueError as error:
            yield media.refused(f"media/{sequence.key}/{value.step}", str(error))


def _file(key: str, value: Value, content: Any, index: int | None) -> File:
    if not isinstance(content, Custom) or content.name not in _KINDS or not isinstance(content.fields["data"], Blob):
        raise ValueError("it is of an unknown kind")
    fields = content.fields
    caption = str(fields.get("caption") or "")
    suffix, encode = _encoder(content.name, fields)
    return media.encoded(key, value.step, value.time_ms, suffix, encode, index=index, caption=caption)


def _encoder(kind: str, fields: dict[str, Any]) -> Any:
    data: Blob = fields["data"]
    if kind == "aim.text":
        return ".txt", lambda: text.encode_text(data.read())
    if kind == "aim.distribution":
        return ".json", partial(_histogram, fields)
    suffix = ".json" if kind == "aim.figure" else f".{fields.get('format') or 'bin'}".lower()
    return suffix, lambda: Encoded(_bytes(data.read()), suffix)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _histogram(fields: dict[str, Any]) -> Encoded:
    counts = numpy.frombuffer(fields["data"].read(), dtype=fields["dtype"], count=fields["bin_count"])
    low, high = fields["range"]
    edges = numpy.linspace(low, high, num=fields["bin_count"] + 1)
    return histogram.encode(counts=counts.tolist(), edges=edges.tolist())
