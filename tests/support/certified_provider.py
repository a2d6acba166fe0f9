"""A real OpenID Connect provider on loopback: the certified oidc-provider from npm, on the Node.js of the dashboard."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.dashboard import node
from infra.failure import InfraError
from tests.support.dynoxide import NotInstallable

PACKAGE, VERSION = "oidc-provider", "9.13.3"
SCRIPT = Path(__file__).with_suffix(".mjs")


class CertifiedProvider:
    """The process of the provider. It serves after `allow` has told it where its client awaits its users."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.issuer = f"http://127.0.0.1:{self._line()}"

    def allow(self, redirect_uri: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{redirect_uri}\n")
        self._process.stdin.flush()
        while self._line() != self.issuer:
            """Skip its warnings."""

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the provider ended with {self._process.wait()}")
        return line.strip()


@contextmanager
def running_certified_provider() -> Iterator[CertifiedProvider]:
    """NotInstallable without Node.js, or if npm reaches no registry."""
    folder = _installed()
    command = [node.path(), str(SCRIPT), str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
        try:
            yield CertifiedProvider(process)
        finally:
            process.terminate()


def _installed() -> Path:
    """The folder with the package; npm installs it into the user's cache at the first call."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deardiary"
    folder = cache / f"{PACKAGE}-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    # Of several test workers at once, one installs.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "node_modules" / PACKAGE / "package.json").exists():
            try:
                node.npm(["install", "--prefix", str(folder), "--no-save", f"{PACKAGE}@{VERSION}"], folder)
            except InfraError as error:
                raise NotInstallable(f"npm cannot install {PACKAGE}@{VERSION} here: {str(error)[-300:]}") from None
    return folder
