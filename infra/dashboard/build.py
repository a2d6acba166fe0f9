"""Build the dashboard into `chalicelib/ui`, if `web/` has changed since the last build."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.dashboard import node
from infra.failure import InfraError

REPOSITORY = Path(__file__).parents[2]
WEB, BUILT = REPOSITORY / "web", REPOSITORY / "chalicelib" / "ui"
LOG = WEB / "build.log"
# Folders and files in web/ that are made from the others.
_MADE = {"node_modules", "generated", "dist", LOG.name}
_STAMP = re.compile(r'<meta name="build" content="(\w*)">')
_FAILURE = "failure.txt"

Say = Callable[[str], None]


def build(say: Say) -> None:
    """Make `chalicelib/ui` the build of `web/`. InfraError if that fails: an earlier build stays."""
    with _alone():
        wanted = source_hash()
        if built_hash() == wanted:
            return
        say("Building the dashboard")
        try:
            _build(wanted)
        except (InfraError, OSError) as error:
            raise InfraError(_note_failure(error)) from None


def check() -> None:
    """Types, lint and unit tests of `web/`. CommandFailed, with what they found."""
    node.run_tool("tsc", [], WEB)
    node.run_tool("biome", ["check", "--error-on-warnings", "--colors=off"], WEB)
    node.run(["--test", "--test-reporter=dot", "src/**/*.test.ts"], WEB)


def prepare() -> None:
    """Install what the lock file lists, and write the types of the API. InfraError if npm cannot."""
    _install()
    _write_types()


def source_hash() -> str:
    """A hash of all sources in `web/`, by name and content."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(f"{path.relative_to(WEB).as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def built_hash() -> str | None:
    """The hash of the sources of the present build; None without one."""
    index = BUILT / "index.html"
    found = _STAMP.search(index.read_text("utf-8")) if index.is_file() else None
    return found[1] if found else None


def _sources() -> Iterator[Path]:
    for folder, folders, names in os.walk(WEB):
        folders[:] = sorted(set(folders) - _MADE)
        yield from (Path(folder) / name for name in sorted(set(names) - _MADE))


def _build(wanted: str) -> None:
    prepare()
    with tempfile.TemporaryDirectory(dir=BUILT.parent, prefix=".ui-") as fresh:
        folder = Path(fresh) / "ui"
        node.run_tool("vite", ["build", "--logLevel=warn", "--emptyOutDir", f"--outDir={folder}"], WEB)
        index = folder / "index.html"
        index.write_text(_STAMP.sub(f'<meta name="build" content="{wanted}">', index.read_text("utf-8")), "utf-8")
        shutil.rmtree(BUILT, ignore_errors=True)
        folder.rename(BUILT)


def _install() -> None:
    """`npm ci`, if the lock file is another than at the last time."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    installed = WEB / "node_modules" / ".installed"
    if installed.is_file() and installed.read_text() == lock:
        return
    node.npm(["ci", "--ignore-scripts"], WEB)
    installed.write_text(lock)


def _write_types() -> None:
    generated = WEB / "generated"
    generated.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DEARDIARY_"))}
    command = [sys.executable, "-m", "infra.dashboard.document"]
    document = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, check=True).stdout  # noqa: S603
    (generated / "openapi.json").write_bytes(document)
    types = ["generated/openapi.json", "--output", "generated/schema.ts", "--empty-objects-unknown"]
    node.run_tool("openapi-typescript", types, WEB)


def _note_failure(error: Exception) -> str:
    """Keep the output in a log, and say to the server why there is no dashboard. The reason shows no path or host."""
    LOG.write_text(str(error), "utf-8")
    reason = (
        f"{error}" if type(error) is InfraError else f"Its build failed; {LOG.relative_to(REPOSITORY)} has the output."
    )
    BUILT.mkdir(exist_ok=True)
    if built_hash() is None:
        (BUILT / _FAILURE).write_text(reason, "utf-8")
    return reason


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process build at a time: `make test` and `make run` share the folder."""
    (WEB / "generated").mkdir(exist_ok=True)
    with (WEB / "generated" / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
