"""Back up a stage's table and objects to another bucket, and restore them.

    PREFIX/table/000000.json.gz   items in the form of DynamoDB's import and export, one per line
    PREFIX/objects/…              the artifact bytes under their keys, copied within S3
    PREFIX/manifest.json          the description of the backup, written last: a backup without it is incomplete

The backup does not contain the secret. It contains passwords as bcrypt hashes and API tokens as SHA-256. `restore` ends
every session and API token, because some may have been ended after the backup. Passwords are those of the backup.
The table is read item by item while it is in use. A concurrent write may be in the backup or not, also if two items
belong together. So it does not contain column blocks, copies of other items that the server writes again.
For a consistent state DynamoDB has point-in-time recovery, which `infra up` enables.
"""

from __future__ import annotations

import base64
import gzip
import json
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from infra.failure import InfraError, code_of
from infra.resources.bucket import converge_bucket
from infra.resources.table import KEY_SCHEMA, has_table
from infra.store import name_of_store
from infra.tokens import end_all_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.stage import Clients, Stage

FILE_BYTES = 32 * 1024 * 1024  # of items, before compression
PAUSE_SECONDS = 0.5
OBJECTS = "projects/"
# Copies of other items, which must fit these: the server writes them again. And events, which the stage itself sends.
_NOT_COPIED = {"blocks", "column", "event"}
FORMAT = 1


