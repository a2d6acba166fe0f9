"""One world on moto, restored before each request, at the same time and with the same ids.

So tests can compare the rows that two requests leave, to the last attribute.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from chalicelib import clock, config, ids, security
from chalicelib.artifacts import Location
from chalicelib.artifacts.s3 import S3Store
from chalicelib.routes.mlflow import scope
from chalicelib.storage.table.keys import Key
from tests.support.fast_moto import clone
from tests.support.server import Reply
from tests.support.table import Row, read_objects, read_table

_QUERY = re.compile(r"\?[^\"]*X-Amz-Signature[^\"]*")


@dataclass(frozen=True)
class Outcome:
    """The answer to a request, and all data stored after it."""

    reply: Any
    rows: dict[Key, Row] = field(repr=False)
    objects: set[str]

    @property
    def status(self) -> int:
        return int(self.reply[0])


class Rewind:
    """Keeps the present table and bucket."""

    def __init__(self) -> None:
        self._table = clone(_table())
        self._now, self._now_ns = clock.now(), time.time_ns()
        self._objects = {path: _read(path) for path in read_objects()["s3"]}

    def run(self, ask: Callable[[], Any]) -> Outcome:
        """Restore the data, then send the request."""
        self._rewind()
        with pytest.MonkeyPatch.context() as patch:
            self._stop_time(patch)
            reply = ask()
        return outcome(reply)

    def _rewind(self) -> None:
        _table().items = clone(self._table).items
        # As a new process: this one knows projects by their names for some seconds.
        scope._known.clear()
        scope._named.clear()
        here, store = read_objects()["s3"], S3Store()
        for path in here - self._objects.keys():
            store.delete(_location(path))
        for path in self._objects.keys() - here:
            _write(path, self._objects[path])

    def _stop_time(self, patch: pytest.MonkeyPatch) -> None:
        """Fix clock and random numbers, so that each request gets the same ones."""
        numbers = itertools.count(1)
        patch.setattr(clock, "now", lambda: self._now)
        patch.setattr(ids, "time", SimpleNamespace(time_ns=lambda: self._now_ns))
        patch.setattr(ids, "os", SimpleNamespace(urandom=lambda size: next(numbers).to_bytes(size, "big")))
        patch.setattr(ids, "_last", 0)
        patch.setattr(security, "new_secret", lambda: "secret")
        patch.setattr(security, "hash_password", lambda password: f"hash of {password}")


def outcome(reply: Any) -> Outcome:
    """The reply, without signatures, and the stored data. Upload ids come from the store and differ each time."""
    rows = {key: row | ({"upload_id": ""} if "upload_id" in row else {}) for key, row in read_table().items()}
    seen = (reply.status, _unsigned(reply.body)) if isinstance(reply, Reply) else (200, reply)
    return Outcome(seen, rows, read_objects()["s3"])


def _unsigned(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _unsigned(each) for name, each in body.items()}
    if isinstance(body, list):
        return [_unsigned(each) for each in body]
    return _QUERY.sub("", body) if isinstance(body, str) else body


def _table() -> Any:
    settings = config.settings()
    return dynamodb_backends[DEFAULT_ACCOUNT_ID][settings.region].get_table(settings.table)


def _read(path: str) -> bytes:
    return b"".join(S3Store().blocks(_location(path)))


def _write(path: str, data: bytes) -> None:
    # moto stores a checksum only if the request names the algorithm.
    bucket = config.settings().artifact_bucket
    boto3.client("s3").put_object(Bucket=bucket, Key=path, Body=data, ChecksumAlgorithm="SHA256")


def _location(path: str) -> Location:
    _, project_id, _, sha256 = path.split("/")
    return Location(project_id, sha256)
