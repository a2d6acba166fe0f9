"""Artifact bytes in S3, by presigned URLs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib import clock, config
from chalicelib.artifacts import s3_parts
from chalicelib.artifacts.base import BLOCK, URL_LIFE, Location
from chalicelib.artifacts.naming import content_disposition
from chalicelib.aws import clients
from chalicelib.errors import InvalidPayload, NotFound
from deardiary.wire import limits
from deardiary.wire import parts as rules
from deardiary.wire.parts import Part
from deardiary.wire.shapes import Download, Resource, Upload, UploadRequest

# The server may not list the bucket, so S3 answers 403 instead of 404 for a missing object.
_ABSENT = (403, 404)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MAX_PUT = 5 * limits.GIB


class S3Store:
    def uri(self, location: Location) -> str:
        return f"s3://{config.settings().artifact_bucket}/{location.path}"

    def upload(self, location: Location, size_bytes: int, content_type: str, site: str) -> Upload:
        if size_bytes > MAX_PUT:
            raise InvalidPayload("More than 5 GiB go in parts: declare part_hashes", field="part_hashes")
        checksum = as_base64(location.sha256)
        pinned = {"ContentLength": size_bytes, "ContentType": content_type, "ChecksumSHA256": checksum}
        headers = {
            "Content-Length": str(size_bytes),
            "Content-Type": content_type,
            "x-amz-checksum-sha256": checksum,
        }
        url = presign("put_object", location, pinned)
        request = UploadRequest(method="PUT", url=url, headers=headers, offset=0, size_bytes=size_bytes)
        return Upload(requests=(request,), expires_at=clock.now() + URL_LIFE)

    def begin(self, location: Location, content_type: str) -> str:
        upload_id = s3_parts.begin(client(), address_of(location), content_type)
        if config.settings().artifact_store:
            s3_parts.require_checks(client(), address_of(location), upload_id)
        return upload_id

    def upload_parts(self, location: Location, upload_id: str, parts: Sequence[Part], site: str) -> Upload:
        missing = s3_parts.missing(client(), address_of(location), upload_id, parts)
        requests = tuple(_part_request(location, upload_id, part) for part in missing)
        return Upload(requests=requests, expires_at=clock.now() + URL_LIFE)

    def join(self, location: Location, upload_id: str, parts: Sequence[Part]) -> None:
        s3_parts.join(client(slow=True), address_of(location), upload_id, parts)

    def abort(self, location: Location, upload_id: str) -> None:
        s3_parts.abort(client(), address_of(location), upload_id)

    def verify(self, location: Location, size_bytes: int, parts: Sequence[Part]) -> None:
        found = head(location)
        if found is None:
            raise InvalidPayload("The bytes have not arrived", field="content_hash")
        if found["ContentLength"] != size_bytes:
            raise InvalidPayload(f"{found['ContentLength']} bytes arrived, {size_bytes} declared", field="size_bytes")
        if "ChecksumSHA256" not in found:
            raise InvalidPayload(
                "The store keeps no SHA-256 of the bytes, so nothing proves them", field="content_hash"
            )
        right = {as_base64(location.sha256)} | ({s3_parts.composite(parts)} if parts else set())
        if found["ChecksumSHA256"] not in right:
            raise InvalidPayload("The bytes that arrived do not have the declared SHA-256", field="content_hash")

    def size_of(self, location: Location) -> int | None:
        found = head(location)
        return None if found is None else int(found["ContentLength"])

    def download(self, location: Location, resource: Resource, site: str) -> Download:
        answer = {
            "ResponseContentDisposition": content_disposition(resource.name),
            "ResponseContentType": resource.content_type,
            "ResponseCacheControl": "private, no-store",
        }
        return Download(
            url=presign("get_object", location, answer),
            expires_at=clock.now() + URL_LIFE,
            size_bytes=resource.size_bytes,
            content_hash=resource.content_hash,
        )

    def write(self, location: Location, size_bytes: int, blocks: Iterable[bytes]) -> None:
        if rules.cut("s3", size_bytes):
            s3_parts.write(client(slow=True), address_of(location), location.sha256, size_bytes, blocks)
            return
        data = b"".join(blocks)
        if hashlib.sha256(data).hexdigest() != location.sha256:
            raise ValueError("The bytes do not have the SHA-256 of their location")
        # Store the checksum: `verify` reads it if a resource has the same bytes.
        pinned = {"ChecksumSHA256": as_base64(location.sha256), "ContentType": "application/octet-stream"}
        client(slow=True).put_object(**address_of(location), Body=data, **pinned)

    def blocks(self, location: Location) -> Iterator[bytes]:
        try:
            body = client(slow=True).get_object(**address_of(location))["Body"]
        except ClientError as error:
            if not is_absent(error):
                raise
            raise NotFound from None
        return iter(lambda: body.read(BLOCK), b"")

    def delete(self, location: Location) -> None:
        client().delete_object(**address_of(location))


def client_and_bucket() -> tuple[Any, str]:
    """The client of the store that the settings name, and its bucket."""
    return client(), config.settings().artifact_bucket


def origin() -> str | None:
    """The web origin of presigned URLs, without loading botocore's description of S3; None without a bucket."""
    settings = config.settings()
    if not settings.artifact_bucket:
        return None
    if settings.artifact_store:
        scheme, _, host = settings.artifact_store.endpoint_url.partition("://")
        return (
            f"{scheme}://{settings.artifact_bucket}.{host}" if settings.artifact_store.virtual else f"{scheme}://{host}"
        )
    if settings.endpoint_url:
        return settings.endpoint_url.rstrip("/")
    suffix = "amazonaws.com.cn" if settings.region.startswith("cn-") else "amazonaws.com"
    return f"https://{settings.artifact_bucket}.s3.{settings.region}.{suffix}"


