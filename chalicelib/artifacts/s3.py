"""Artifact bytes in S3, by presigned URLs."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib import aws, clock, config
from chalicelib.artifacts.base import Location
from chalicelib.errors import InvalidPayload, NotFound
from deardiary.shapes import Download, Resource, Upload, UploadRequest

# Long enough to begin a transfer; the URL would die with the role's credentials anyway, and another is one call away.
URL_LIFE = timedelta(minutes=15)


class S3Store:
    def uri(self, location: Location) -> str:
        return f"s3://{config.settings().artifact_bucket}/{location.path}"

    def upload(self, location: Location, size_bytes: int, content_type: str) -> Upload:
        checksum = _base64(location.sha256)
        pinned = {"ContentLength": size_bytes, "ContentType": content_type, "ChecksumSHA256": checksum}
        headers = {
            "Content-Length": str(size_bytes),
            "Content-Type": content_type,
            "x-amz-checksum-sha256": checksum,
        }
        url = _presign("put_object", location, pinned)
        request = UploadRequest(method="PUT", url=url, headers=headers, offset=0, size_bytes=size_bytes)
        return Upload(requests=(request,), expires_at=clock.now() + URL_LIFE)

    def verify(self, location: Location, size_bytes: int) -> None:
        try:
            found = _client().head_object(**_place(location), ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            raise InvalidPayload("The bytes have not arrived", field="content_hash") from None
        if found["ContentLength"] != size_bytes:
            raise InvalidPayload(f"{found['ContentLength']} bytes arrived, {size_bytes} declared", field="size_bytes")
        if found.get("ChecksumSHA256") != _base64(location.sha256):
            raise InvalidPayload("The bytes that arrived do not have the declared SHA-256", field="content_hash")

    def download(self, location: Location, resource: Resource, content_type: str) -> Download:
        answer = {
            "ResponseContentDisposition": content_disposition(resource.name),
            "ResponseContentType": content_type,
            "ResponseCacheControl": "private, no-store",
        }
        return Download(
            url=_presign("get_object", location, answer),
            expires_at=clock.now() + URL_LIFE,
            size_bytes=resource.size_bytes,
            content_hash=resource.content_hash,
        )

    def write(self, location: Location, data: bytes) -> None:
        # The checksum is what `verify` asks for, should a resource have the same bytes.
        pinned = {"ChecksumSHA256": _base64(location.sha256), "ContentType": "text/plain; charset=utf-8"}
        _client().put_object(**_place(location), Body=data, **pinned)

    def read(self, location: Location) -> bytes:
        try:
            data: bytes = _client().get_object(**_place(location))["Body"].read()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            raise NotFound from None
        return data

    def delete(self, location: Location) -> None:
        _client().delete_object(**_place(location))


def content_disposition(name: str) -> str:
    """Always a download, never a page; the name as ASCII for old readers and exactly after RFC 6266."""
    last = name.replace("\\", "/").rpartition("/")[2] or "download"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in last)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(last, safe='')}"


def _presign(operation: str, location: Location, params: dict[str, Any]) -> str:
    url: str = _client().generate_presigned_url(
        operation, Params=_place(location) | params, ExpiresIn=int(URL_LIFE.total_seconds())
    )
    return url


def _place(location: Location) -> dict[str, str]:
    return {"Bucket": config.settings().artifact_bucket, "Key": location.path}


def _client() -> Any:
    return aws.client("s3", _options(virtual=config.settings().endpoint_url is None))


_OPTIONS = {
    virtual: Config(
        # The default would presign with SigV2, on the global host, and add checksums that nobody asked for.
        signature_version="s3v4",
        s3={
            "addressing_style": "virtual" if virtual else "path",
            "us_east_1_regional_endpoint": "regional",
        },
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    for virtual in (True, False)
}


def _options(*, virtual: bool) -> Config:
    """One object per kind: clients are kept by it. An emulator on loopback has no host name per bucket."""
    return _OPTIONS[virtual]


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()
