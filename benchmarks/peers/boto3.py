"""boto3 with its defaults, directly to the emulator's S3: a file up and down, or many files up at once.

`python -m benchmarks.peers.boto3 ENDPOINT FILE TARGET`, or `ENDPOINT FOLDER`; prints one JSON object of seconds.
"""

from __future__ import annotations

import json
import resource
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig

from benchmarks.kit.slow_network import take_detours

# The number of threads that boto3 itself uses for one large file.
THREADS = TransferConfig().max_request_concurrency


def main(endpoint: str, source: Path, *target: str) -> None:
    take_detours()
    client: Any = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the emulator's
    )
    bucket = f"peer-{secrets.token_hex(8)}"
    client.create_bucket(Bucket=bucket)
    figures = _file(client, bucket, source, target[0]) if target else _folder(client, bucket, source)
    for each in client.list_objects_v2(Bucket=bucket)["Contents"]:
        client.delete_object(Bucket=bucket, Key=each["Key"])
    client.delete_bucket(Bucket=bucket)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps(figures | {"peak_mb": peak}))


def _file(client: Any, bucket: str, file: Path, target: str) -> dict[str, float]:
    begin = time.monotonic()
    client.upload_file(str(file), bucket, file.name)
    stored = time.monotonic()
    client.download_file(bucket, file.name, target)
    return {"upload_s": stored - begin, "download_s": time.monotonic() - stored}


def _folder(client: Any, bucket: str, folder: Path) -> dict[str, float]:
    begin = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda each: client.upload_file(str(each), bucket, each.name), folder.iterdir()))
    return {"upload_s": time.monotonic() - begin}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
