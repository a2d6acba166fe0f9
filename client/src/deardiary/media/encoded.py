"""A value as the content of a file."""

import os
from pathlib import Path
from typing import NamedTuple


class Encoded(NamedTuple):
    """``content``: bytes, or the path of a file that has them. ``suffix``: such as ``.png``."""

    content: bytes | Path
    suffix: str


def given(what: str, value: object, form: str | None, kinds: dict[bytes, str]) -> Encoded | None:
    """A path or bytes, unchanged; None for any other value.

    Bytes have the suffix of ``form``, or of the first of ``kinds`` with which they begin. ValueError if it is unknown,
    OSError if there is no such file.
    """
    if isinstance(value, (str, os.PathLike)):
        path = Path(value)
        if not path.is_file():
            raise FileNotFoundError(f"There is no file {path} with this {what}")
        return Encoded(path, f".{form}" if form else path.suffix.lower())
    if not isinstance(value, (bytes, bytearray, memoryview)):
        return None
    content = bytes(value)
    known = (suffix for start, suffix in kinds.items() if content.startswith(start))
    suffix = f".{form}" if form else next(known, None)
    if suffix is None:
        raise ValueError(f"The bytes of this {what} are of an unknown form: name it, such as form={form_of(kinds)!r}")
    return Encoded(content, suffix)


def form_of(kinds: dict[bytes, str]) -> str:
    return next(iter(kinds.values()), ".bin")[1:]
