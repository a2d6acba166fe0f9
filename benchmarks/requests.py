"""The cost of every route in DynamoDB: calls, items read, read units and write units of one request.

The app runs in this process on the local emulator. Each route is called once, by a member of the project or, if it
requires one, an admin, in a world that no other request has changed, and without the REFs that a warm process caches.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kit.calls import Call
from benchmarks.kit.metering import READS, Meter
from benchmarks.kit.report import Number, parse_options, show
from chalicelib import security
from chalicelib.storage.reads import lineage
from chalicelib.storage.table import keys
from chalicelib.storage.table.keys import Key
from infra.emulator.launcher import running_emulator
from tests.support.asks import ASKS, OPERATIONS, Ask
from tests.support.server import Server, server_on_emulator
from tests.support.world import World, make_world

COLUMNS = ("calls", "items read", "read units", "write units", "emulator", "other calls", "route")
MAX_AUTH_ITEMS = 2


class RequestsFailed(Exception):
    """A route is unknown to this benchmark, does not answer, or costs more than allowed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one request. `reported` is the emulator's count of units; the others follow DynamoDB's rules."""

    route: str
    auth_items: int
    calls: int
    items: int
    reads: Number
    writes: Number
    reported: float
    others: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("requests", __doc__, arguments)
    # The time of a password is not measured here; its hash always has the same size.
    security.BCRYPT_COST = 4
    with (
        tempfile.TemporaryDirectory() as directory,
        running_emulator(Path(directory)) as emulator,
        server_on_emulator(emulator.environment()) as server,
        Meter.attached() as meter,
    ):
        try:
            costs = list(measure_all(server, meter))
            auth_items = auth_items_read(costs)
        except RequestsFailed as error:
            print(f"benchmarks.requests: {error}", file=sys.stderr)
            return 1
    show(options, _figures(costs, auth_items), COLUMNS, [_row(cost) for cost in costs])
    return 0


def registered_routes() -> list[str]:
    """All routes of the app, in the order of this benchmark, which must list exactly those."""
    registered = {f"{each.method} {each.path}" for each in OPERATIONS}
    if registered != ASKS.keys():
        raise RequestsFailed(f"tests/support/asks.py and the app differ in {sorted(registered ^ ASKS.keys())}")
    return list(ASKS)


def measure_all(server: Server, meter: Meter) -> Iterator[Cost]:
    routes, untouched = registered_routes(), make_world(server)
    for route in routes:
        yield measure(server, meter, route, untouched if route.startswith("GET ") else make_world(server))


def measure(server: Server, meter: Meter, route: str, world: World) -> Cost:
    ask = ASKS[route](world)
    method, _, path = route.partition(" ")
    path = path.format(**world.ids | ask.ids) + ask.query
    # Like the first request of a new process, which has no REF cached: a later one reads one item less.
    lineage._cached_ancestors.cache_clear()  # noqa: SLF001
    with meter.measuring() as calls:
        reply = server.call(method, path, ask.body, token=_token(server, world.token, ask), headers=ask.headers)
    if reply.status >= 400:
        raise RequestsFailed(f"{route} answered {reply.status}: {reply.body}")
    return _cost(route, calls, world.ids["user_id"])


def auth_items_read(costs: Sequence[Cost]) -> int:
    """The number of items that authentication and permission read for a project. RequestsFailed for more than two."""
    (found,) = (cost.auth_items for cost in costs if cost.route == "GET /projects/{project_id}")
    if found > MAX_AUTH_ITEMS:
        raise RequestsFailed(f"authentication and permission read {found} items, at most {MAX_AUTH_ITEMS} are allowed")
    return found


def _token(server: Server, member: str, ask: Ask) -> str:
    return server.token() if ask.admin else member


def _cost(route: str, calls: Sequence[Call], user_id: str) -> Cost:
    table = [call for call in calls if call.service == "dynamodb"]
    read = [key for call in table if call.operation in READS for key in call.keys]
    return Cost(
        route,
        auth_items=sum(_is_auth(key, user_id) for key in read),
        calls=len(table),
        items=sum(call.items_read for call in table),
        reads=sum(call.read_units for call in table),
        writes=sum(call.write_units for call in table),
        reported=sum(call.reported or 0 for call in table),
        others=tuple(f"{call.service}:{call.operation}" for call in calls if call.service != "dynamodb"),
    )


def _is_auth(key: Key, user_id: str) -> bool:
    return key == keys.user(user_id) or (key.pk == keys.user_partition(user_id) and key.sk.startswith(keys.PERMISSION))


def _figures(costs: Sequence[Cost], auth_items: int) -> dict[str, Number]:
    figures: dict[str, Number] = {"auth_items_read": auth_items}
    for cost in costs:
        named = {"reads": cost.reads, "writes": cost.writes, "items_read": cost.items, "calls": cost.calls}
        figures |= {f"{cost.route} {name}": value for name, value in named.items()}
    return figures


def _row(cost: Cost) -> tuple[object, ...]:
    others = " ".join(cost.others) or "-"
    return cost.calls, cost.items, cost.reads, cost.writes, cost.reported, others, cost.route


if __name__ == "__main__":
    sys.exit(main())
