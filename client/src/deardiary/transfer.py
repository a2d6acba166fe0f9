"""Bytes between files and the artifact store, by requests that the API has signed. No token is sent with them."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

from deardiary.errors import ClientError, from_store
from deardiary.transport import FileSlice, Readable, Request, Response, Transport

if TYPE_CHECKING:
    from pathlib import Path

    from deardiary.shapes import Download, UploadRequest

_BLOCK = 1024 * 1024


def size_and_hash(path: Path) -> tuple[int, str]:
    """Bytes of a file and their sha256, as lower-case hex."""
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size_bytes += len(block)
    return size_bytes, digest.hexdigest()


def upload(transport: Transport, signed: UploadRequest, path: Path) -> None:
    """Make one request of an upload, with the part of the file that belongs to it."""
    body = FileSlice(path, signed.offset, signed.size_bytes)
    request = Request(method=signed.method, url=signed.url, headers=signed.headers, body=body, repeatable=True)
    _checked(transport.send(request)).close()


def download(transport: Transport, source: Download, target: Path) -> None:
    """Bring bytes to ``target``, which is replaced when all of them are there with the right hash, and not before."""
    part = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            response = _checked(transport.send(Request(method="GET", url=source.url, streamed=True)))
            with closing(response):
                _copy(response.stream, file, source)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _copy(stream: Readable, file: BinaryIO, source: Download) -> None:
    digest, size_bytes = hashlib.sha256(), 0
    # A store that sends more than it declared must not fill the disk.
    while size_bytes <= source.size_bytes and (block := stream.read(_BLOCK)):
        file.write(block)
        digest.update(block)
        size_bytes += len(block)
    if size_bytes != source.size_bytes:
        raise _mismatch(f"{size_bytes} bytes or more came instead of {source.size_bytes}")
    if digest.hexdigest() != source.content_hash:
        raise _mismatch(f"their sha256 is {digest.hexdigest()} instead of {source.content_hash}")


def _checked(response: Response) -> Response:
    if 200 <= response.status < 300:
        return response
    raise from_store(response.status, response.read())


def _mismatch(reason: str) -> ClientError:
    return ClientError(0, "CONTENT_MISMATCH", f"The bytes are not those of the resource: {reason}")
