"""Sources of spools: a folder, an archive, or S3."""

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from deardiary import settings
from deardiary.sending.archive import room_in, too_large, unpack

ARCHIVES = (".tar.gz", ".tgz", ".tar")

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def opened(source: str | PathLike[str]) -> Iterator[Path]:
    """A folder with the content of ``source``; for an archive or S3 it is a copy, removed after the block.

    ValueError if the source is missing, empty or unreadable.
    """
    if str(source).startswith("s3://"):
        with tempfile.TemporaryDirectory() as copy:
            _download(str(source), Path(copy))
            _unpack_all(Path(copy))
            yield Path(copy)
        return
    path = Path(source)
    if path.is_file() and path.name.endswith(ARCHIVES):
        with tempfile.TemporaryDirectory() as copy:
            _unpack(path, Path(copy))
            yield Path(copy)
        return
    if not path.is_dir():
        raise ValueError(f"There is no folder and no archive {path}")
    yield path


def _unpack_all(folder: Path) -> None:
    for path in list(folder.rglob("*")):
        if path.name.endswith(ARCHIVES):
            _unpack(path, path.with_name(f"{path.name}.content"))


def _unpack(archive: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    passed_over = unpack(archive, folder)
    if passed_over:
        _log.warning("%s: %d members that are no plain files, such as links, are passed over", archive, passed_over)


def _download(url: str, folder: Path) -> None:
    """Download all objects below a prefix with their times, which show if a program still writes."""
    s3 = _client()
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = _download_objects(s3, url, folder)
    except (BotoCoreError, ClientError) as error:
        raise ValueError(f"{url} cannot be read: {error}") from error
    if not found:
        raise ValueError(f"There is nothing in {url}")


def _download_objects(s3: Any, url: str, folder: Path) -> int:
    """Download the objects and return their number. ValueError if they exceed the room on the disk."""
    limit = settings.unpack_bytes() or room_in(folder)
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    found, left = 0, limit
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", ()):
            target = (folder / each["Key"]).resolve()
            if not target.is_relative_to(folder.resolve()) or each["Key"].endswith("/"):
                continue
            left -= each["Size"]
            if left < 0:
                raise too_large(url, limit)
            target.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, each["Key"], str(target))
            os.utime(target, (each["LastModified"].timestamp(),) * 2)
            found += 1
    return found


def _client() -> Any:
    try:
        import boto3
    except ImportError:
        raise ValueError("To read from s3://, install boto3: pip install boto3") from None
    return boto3.client("s3")
