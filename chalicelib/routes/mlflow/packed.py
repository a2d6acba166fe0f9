"""Long texts as short labels: schemas and profiles of data sets compress to a tenth."""

from __future__ import annotations

import base64
import binascii
import zlib

from chalicelib.routes.mlflow.limits import MAX_DATASET_PROFILE_CHARACTERS

# No JSON begins so.
_MARK = "zlib:"
_SHORT_CHARACTERS = 2000
_MOST_BYTES = 4 * MAX_DATASET_PROFILE_CHARACTERS


def pack(text: str) -> str:
    """The text, compressed if it is long."""
    if len(text) <= _SHORT_CHARACTERS and not text.startswith(_MARK):
        return text
    return _MARK + base64.b85encode(zlib.compress(text.encode(), 9)).decode()


def unpack(packed: str) -> str:
    """The text of `pack`, or the same text if another client wrote it."""
    if not packed.startswith(_MARK):
        return packed
    try:
        # Another client may have written it: do not let it fill the memory.
        return zlib.decompressobj().decompress(base64.b85decode(packed.removeprefix(_MARK)), _MOST_BYTES).decode()
    except (binascii.Error, ValueError, zlib.error):
        return packed
