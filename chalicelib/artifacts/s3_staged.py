"""Uploads to S3 of bytes whose size and hash are unknown, for clients that cannot compute a SHA-256."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.artifacts import s3, s3_parts
from chalicelib.artifacts.base import BLOCK, STAGED_LIFE, URL_LIFE, Location, UploadGone
from chalicelib.errors import InvalidPayload, NotFound

_WRONG_PARTS = ("InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML")


class S3Staging:
    def begin(self, location: Location, content_type: str) -> str:
        answer = s3.client().create_multipart_upload(**s3.address_of(location), ContentType=content_type)
        upload_id: str = answer["UploadId"]
        return upload_id

    def part_urls(self, location: Location, upload_id: str, number: int) -> list[str]:
        return [
            s3.presign("upload_part", location, {"UploadId": upload_id, "PartNumber": part}, life=STAGED_LIFE)
            for part in range(1, number + 1)
        ]

    def put_url(self, location: Location) -> str:
        return s3.presign("put_object", location, {}, life=URL_LIFE)

    def join(self, location: Location, upload_id: str, etags: Mapping[int, str]) -> None:
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(etags.items())]
        address = s3.address_of(location)
        try:
            s3.client(slow=True).complete_multipart_upload(
                **address, UploadId=upload_id, MultipartUpload={"Parts": parts}
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "NoSuchUpload":
                raise UploadGone from None
            if code in _WRONG_PARTS:
                raise InvalidPayload("The parts that arrived are not these", field="parts") from None
            raise

    def abort(self, location: Location, upload_id: str) -> None:
        s3_parts.abort(s3.client(), s3.address_of(location), upload_id)

    def size_of(self, location: Location) -> int | None:
        found = s3.head(location)
        return None if found is None else int(found["ContentLength"])

    def hash_of(self, location: Location, content_type: str) -> str:
        """S3 hashes an object when it copies it, here onto itself. Read the bytes if the store does not."""
        checksum = _copy(location, location, content_type).get("ChecksumSHA256")
        if checksum is None:
            return self._read_hash(location)
        return base64.b64decode(checksum).hex()

    def copy(self, source: Location, target: Location, content_type: str) -> None:
        _copy(source, target, content_type)

    def _read_hash(self, location: Location) -> str:
        digest = hashlib.sha256()
        with _must_exist():
            body = s3.client(slow=True).get_object(**s3.address_of(location))["Body"]
        while block := body.read(BLOCK):
            digest.update(block)
        return digest.hexdigest()


def _copy(source: Location, target: Location, content_type: str) -> dict[str, Any]:
    """Copy, and have S3 compute the SHA-256. S3 copies an object onto itself only if its metadata is replaced."""
    with _must_exist():
        answer = s3.client(slow=True).copy_object(
            **s3.address_of(target),
            CopySource=s3.address_of(source),
            ChecksumAlgorithm="SHA256",
            MetadataDirective="REPLACE",
            ContentType=content_type,
        )
    result: dict[str, Any] = answer["CopyObjectResult"]
    return result


@contextmanager
def _must_exist() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if not s3.is_absent(error):
            raise
        raise NotFound from None
