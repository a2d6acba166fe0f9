"""The monthly cost for 1, 10 and 1,000 people: measured units of their requests, times the list prices.

`HABITS` says how often a person trains and reads. The units of each route are measured as in `benchmarks.requests`,
with a batch of 1,000 points for curves, more than a flush of most trainings has. Two figures cannot be measured on an
emulator and are assumed: how long a function runs, and how many bytes of log it writes.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.kit import prices
from benchmarks.kit.metering import Meter
from benchmarks.kit.prices import Usage, dollars
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.requests import Cost, measure
from chalicelib import security
from infra.emulator.launcher import running_emulator
from tests.support.server import server_on_emulator
from tests.support.world import make_world

PEOPLE = (1, 10, 1000)
RUNS = 100  # a month, of one hour each
FLUSHES = 720  # of a run: every five seconds
VIEWS = 2000  # a month: lists and curves that a person reads
HABITS = {
    "POST /auth": 20,
    "POST /experiments/{experiment_id}/iterations": RUNS,
    "POST /iterations/{iteration_id}/metrics/batch": RUNS * FLUSHES,
    "PATCH /iterations/{iteration_id}": RUNS,
    "POST /experiments/{experiment_id}/resources": RUNS,
    "POST /resources/{resource_id}/upload": RUNS,
    "POST /resources/{resource_id}/complete": RUNS,
    "GET /experiments/{experiment_id}/iterations": VIEWS,
    "GET /iterations/{iteration_id}/metrics/series": VIEWS,
}
SECONDS = 0.05  # of a function, billed: a few calls to the table of some milliseconds each
LOG_BYTES = 500
GB_OF_FILES = 10  # a person and month
GB_OF_POINTS = 0.1
S3_GB, TABLE_GB, RECOVERY_GB, ALARM = 0.023, 0.25, 0.20, 0.10
ALARMS = 8
UPKEEP_RUNS = 30 * 24 * 12
UPKEEP_GB_SECONDS = 0.5 * 0.1  # 512 MB, a tenth of a second without work


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("monthly_cost", __doc__, arguments)
    security.BCRYPT_COST = 4
    with (
        tempfile.TemporaryDirectory() as directory,
        running_emulator(Path(directory)) as emulator,
        server_on_emulator(emulator.environment()) as server,
        Meter.attached() as meter,
    ):
        costs = [measure(server, meter, route, make_world(server)) for route in HABITS]
    bills = {people: monthly(costs, people) for people in PEOPLE}
    figures = {f"usd_a_month_{people}": round(sum(bill.values()), 2) for people, bill in bills.items()}
    rows = [[part, *(f"{bills[people][part]:,.2f}" for people in PEOPLE)] for part in bills[1]]
    total = ["together", *(f"{figures[f'usd_a_month_{people}']:,.2f}" for people in PEOPLE)]
    show(options, figures, ("USD a month", *(f"{people:,} people" for people in PEOPLE)), [*rows, total])
    return 0


def monthly(costs: Sequence[Cost], people: int) -> Mapping[str, Number]:
    """The cost by charged item; only the files of one month, without those of earlier months."""
    requests = people * sum(HABITS.values())
    usage = Usage(
        requests=requests,
        seconds=requests * SECONDS,
        write_units=people * sum(HABITS[cost.route] * cost.writes for cost in costs),
        read_units=people * sum(HABITS[cost.route] * cost.reads for cost in costs),
        log_bytes=requests * LOG_BYTES,
    )
    return {
        **dollars(usage),
        "points kept": people * GB_OF_POINTS * (TABLE_GB + RECOVERY_GB),
        "files kept": people * GB_OF_FILES * S3_GB,
        "alarms": ALARMS * ALARM,
        "upkeep": UPKEEP_RUNS * (prices.LAMBDA_REQUEST + UPKEEP_GB_SECONDS * prices.LAMBDA_GB_SECOND),
    }


if __name__ == "__main__":
    sys.exit(main())
