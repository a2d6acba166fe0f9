"""The zip of a function: pruned, compiled, and identical bytes for identical input."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# The services that the server uses from botocore; each of the 400 others is an unused description.
SERVICES = {"dynamodb", "events", "s3", "sagemaker", "ssm", "sts"}
# The only operations used of these services: reading the description of SSM's other 150 takes 15 ms of CPU.
OPERATIONS = {
    "events": {"PutEvents"},
    "sagemaker": {"DescribeHyperParameterTuningJob", "DescribeTrainingJob"},
    "ssm": {"GetParameter"},
}
EPOCH = (1980, 1, 1, 0, 0, 0)
# The path where Lambda unpacks the zip, which tracebacks must show.
TASK_ROOT = "/var/task"


def prune(site_packages: Path) -> None:
    """Remove the parts of installed packages that no request uses."""
    data = site_packages / "botocore" / "data"
    if data.is_dir():
        _prune_services(data)
    for name in ("__pycache__", "tests", "bin", "*.data"):
        for folder in [*site_packages.rglob(name)]:
            shutil.rmtree(folder)
    for stub in [*site_packages.rglob("*.pyi")]:
        stub.unlink()


def _prune_services(data: Path) -> None:
    for service in data.iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    endpoints = json.loads((data / "endpoints.json").read_text())
    for partition in endpoints["partitions"]:
        partition["services"] = {name: each for name, each in partition["services"].items() if name in SERVICES}
    (data / "endpoints.json").write_text(json.dumps(endpoints))
    for name, kept in OPERATIONS.items():
        for description in (data / name).glob("*/service-2.json.gz"):
            _keep_operations(description, kept)
        for unused in ("paginators", "waiters", "examples"):
            for path in (data / name).glob(f"*/{unused}-*"):
                path.unlink()


def _keep_operations(description: Path, kept: set[str]) -> None:
    """Remove all other operations, and the shapes that only they use."""
    service = json.loads(gzip.decompress(description.read_bytes()))
    service["operations"] = {name: each for name, each in service["operations"].items() if name in kept}
    named = _named(service["operations"].values())
    left = set(named)
    while left:
        left = _named([service["shapes"][name] for name in left]) - named
        named |= left
    service["shapes"] = {name: each for name, each in service["shapes"].items() if name in named}
    service = _undocumented(service)
    description.write_bytes(gzip.compress(json.dumps(service).encode(), mtime=0))


def _undocumented(definition: Any) -> Any:
    """The definition without the texts for people, which are most of it. A member can have that name: keep it."""
    if isinstance(definition, list):
        return [_undocumented(each) for each in definition]
    if not isinstance(definition, dict):
        return definition
    is_text = isinstance(definition.get("documentation"), str)
    return {name: _undocumented(each) for name, each in definition.items() if name != "documentation" or not is_text}


def _named(definitions: Iterable[Any]) -> set[str]:
    """The shapes that these use, directly or not."""
    found: set[str] = set()
    for each in definitions:
        if isinstance(each, dict):
            found |= {each["shape"]} if isinstance(each.get("shape"), str) else set()
            found |= _named(each.values())
        elif isinstance(each, list):
            found |= _named(each)
    return found


def write_archive(package: Path, complete: Callable[[Path], None]) -> None:
    """Let `complete` add to the unpacked zip, and write it with compiled code.

    Lambda's disk is read-only, so Python would compile at each cold start.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with zipfile.ZipFile(package) as given:
            given.extractall(root)
        complete(root)
        _compile(root)
        fresh = package.with_suffix(".new")
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as written:
            for path in sorted(each for each in root.rglob("*") if each.is_file()):
                written.writestr(_entry(path, root), path.read_bytes(), compresslevel=9)
        fresh.replace(package)


def _compile(root: Path) -> None:
    """Compile in a separate process with a fixed hash seed: otherwise the same source gives other bytes."""
    command = [sys.executable, "-m", "compileall", "-q", "-s", str(root), "-p", TASK_ROOT]
    command += ["--invalidation-mode", "unchecked-hash", str(root)]
    subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": "0"}, check=True)  # noqa: S603 - our own command


def _entry(path: Path, root: Path) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), EPOCH)
    entry.external_attr = (0o100755 if path.suffix == ".so" else 0o100644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
