"""A storm, simulated: 10,000 jobs start in one minute and log for some minutes, in one experiment and in 100.

All jobs belong to one user and one project. The calls, items and units of a creation and of a flush are those that the
app makes on the local emulator (`benchmarks.kit.metering`), and so is the CPU time. Pace, failure under throttling and
Retry-After are the server's own, backoff and limits the client's own. The rest is the model: a partition of DynamoDB
gives 3,000 read and 1,000 write units a second, Lambda runs 1,000 functions at once, and a call takes 5 ms. It has no
limit of the table as a whole, no conflicts of transactions, and no loss of requests on the way.

`p99_lag_s` is over all points, from the time a point is logged until it is stored. `lambda_saturated_min` counts the
minutes in which Lambda refused a request. Without `--watched` no reader looks at the experiments.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.kit.curves import flush_body, make_curves
from benchmarks.kit.metering import Meter
from benchmarks.kit.prices import VCPU
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.kit.storm_model import OWN, Load, Outcome, Request, Step, Storm
from chalicelib import security
from infra.emulator.launcher import running_emulator
from tests.support.server import Server, server_on_emulator

KEYS = 10
EXPERIMENTS = (1, 100)
CPU_SAMPLES = 40


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("storm", __doc__, arguments)
    security.BCRYPT_COST = 4
    with (
        tempfile.TemporaryDirectory() as directory,
        running_emulator(Path(directory)) as emulator,
        server_on_emulator(emulator.environment()) as server,
    ):
        creation, flush = measured(server)
    show(options, simulate(creation, flush, Load()))
    return 0


def simulate(creation: Request, flush: Request, load: Load) -> dict[str, Number]:
    """The figures of all storms."""
    found: dict[str, Number] = {"flush_calls": len(flush.steps), "flush_ms": 1000 * flush.seconds}
    for number in EXPERIMENTS:
        for is_watched in (False, True):
            suffix = f"_{number}" + ("_watched" if is_watched else "")
            outcome = Storm(creation, flush, load, experiments=number, is_watched=is_watched).run()
            found |= {f"{name}{suffix}": value for name, value in figures(outcome).items()}
    return found


def figures(outcome: Outcome) -> dict[str, Number]:
    return {
        "p99_lag_s": outcome.lag(0.99),
        "lambda_saturated_min": len(outcome.saturated_minutes),
        "lost": outcome.lost,
        "throttled_share": outcome.throttled / outcome.requests,
        "most_functions": outcome.most_functions,
    }


def measured(server: Server) -> tuple[Request, Request]:
    """A creation and a flush of a warm server, by a member with a token."""
    member, token = server.newcomer("ada"), server.token("ada")
    experiment = member.experiments.create(member.projects.create("Storm").id, "sweep")
    created = member.iterations.create(experiment.id)
    bodies = (flush_body(make_curves(KEYS, 1, str(number)), f"batch-{number}") for number in range(10**6))

    def create() -> None:
        server.call("POST", f"/experiments/{experiment.id}/iterations", {}, token=token)

    def flush() -> None:
        server.call("POST", f"/iterations/{created.id}/log", next(bodies), token=token)

    places = {created.id: OWN, experiment.id: "experiment"}
    return _measure(create, places), _measure(flush, places)


def _measure(send: Callable[[], None], places: dict[str, str]) -> Request:
    """The calls of a warm request and its CPU time."""
    send()
    with Meter.attached() as meter, meter.measuring() as calls:
        send()
    steps = [
        Step.of([(_place(key.pk, places), each.read_units, each.write_units, len(each.keys)) for key in each.keys])
        for each in calls
    ]
    return Request(steps, median(_cpu_seconds(send) for _ in range(CPU_SAMPLES)) / VCPU)


def _place(pk: str, places: dict[str, str]) -> str:
    """The partition in the model. A new iteration's partition, which only this request writes, is its own too."""
    if pk.startswith("ITERATION#"):
        return OWN
    return next((place for known, place in places.items() if known in pk), pk)


def _cpu_seconds(send: Callable[[], None]) -> float:
    begin = time.thread_time()
    send()
    return time.thread_time() - begin


if __name__ == "__main__":
    sys.exit(main())
