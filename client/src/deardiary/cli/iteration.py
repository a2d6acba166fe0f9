"""``deardiary iterations``."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from deardiary.cli import find
from deardiary.cli.command import Call, noun, removal, verb
from deardiary.cli.compare import rows_of, took
from deardiary.shapes import IterationOverview
from deardiary.wire import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deardiary.cli.command import Subparsers
    from deardiary.client import Client

_SHOWN = 4  # of the parameters, and of the metrics, in a list


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "iterations", "runs of an experiment")
    parser = verb(verbs, "ls", "list the iterations of an experiment, with what they own", ls)
    parser.add_argument("experiment", nargs="?", metavar="EXPERIMENT", help="PROJECT/EXPERIMENT, or an id")
    parser.add_argument("--filter", help='like: metrics.loss < 0.3 and parameters.lr = "0.01" and tags = "best"')
    parser.add_argument("--order-by", help="like: metrics.accuracy desc, created_date")
    parser.add_argument("--limit", type=int, help="list no more than so many")
    verb(verbs, "show", "show an iteration", show).add_argument("iteration", metavar="ITERATION")
    parser = verb(verbs, "compare", "show iterations side by side", compare)
    parser.add_argument("iterations", nargs="+", metavar="ITERATION")
    parser.add_argument("--differing", action="store_true", help="only what differs")
    removal(verbs, "delete iterations", rm).add_argument("iterations", nargs="+", metavar="ITERATION")


def ls(call: Call) -> None:
    experiment = find.experiment(call.client, call.given.experiment)
    found = call.client.iterations.list(
        experiment.id,
        filter=call.given.filter,
        order_by=call.given.order_by,
        include=("parameters", "metrics", "tags"),
    )
    iterations = list(islice(found, call.given.limit))
    call.output.json(iterations)
    parameters = _first(key for each in iterations for key in each.parameters or {})
    metrics = _first(key for each in iterations for key in each.metrics or {})
    columns = ["id", "status", "created", "took", "tags", *parameters, *metrics]
    rows = [_row(each, parameters, metrics) for each in iterations]
    call.output.table(columns, rows, f"There are no such iterations in {experiment.name}")


def show(call: Call) -> None:
    overview = overview_of(call.client, call.given.iteration)
    children = list(call.client.iterations.children(overview.id))
    resources = list(call.client.resources.list(overview.experiment_id, iteration_id=overview.id))
    call.output.json({**to_json(overview), "children": [each.id for each in children], "resources": resources})
    call.output.fields({name: value for name, _, (value,) in rows_of([overview]) if value not in (None, "")})
    if children:
        call.output.fields({"children": [each.id for each in children]})
    if resources:
        call.output.say("")
        call.output.table(["resource", "name", "bytes"], [[each.id, each.name, each.size_bytes] for each in resources])
    if overview.error_message:
        call.output.say(f"\n{overview.error_message.rstrip()}")


def compare(call: Call) -> None:
    found = [overview_of(call.client, each) for each in call.given.iterations]
    rows = [row for row in rows_of(found) if row[1] or not call.given.differing]
    call.output.json([{"name": name, "differs": differs, "values": values} for name, differs, values in rows])
    shown = [["*" if differs else "", name, *values] for name, differs, values in rows if name != "id"]
    call.output.table(["", "", *(each.id for each in found)], shown, "They do not differ")


def rm(call: Call) -> None:
    found = [call.client.iterations.get(each) for each in call.given.iterations]
    call.sure(f"{len(found)} iterations with all that they own" if len(found) > 1 else f"iteration {found[0].id}")
    for each in found:
        call.client.iterations.delete(each.id)
    call.output.deleted(*(each.id for each in found))


def overview_of(client: Client, iteration_id: str) -> IterationOverview:
    iteration = client.iterations.get(iteration_id)
    return IterationOverview(
        **{name: getattr(iteration, name) for name in type(iteration).__dataclass_fields__},
        parameters={each.key: each.value for each in client.parameters.list(iteration_id)},
        metrics=client.metrics.summary(iteration_id),
        tags=tuple(each.value for each in client.tags.list("iteration", iteration_id)),
    )


def _row(iteration: IterationOverview, parameters: Sequence[str], metrics: Sequence[str]) -> list[object]:
    known, summaries = iteration.parameters or {}, iteration.metrics or {}
    return [
        *(iteration.id, iteration.status_id, iteration.created_date, took(iteration), iteration.tags),
        *(known.get(key) for key in parameters),
        *(summaries[key].last if key in summaries else None for key in metrics),
    ]


def _first(keys: Iterable[str]) -> list[str]:
    """The keys that most iterations have, and no more than a terminal is wide."""
    return [key for key, _ in Counter(keys).most_common(_SHOWN)]
