"""PNG images from rows of pixels (W3C PNG specification, third edition), without a package."""

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # grey, grey and alpha, RGB, RGB and alpha


def encode(pixels: bytes, width: int, height: int, channels: int) -> bytes:
    """The image of 8-bit pixels, row by row."""
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    data = zlib.compress(_unfiltered(pixels, width * channels), 6)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _unfiltered(pixels: bytes, row: int) -> bytes:
    return b"".join(b"\0" + pixels[at : at + row] for at in range(0, len(pixels), row))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
