"""All stored data, read without the server: the rows of the table and the objects of every artifact store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

from chalicelib import config
from chalicelib.storage.table.keys import Key
from tests.support import fast_moto

Row = dict[str, Any]


def read_table() -> dict[Key, Row]:
    """All rows by their keys, with plain values: texts, numbers as int or float, bytes, booleans."""
    return {Key(row["PK"]["S"], row["SK"]["S"]): {name: _plain(each) for name, each in row.items()} for row in _rows()}


def read_objects() -> dict[str, set[str]]:
    """The paths of all whole blobs, by the store that has them: s3, filesystem."""
    settings = config.settings()
    root = settings.artifact_root
    files = root.glob("projects/*/blobs/*") if root else ()
    return {"s3": set(_objects()), "filesystem": {str(file.relative_to(root)) for file in files if root}}


def _objects() -> Iterator[str]:
    settings = config.settings()
    if settings.endpoint_url is None:
        # From moto's own memory: a client for a listing takes longer than most requests.
        with fast_moto.lock:
            paths = list(s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[settings.artifact_bucket].keys)
        yield from paths
        return
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=settings.artifact_bucket)
    for page in pages:
        yield from (each["Key"] for each in page.get("Contents", []))


def _rows() -> Iterator[Row]:
    settings = config.settings()
    if settings.endpoint_url is None:
        # From moto's own memory, for its Scan never ends on a table of several pages.
        table = dynamodb_backends[DEFAULT_ACCOUNT_ID][settings.region].get_table(settings.table)
        with fast_moto.lock:
            rows = [row.to_json()["Attributes"] for row in table.all_items()]
        yield from rows
        return
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=settings.table, ConsistentRead=True)
    for page in pages:
        yield from page["Items"]


def _plain(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return json.loads(content)
        case "L":
            return [_plain(each) for each in content]
        case "M":
            return {name: _plain(each) for name, each in content.items()}
    return content
