"""The content of the zip of the functions."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

from infra.package.packager import build
from tests.deploy.rehearsal import ARCHITECTURE, Checkout, Deployment

MAX_BYTES = 22_000_000
# Top-level names that run: our code, Chalice's runtime, the requirements and their dependencies.
RUNS = {
    *("app.py", "chalice", "chalicelib", "deardiary"),
    *("bcrypt", "botocore", "dateutil", "jmespath", "jwt", "msgspec", "pynamodb", "six.py", "urllib3"),
    # Of the sign-in with a provider, and imported by it only.
    *("cffi", "cryptography", "pycparser"),
    "__pycache__",
}


def test_it_is_small_and_holds_only_what_runs(deployment: Deployment) -> None:
    assert deployment.package.stat().st_size < MAX_BYTES
    with zipfile.ZipFile(deployment.package) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    single = {"typing_extensions.py", *(top for top in tops if top.startswith("_cffi_backend."))}
    assert {top for top in tops if not top.endswith(".dist-info")} - single == RUNS
    assert not [name for name in names if "/tests/" in name or name.endswith(".pyi")]
    described = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    assert described == {"dynamodb", "events", "s3", "sagemaker", "ssm", "sts"}


def test_the_same_sources_give_the_same_bytes(deployment: Deployment, tmp_path: Path) -> None:
    folder = Checkout.made(tmp_path, "http://127.0.0.1:9").folder
    # Files that a test run leaves, or that a later build changes.
    (folder / "chalicelib" / "__pycache__").mkdir()
    (folder / "chalicelib" / "__pycache__" / "config.cpython-311.pyc").write_bytes(b"stale")
    (folder / "app.py").touch()
    again = build(folder, ARCHITECTURE)
    assert again.name == deployment.package.name
    assert sha256(again) == sha256(deployment.package)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_starts_by_itself_without_compiling(deployment: Deployment, tmp_path: Path) -> None:
    with zipfile.ZipFile(deployment.package) as archive:
        archive.extractall(tmp_path)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import app; from chalicelib.routes import index; "
    code += "print(len(index.MODULES), len(app.app.routes), app.__cached__)"
    command = [sys.executable, "-I", "-S", "-v", "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)  # noqa: S603
    paths, registered, _ = done.stdout.split()
    # Each of the others is registered at the first request for it.
    assert int(paths) > 40
    assert int(registered) == 0
    own = [line for line in done.stderr.splitlines() if "code object from" in line and str(tmp_path) in line]
    assert own
    assert not [line for line in own if not line.endswith((".pyc'", ".pyc"))]
