"""Multipart uploads of S3: begin, inspect, join, abort."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.artifacts.base import UploadGone
from chalicelib.errors import InvalidPayload
from deardiary.wire import parts as rules
from deardiary.wire.parts import Part

_PAGE = 1000
# The error codes for a part whose bytes, or whose declared checksum, are not those of the upload.
_WRONG_PART = ("BadDigest", "InvalidPart", "InvalidDigest", "XAmzContentChecksumMismatch")
# The error codes of stores for a header that they do not know.
_UNKNOWN_HEADER = ("NotImplemented", "InvalidArgument", "InvalidRequest")

Address = dict[str, str]


def begin(client: Any, address: Address, content_type: str) -> str:
    answer = client.create_multipart_upload(**address, ContentType=content_type, ChecksumAlgorithm="SHA256")
    upload_id: str = answer["UploadId"]
    return upload_id


def missing(client: Any, address: Address, upload_id: str, parts: Sequence[Part]) -> list[Part]:
    """The parts that S3 does not have with this size and hash. Raises UploadGone."""
    found = _found(client, address, upload_id, after=parts[0].number - 1, last=parts[-1].number)
    return [part for part in parts if not _is_there(part, found)]


def join(client: Any, address: Address, upload_id: str, parts: Sequence[Part]) -> None:
    """Join the parts. InvalidPayload if one has not arrived as declared; UploadGone."""
    found = _found(client, address, upload_id, after=0, last=parts[-1].number)
    absent = [part.number for part in parts if not _is_there(part, found)]
    if absent:
        message = f"{len(absent)} of {len(parts)} parts have not arrived as declared"
        raise InvalidPayload(message, field="part_hashes", first_missing_part=absent[0])
    named = [_named(part, found[part.number]) for part in parts]
    try:
        with _upload_may_be_gone():
            client.complete_multipart_upload(**address, UploadId=upload_id, MultipartUpload={"Parts": named})
    except ClientError as error:
        listed = all("ChecksumSHA256" in found[part.number] for part in parts)
        if listed or error.response["Error"]["Code"] not in _WRONG_PART:
            raise
        # Without listed checksums the server cannot find the wrong part: the client must send all parts again.
        abort(client, address, upload_id)
        raise InvalidPayload("The parts that arrived are not as declared", field="part_hashes") from None


def require_checks(client: Any, address: Address, upload_id: str) -> None:
    """Abort the upload and raise InvalidPayload, naming `part_hashes`, if the store accepts a part with another hash.

    Not every S3-compatible store checks the SHA-256 of parts. The test is a first part that is wrong. Whatever becomes
    of it, the client replaces it.
    """
    wrong = base64.b64encode(hashlib.sha256(b"another").digest()).decode()
    try:
        client.upload_part(**address, UploadId=upload_id, PartNumber=1, Body=b"part", ChecksumSHA256=wrong)
    except ClientError as error:
        if error.response["Error"]["Code"] in _WRONG_PART:
            return
        if error.response["Error"]["Code"] not in _UNKNOWN_HEADER:
            raise
    abort(client, address, upload_id)
    message = "The store of this server does not check the SHA-256 of parts: send all bytes in one request"
    raise InvalidPayload(message, field="part_hashes", one_request=True)


def abort(client: Any, address: Address, upload_id: str) -> None:
    try:
        with _upload_may_be_gone():
            client.abort_multipart_upload(**address, UploadId=upload_id)
    except UploadGone:
        return


def composite(parts: Sequence[Part]) -> str:
    """The checksum that S3 reports for an object of these parts: SHA-256 of their concatenated SHA-256."""
    digest = hashlib.sha256(b"".join(bytes.fromhex(part.sha256) for part in parts)).digest()
    return f"{base64.b64encode(digest).decode()}-{len(parts)}"


def write(client: Any, address: Address, sha256: str, size_bytes: int, blocks: Iterable[bytes]) -> None:
    """Upload bytes from the server itself, in parts. ValueError, and no object, if their hash differs."""
    upload_id = begin(client, address, "application/octet-stream")
    digest, done = hashlib.sha256(), []
    try:
        for number, data in enumerate(_cut(blocks, rules.part_size("s3", size_bytes)), start=1):
            digest.update(data)
            checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
            which = {"UploadId": upload_id, "PartNumber": number}
            answer = client.upload_part(**address, **which, Body=data, ChecksumSHA256=checksum)
            done.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum})
        if digest.hexdigest() != sha256:
            raise ValueError("The bytes do not have the SHA-256 of their location")
        _complete(client, address, upload_id, done, size_bytes)
    except BaseException:
        abort(client, address, upload_id)
        raise


def _complete(client: Any, address: Address, upload_id: str, parts: Sequence[dict[str, Any]], size_bytes: int) -> None:
    """Join parts that this process has uploaded. UploadGone if the upload was aborted."""
    try:
        with _upload_may_be_gone():
            client.complete_multipart_upload(**address, UploadId=upload_id, MultipartUpload={"Parts": parts})
    except UploadGone:
        # S3 also answers so if the first attempt joined the parts, its answer was lost and the SDK repeated it.
        if _size_of(client, address) != size_bytes:
            raise


def _size_of(client: Any, address: Address) -> int | None:
    try:
        return int(client.head_object(**address)["ContentLength"])
    except ClientError:
        return None


def _found(client: Any, address: Address, upload_id: str, *, after: int, last: int) -> dict[int, dict[str, Any]]:
    """S3's descriptions of the parts with numbers from `after + 1` to `last`, by number."""
    found: dict[int, dict[str, Any]] = {}
    while after < last:
        most = min(_PAGE, last - after)
        with _upload_may_be_gone():
            answer = client.list_parts(**address, UploadId=upload_id, PartNumberMarker=after, MaxParts=most)
        found |= {part["PartNumber"]: part for part in answer.get("Parts", [])}
        if not answer.get("IsTruncated"):
            break
        after = answer["NextPartNumberMarker"]
    return found


def _is_there(part: Part, found: dict[int, dict[str, Any]]) -> bool:
    """True if the list has the part. Some stores list no checksums: the join compares theirs with the declared ones."""
    seen = found.get(part.number, {})
    checksum = _as_base64(part.sha256)
    return seen.get("Size") == part.size_bytes and seen.get("ChecksumSHA256", checksum) == checksum


def _named(part: Part, seen: dict[str, Any]) -> dict[str, Any]:
    return {"PartNumber": part.number, "ETag": seen["ETag"], "ChecksumSHA256": _as_base64(part.sha256)}


def _as_base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _cut(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Regroup the bytes into pieces of this size; the last one may be smaller."""
    kept = bytearray()
    for block in blocks:
        kept += block
        while len(kept) >= size:
            yield bytes(kept[:size])
            del kept[:size]
    if kept:
        yield bytes(kept)


@contextmanager
def _upload_may_be_gone() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchUpload":
            raise
        raise UploadGone from None
