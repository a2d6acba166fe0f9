"""The cost of a million points: write units and dollars, for three shapes of a request of 1,000 points.

The app runs in this process on the local emulator, with sign-in. A request is `POST /iterations/{id}/log` with columns,
by a member of the project, to an iteration that has such batches already; the writes of the first batch of a new
iteration are listed apart. Units follow DynamoDB's rules, with the reads for sign-in and permission
(`benchmarks.kit.metering`).

Dollars are those of API Gateway (REST), Lambda (1,024 MB, arm64), DynamoDB (on demand) and CloudWatch Logs. A request's
duration is its CPU time as measured on this machine, divided by the CPU share of such a function, and 5 ms for each
call of the table. The comparison is one item per point: its key, step, time and value in an item of their own, sent one
by one, or 1,000 in a request; no other reads or writes of such a design are counted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.kit import units
from benchmarks.kit.curves import batches, flush_body, make_curves
from benchmarks.kit.metering import Meter
from benchmarks.kit.prices import VCPU, Usage, dollars
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.kit.units import Image
from chalicelib import security
from infra.emulator.launcher import running_emulator
from tests.support.server import Server, server_on_emulator

MILLION = 1_000_000
SHAPES = ((1, 1000), (10, 100), (50, 20))
COLUMNS = ("wru", "first wru", "rru", "calls", "cpu ms", "usd", "a million points, requests of")
TABLE_CALL_SECONDS = 0.005
# START, END and REPORT, which Lambda always writes.
LOG_BYTES = 400
# For a request that puts one item: decoding it and one call.
ONE_PUT_SECONDS = 0.010


@dataclass(frozen=True, slots=True)
class Effort:
    """The number of requests before the measurement, and in it."""

    before: int
    measured: int


FULL = Effort(before=20, measured=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One request of a shape, on average; `first_writes` is the first of a new iteration."""

    keys: int
    points_of_a_key: int
    first_writes: float
    writes: float
    reads: float
    calls: float
    cpu_seconds: float

    @property
    def name(self) -> str:
        return f"{self.keys}x{self.points_of_a_key}"

    @property
    def requests(self) -> float:
        """The requests for a million points."""
        return MILLION / (self.keys * self.points_of_a_key)

    def bill(self) -> dict[str, float]:
        """The bill for a million points."""
        seconds = self.cpu_seconds / VCPU + self.calls * TABLE_CALL_SECONDS
        return dollars(
            Usage(
                requests=self.requests,
                seconds=self.requests * seconds,
                write_units=self.requests * self.writes,
                read_units=self.requests * self.reads,
                log_bytes=self.requests * LOG_BYTES,
            )
        )


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("ingest_cost", __doc__, arguments)
    security.BCRYPT_COST = 4
    with (
        tempfile.TemporaryDirectory() as directory,
        running_emulator(Path(directory)) as emulator,
        server_on_emulator(emulator.environment()) as server,
    ):
        costs = list(measure_all(server, FULL))
    rows = [*map(_row, costs), *_rows_item_per_point()]
    show(options, figures(costs), COLUMNS, rows)
    return 0


def measure_all(server: Server, effort: Effort, shapes: Sequence[tuple[int, int]] = SHAPES) -> Iterator[Cost]:
    member = server.newcomer("ada")
    project = member.projects.create("Iris")
    experiment = member.experiments.create(project.id, "sweep")
    for keys, points in shapes:
        iteration_id = member.iterations.create(experiment.id).id
        yield measure(_Writer(server, iteration_id, keys, points), effort)