@dataclass(frozen=True, slots=True)
class BackupLocation:
    """The location of a backup."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, url: str) -> BackupLocation:
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc or not parts.path.strip("/"):
            raise InfraError(f"{url} is not of the form s3://BUCKET/PREFIX")
        return cls(parts.netloc, parts.path.strip("/"))

    def key(self, name: str) -> str:
        return f"{self.prefix}/{name}"


def back_up(stage: Stage, clients: Clients, url: str) -> Iterator[str]:
    """Write a backup of the stage. Objects that an earlier backup has stored there are not copied again."""
    location = BackupLocation.parse(url)
    if location.bucket == stage.bucket:
        raise InfraError("a backup in the stage's own bucket would be deleted with it; name another bucket")
    try:
        _remove_manifest(clients, location)
    except ClientError as error:
        if code_of(error) != "NoSuchBucket":
            raise
        raise InfraError(
            f"there is no bucket {location.bucket}; create it first: aws s3 mb s3://{location.bucket}"
        ) from None
    items = 0
    for number, (count, data) in enumerate(_files(clients, stage.table)):
        clients.s3.put_object(Bucket=location.bucket, Key=location.key(f"table/{number:06}.json.gz"), Body=data)
        items += count
    yield f"table {stage.table}: {items} items"
    # Copy objects after the table: an item never names an object that was written after it.
    yield _copy_objects(clients, stage, location)
    manifest = {
        "format": FORMAT,
        "stage": stage.name,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "items": items,
    }
    clients.s3.put_object(Bucket=location.bucket, Key=location.key("manifest.json"), Body=json.dumps(manifest).encode())
    yield f"backup complete: {url}"


def restore(stage: Stage, clients: Clients, url: str) -> Iterator[str]:
    """Create the stage's table and bucket from a backup. Earlier sessions and API tokens are not valid in it.

    InfraError if the table exists: nothing is overwritten. The environment must hold ``stage.settings()``.
    """
    location = BackupLocation.parse(url)
    manifest = _manifest(clients, location)
    if has_table(clients.dynamodb, stage.table):
        raise InfraError(
            f"table {stage.table} exists; restore into another stage, or delete this one's data first. If a restore "
            f"was cut short, earlier tokens may be valid: .venv/bin/python -m infra end-tokens --stage {stage.name}"
        )
    if stage.store:
        yield f"{name_of_store(stage)}: nothing copied; it must have the objects of the stage that was backed up"
    else:
        yield from converge_bucket(clients.s3, stage, ())
        copied = _copy(clients, location.bucket, location.key(f"objects/{OBJECTS}"), stage.bucket, OBJECTS)
        yield f"bucket {stage.bucket}: {copied} objects copied"
    imported = _import(clients, stage.table, location)
    if imported != manifest["items"]:
        raise InfraError(f"{imported} of {manifest['items']} items arrived in {stage.table}; delete it and try again")
    yield f"table {stage.table}: {imported} items"
    yield from end_all_tokens(clients.dynamodb, stage.table)
    yield f"users and passwords: as they were at {manifest['created']}; look for those deleted or changed since then"


def _copy_objects(clients: Clients, stage: Stage, location: BackupLocation) -> str:
    if stage.store:
        return f"{name_of_store(stage)}: NOT in this backup; back it up by its own means"
    copied = _copy(clients, stage.bucket, OBJECTS, location.bucket, location.key(f"objects/{OBJECTS}"))
    return f"bucket {stage.bucket}: {copied} objects copied"


def _files(clients: Clients, table: str) -> Iterator[tuple[int, bytes]]:
    """The items as compressed files, each with its number of items."""
    lines: list[bytes] = []
    size = 0
    for page in clients.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            if item.get("kind", {}).get("S") in _NOT_COPIED:
                continue
            lines.append(json.dumps({"Item": item}, default=_base64, separators=(",", ":")).encode())
            size += len(lines[-1])
        if size >= FILE_BYTES:
            yield len(lines), _compressed(lines)
            lines, size = [], 0
    yield len(lines), _compressed(lines)


def _base64(value: Any) -> str:
    """Encode a binary attribute; those of binary sets come as bytes or in a wrapper class."""
    return base64.b64encode(bytes(value)).decode()


def _compressed(lines: list[bytes]) -> bytes:
    return gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0)


def _copy(clients: Clients, source: str, source_prefix: str, target: str, target_prefix: str) -> int:
    """Copy the objects below a prefix, except those already there: the name of an object is the hash of its bytes."""
    there = set(_names(clients, target, target_prefix))
    missing = [name for name in _names(clients, source, source_prefix) if name not in there]
    for name in missing:
        clients.s3.copy({"Bucket": source, "Key": source_prefix + name}, target, target_prefix + name)
    return len(missing)


def _names(clients: Clients, bucket: str, prefix: str) -> Iterator[str]:
    for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", []):
            yield each["Key"].removeprefix(prefix)


def _import(clients: Clients, table: str, location: BackupLocation) -> int:
    """Import the files into a new table, and return the number of items that DynamoDB has imported."""
    parameters: Any = {
        "TableName": table,
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")],
        "KeySchema": KEY_SCHEMA,
        "BillingMode": "PAY_PER_REQUEST",
    }
    started = clients.dynamodb.import_table(
        S3BucketSource={"S3Bucket": location.bucket, "S3KeyPrefix": location.key("table/")},
        InputFormat="DYNAMODB_JSON",
        InputCompressionType="GZIP",
        TableCreationParameters=parameters,
    )
    arn = started["ImportTableDescription"]["ImportArn"]
    while (state := clients.dynamodb.describe_import(ImportArn=arn)["ImportTableDescription"])[
        "ImportStatus"
    ] == "IN_PROGRESS":
        time.sleep(PAUSE_SECONDS)
    if state["ImportStatus"] != "COMPLETED":
        raise InfraError(f"import into {table}: {state.get('FailureMessage', state['ImportStatus'])}")
    clients.dynamodb.get_waiter("table_exists").wait(TableName=table)
    return state["ImportedItemCount"]


def _manifest(clients: Clients, location: BackupLocation) -> dict[str, Any]:
    try:
        body = clients.s3.get_object(Bucket=location.bucket, Key=location.key("manifest.json"))["Body"].read()
    except ClientError as error:
        if code_of(error) not in ("NoSuchKey", "NoSuchBucket"):
            raise
        raise InfraError(f"there is no complete backup in s3://{location.bucket}/{location.prefix}") from None
    manifest: dict[str, Any] = json.loads(body)
    if manifest.get("format") != FORMAT:
        raise InfraError(f"this backup has format {manifest.get('format')}, which this version does not know")
    return manifest


def _remove_manifest(clients: Clients, location: BackupLocation) -> None:
    """Remove the manifest and the table's files first: a backup that is interrupted must not look complete."""
    clients.s3.delete_object(Bucket=location.bucket, Key=location.key("manifest.json"))
    for name in _names(clients, location.bucket, location.key("table/")):
        clients.s3.delete_object(Bucket=location.bucket, Key=location.key(f"table/{name}"))
