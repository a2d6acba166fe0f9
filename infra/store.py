"""An S3-compatible store for a stage's artifacts: whether it proves what AWS S3 proves, and a copy of bytes into it."""

from __future__ import annotations

import hashlib
import secrets
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from boto3.s3.inject import upload_fileobj
from botocore.exceptions import BotoCoreError, ClientError

from infra.failure import InfraError, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_s3 import S3Client

    from infra.stage import Stage

OBJECTS = "projects/"
BLOCK_BYTES = 1024 * 1024
SHA256_DIGITS = 64
ABSENT = ("404", "NoSuchBucket")


def name_of_store(stage: Stage) -> str:
    endpoint, bucket = (stage.store[f"DEARDIARY_ARTIFACT_S3_{name}"] for name in ("ENDPOINT", "BUCKET"))
    return f"bucket {bucket} at {endpoint}"


def check_store(stage: Stage, s3: S3Client) -> Iterator[str]:
    """Yield what the store cannot do. InfraError if it does not check SHA-256, or lacks bytes of the bucket in AWS.

    Create nothing there but an object that is removed again: the bucket and its settings are the user's. The server's
    own code makes the requests; import it only here, after the stage's settings are in the environment.
    """
    from chalicelib.errors import InvalidPayload

    try:
        _check_whole()
        _check_parts()
    except InvalidPayload as error:
        yield f"{name_of_store(stage)}: no parts, so a file has at most 5 GiB: {error}"
    except (ClientError, BotoCoreError, OSError) as error:
        raise InfraError(f"{name_of_store(stage)} does not do what artifacts need: {error}") from None
    missing = len(_missing(stage, s3))
    if missing:
        raise InfraError(
            f"{name_of_store(stage)} lacks {missing} objects of the bucket {stage.bucket}: "
            f"run `.venv/bin/python -m infra copy-artifacts --stage {stage.name}` first"
        )


def copy_into_store(stage: Stage, s3: S3Client) -> Iterator[str]:
    """Copy what the store lacks of the stage's bucket in AWS, and check each known SHA-256. Yield a line at the end."""
    from chalicelib import artifacts

    if not stage.store:
        raise InfraError("The stage has no store: set DEARDIARY_ARTIFACT_S3_ENDPOINT and what belongs to it")
    missing = _missing(stage, s3)
    for key, size_bytes in missing.items():
        body = s3.get_object(Bucket=stage.bucket, Key=key)["Body"]
        if not _names_hash(key):
            _copy_unhashed(key, body)
            continue
        try:
            artifacts.store("s3").write(_location(key), size_bytes, body.iter_chunks(BLOCK_BYTES))
        except ValueError:
            raise InfraError(f"{key} in {stage.bucket} is damaged: its bytes have another SHA-256") from None
    yield f"copied into {name_of_store(stage)}: {len(missing)} objects of {sum(missing.values())} bytes"


def _names_hash(key: str) -> bool:
    """False for bytes that came without a SHA-256 and are too many for the server to hash."""
    return len(key.rpartition("/")[2]) == SHA256_DIGITS


def _copy_unhashed(key: str, body: Any) -> None:
    from chalicelib.artifacts.s3 import client_and_bucket

    client, bucket = client_and_bucket()
    # The server's client is one of botocore, which has no such method.
    upload_fileobj(client, body, bucket, key)


def _missing(stage: Stage, s3: S3Client) -> dict[str, int]:
    """The sizes of the objects in AWS that the store does not have, by key."""
    from chalicelib.artifacts.s3 import client_and_bucket

    there = dict(_objects(*client_and_bucket()))
    try:
        return {key: size for key, size in _objects(s3, stage.bucket) if there.get(key) != size}
    except ClientError as error:
        if code_of(error) in ABSENT:
            return {}
        raise


def _objects(s3: Any, bucket: str) -> Iterator[tuple[str, int]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=OBJECTS):
        for each in page.get("Contents", []):
            yield each["Key"], each["Size"]


def _location(key: str) -> Any:
    from chalicelib.artifacts import Location

    _, project_id, _, sha256 = key.split("/")
    return Location(project_id, sha256)


def _check_whole() -> None:
    """Upload as a client does. OSError if wrong bytes are accepted, or right ones are refused or not proven."""
    from chalicelib import artifacts
    from chalicelib.errors import InvalidPayload

    data, store = secrets.token_bytes(64), artifacts.store("s3")
    location = artifacts.Location("check", hashlib.sha256(data).hexdigest())
    (request,) = store.upload(location, len(data), "application/octet-stream", "").requests
    refusal_of_wrong = _refusal(request, data[::-1])
    try:
        if refusal_of_wrong is None:
            raise OSError("it accepts bytes that do not have the declared SHA-256")
        if reason := _refusal(request, data):
            raise OSError(f"it refuses an upload with x-amz-checksum-sha256: {reason}")
        store.verify(location, len(data), ())
    except InvalidPayload as error:
        raise OSError(str(error)) from None
    finally:
        store.delete(location)


def _check_parts() -> None:
    """InvalidPayload if the store does not check the SHA-256 of parts."""
    from chalicelib import artifacts

    location = artifacts.Location("check", hashlib.sha256(secrets.token_bytes(8)).hexdigest())
    store = artifacts.store("s3")
    store.abort(location, store.begin(location, "application/octet-stream"))


def _refusal(request: Any, data: bytes) -> str | None:
    """Send the bytes. The store's reason to refuse them, None if it accepts them."""
    sent = urllib.request.Request(request.url, data, dict(request.headers), method=request.method)  # noqa: S310
    try:
        urllib.request.urlopen(sent, timeout=30).close()  # noqa: S310 - a URL that the server's own code signed
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read(500).decode(errors='replace')}"
    return None