class _Writer:
    """Sends one batch after the other, as the member who created the iteration."""

    def __init__(self, server: Server, iteration_id: str, keys: int, points: int) -> None:
        self._server, self._token = server, server.token("ada")
        self._path = f"/iterations/{iteration_id}/log"
        self.keys, self.points = keys, points
        self._sent = 0

    def send(self, number: int) -> float:
        """Send this many more batches; return the CPU seconds of the server for each."""
        return mean(self._send_one(body) for body in self._bodies(number))

    def _bodies(self, number: int) -> list[bytes]:
        """Prepare the bodies, so that only the server is measured."""
        end = self._sent + number
        pieces = list(batches(make_curves(self.keys, end * self.points), self.points))[self._sent :]
        bodies = [flush_body(piece, f"batch-{self._sent + at}") for at, piece in enumerate(pieces)]
        self._sent = end
        return bodies

    def _send_one(self, body: bytes) -> float:
        begin = time.thread_time()
        reply = self._server.call("POST", self._path, body, token=self._token)
        took = time.thread_time() - begin
        if reply.status >= 300:
            raise RuntimeError(f"{self._path} answered {reply.status}: {reply.body}")
        return took


def measure(writer: _Writer, effort: Effort) -> Cost:
    with Meter.attached() as meter:
        with meter.measuring() as first:
            writer.send(1)
        writer.send(effort.before)
        with meter.measuring() as calls:
            writer.send(effort.measured)
    return Cost(
        keys=writer.keys,
        points_of_a_key=writer.points,
        first_writes=sum(call.write_units for call in first),
        writes=sum(call.write_units for call in calls) / effort.measured,
        reads=sum(call.read_units for call in calls) / effort.measured,
        calls=len(calls) / effort.measured,
        # Without the meter, which reads each item once more.
        cpu_seconds=writer.send(effort.measured),
    )


def figures(costs: Sequence[Cost]) -> dict[str, Number]:
    found: dict[str, Number] = {}
    for cost in costs:
        bill, name = cost.bill(), cost.name
        found |= {
            f"wru_per_million_{name}": cost.requests * cost.writes,
            f"first_wru_per_million_{name}": cost.requests * cost.first_writes,
            f"rru_per_million_{name}": cost.requests * cost.reads,
            f"calls_per_request_{name}": cost.calls,
            f"cpu_ms_per_request_{name}": 1000 * cost.cpu_seconds,
            f"usd_per_million_{name}": sum(bill.values()),
        }
        found |= {f"usd_per_million_{name}_{part}": usd for part, usd in bill.items()}
    return found | {
        "wru_per_million_item_per_point": MILLION * _units_of_a_point(),
        "usd_per_million_item_per_point": _usd_item_per_point(requests=MILLION),
        "usd_per_million_item_per_point_1x1000": _usd_item_per_point(requests=MILLION / 1000),
    }


def _usd_item_per_point(*, requests: float) -> float:
    """A request with many points puts them 25 at a time, one BatchWriteItem after the other."""
    calls = MILLION / requests / 25
    seconds = requests * max(ONE_PUT_SECONDS, calls * TABLE_CALL_SECONDS)
    writes = MILLION * _units_of_a_point()
    usage = Usage(requests=requests, seconds=seconds, write_units=writes, read_units=0, log_bytes=requests * LOG_BYTES)
    return sum(dollars(usage).values())


def _units_of_a_point() -> int:
    item: Image = {
        "PK": {"S": "ITERATION#01jd0000000000000000000000"},
        "SK": {"S": "METRIC#loss#00000000000000001000#01jd0000000000000000000000"},
        "kind": {"S": "metric"},
        "value": {"B": bytes(8)},
        "recorded_at": {"N": "1795392000000"},
    }
    return units.write_units(None, units.item_size(item))


def _row(cost: Cost) -> tuple[object, ...]:
    of, usd = cost.requests, sum(cost.bill().values())
    name = f"{cost.keys} x {cost.points_of_a_key}"
    return of * cost.writes, of * cost.first_writes, of * cost.reads, cost.calls, 1000 * cost.cpu_seconds, usd, name


def _rows_item_per_point() -> Iterator[tuple[object, ...]]:
    writes = float(MILLION * _units_of_a_point())
    for requests, name in ((MILLION, "1 x 1, an item per point"), (MILLION / 1000, "1 x 1000, an item per point")):
        yield writes, writes, 0, "-", "-", _usd_item_per_point(requests=requests), name


if __name__ == "__main__":
    sys.exit(main())
