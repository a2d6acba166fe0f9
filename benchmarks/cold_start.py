"""The cost of the first request to a new process, beside the minimum of Chalice and PynamoDB.

The packaged bundle runs as in Lambda: in a fresh interpreter that sees nothing else, with an event of the API Gateway,
on the local emulator. The request is `GET /auth/me`: it checks a token with the secret from Parameter Store, and reads
one item. The bare app has one route, which reads one item with PynamoDB and checks no caller. Chalice alone packages
it; then it is compiled, like ours: otherwise each of its cold starts would measure the compiler. Milliseconds are CPU
time, with the start of the interpreter: wall-clock time depends on the share of a core. Each figure is the median of
several processes; the ratio is the median over pairs, measured in turns.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.kit.report import Number, parse_options, show
from infra.emulator.launcher import REPOSITORY, running_emulator
from infra.package.packager import build
from tests.support.server import server_on_emulator

PROCESSES = 15
REQUESTS = 200
SCRIPT = Path(__file__).parent / "kit" / "first_request.py"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deardiary-benchmarks" / "bare-app"
MAX_RATIO, MAX_ZIP_MB = 1.10, 22
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}

BARE_APP = """\
from chalice import Chalice
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
import os

app = Chalice(app_name="bare")


class Item(Model):
    class Meta:
        table_name = os.environ["DEARDIARY_TABLE"]
        region = os.environ["AWS_REGION"]
        host = os.environ["AWS_ENDPOINT_URL"]

    pk = UnicodeAttribute(hash_key=True, attr_name="PK")
    sk = UnicodeAttribute(range_key=True, attr_name="SK")


@app.route("/auth/me")
def read():
    return {"found": Item.get("USERS", "ADMINS").sk}
"""


@dataclass(frozen=True, slots=True)
class Start:
    """CPU milliseconds of one process: to the end of its imports, of its first request, and of a later one."""

    imported: float
    first: float
    later: float


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("cold_start", __doc__, arguments)
    package = build(REPOSITORY, ARCHITECTURES[platform.machine()])
    bare = _build_bare() if options.peer else None
    with tempfile.TemporaryDirectory() as directory, _stage(Path(directory)) as token:
        bundles = [_unpacked(each, Path(directory)) for each in (package, bare) if each is not None]
        starts = list(zip(*(_starts(bundles, token)), strict=True))
    figures = _figures(starts) | {"zip_mb": round(package.stat().st_size / 1e6, 2)}
    show(options, figures)
    return _judge(figures)


def _figures(starts: Sequence[Sequence[Start]]) -> dict[str, Number]:
    ours = starts[0]
    figures: dict[str, Number] = {
        "cold_start_ms": median(each.first for each in ours),
        "import_ms": median(each.imported for each in ours),
        "request_cpu_ms": median(each.later for each in ours),
    }
    for bare in starts[1:]:
        figures["bare_cold_start_ms"] = median(each.first for each in bare)
        figures["bare_import_ms"] = median(each.imported for each in bare)
        pairs = zip(ours, bare, strict=True)
        figures["cold_start_ratio"] = median(own.first / other.first for own, other in pairs)
    return {name: round(value, 3) for name, value in figures.items()}


def _judge(figures: dict[str, Number]) -> int:
    """Return 1 if a figure exceeds its limit, else 0."""
    if figures.get("cold_start_ratio", 0) <= MAX_RATIO and figures["zip_mb"] <= MAX_ZIP_MB:
        return 0
    print(f"cold_start: the ratio must be {MAX_RATIO} at most, the zip {MAX_ZIP_MB} MB", file=sys.stderr)
    return 1


def _build_bare() -> Path:
    """Build the bare Chalice project, and keep it for the next run."""
    (CACHE / ".chalice").mkdir(parents=True, exist_ok=True)
    (CACHE / "app.py").write_text(BARE_APP)
    lines = [*(REPOSITORY / "requirements.txt").read_text().splitlines(), ""]
    wanted = ("botocore", "pynamodb", "-c")
    (CACHE / "requirements.txt").write_text("\n".join(line for line in lines if line.startswith(wanted)) + "\n")
    (CACHE / "constraints.txt").write_text((REPOSITORY / "constraints.txt").read_text())
    return build(CACHE, ARCHITECTURES[platform.machine()], pruned=False)


def _unpacked(package: Path, directory: Path) -> Path:
    folder = directory / package.stem
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    return folder


@contextmanager
def _stage(directory: Path) -> Iterator[str]:
    """Create a stage on the emulator, and point the environment to it; return a token of its admin."""
    with running_emulator(directory / "aws") as emulator, server_on_emulator(emulator.environment()) as server:
        yield server.token()


def _starts(bundles: Sequence[Path], token: str) -> Iterator[list[Start]]:
    """Measure in turns, so that other load of the machine affects all alike."""
    for _ in range(PROCESSES):
        yield [_start(bundle, token) for bundle in bundles]


def _start(bundle: Path, token: str) -> Start:
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(bundle), str(REQUESTS)]
    # Lambda has no bytecode of its own either; -I hides this environment's packages.
    done = subprocess.run(command, input=token, capture_output=True, text=True, check=True, cwd=bundle)  # noqa: S603
    return Start(**json.loads(done.stdout))


if __name__ == "__main__":
    sys.exit(main())