def as_base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _part_request(location: Location, upload_id: str, part: Part) -> UploadRequest:
    checksum = as_base64(part.sha256)
    pinned = {
        "UploadId": upload_id,
        "PartNumber": part.number,
        "ContentLength": part.size_bytes,
        "ChecksumSHA256": checksum,
    }
    return UploadRequest(
        method="PUT",
        url=presign("upload_part", location, pinned),
        headers={"Content-Length": str(part.size_bytes), "x-amz-checksum-sha256": checksum},
        offset=part.offset,
        size_bytes=part.size_bytes,
        part_number=part.number,
    )


def presign(operation: str, location: Location, params: dict[str, Any], *, life: timedelta = URL_LIFE) -> str:
    url: str = client().generate_presigned_url(
        operation, Params=address_of(location) | params, ExpiresIn=int(life.total_seconds())
    )
    return url


def head(location: Location) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client().head_object(**address_of(location), ChecksumMode="ENABLED")
    except ClientError as error:
        if not is_absent(error):
            raise
        return None
    return found


def is_absent(error: ClientError) -> bool:
    return error.response["ResponseMetadata"]["HTTPStatusCode"] in _ABSENT


def address_of(location: Location) -> dict[str, str]:
    return {"Bucket": config.settings().artifact_bucket, "Key": location.path}


def client(*, slow: bool = False) -> Any:
    settings = config.settings()
    store = settings.artifact_store
    # An emulator on loopback has no host name for each bucket.
    virtual = store.virtual if store else settings.endpoint_url is None
    return clients.client("s3", _OPTIONS[virtual, slow], store)


def _make_options(*, virtual: bool, slow: bool) -> Config:
    # By default botocore presigns with SigV2, on the global host, and adds checksums of its own.
    options = Config(
        signature_version="s3v4",
        s3={
            "addressing_style": "virtual" if virtual else "path",
            "us_east_1_regional_endpoint": "regional",
        },
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    # S3 needs long to join many parts; the waiting request has 29 seconds.
    patient = Config(read_timeout=22, retries={"total_max_attempts": 2, "mode": "standard"})
    return options.merge(patient) if slow else options


# One object for each kind, because it is a cache key of clients.
_EITHER = (False, True)
_OPTIONS = {(virtual, slow): _make_options(virtual=virtual, slow=slow) for virtual in _EITHER for slow in _EITHER}
