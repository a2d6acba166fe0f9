"""``deardiary iterations``."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from deardiary.cli import find
from deardiary.cli.columns import Column, columns_of, fitting
from deardiary.cli.command import Call, noun, removal, verb
from deardiary.cli.compare import rows_of, took
from deardiary.cli.output import GAP, shortened
from deardiary.shapes import IterationOverview
from deardiary.wire import to_json

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers
    from deardiary.client import Client


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
    fixed = [
        Column("id", [each.id for each in iterations]),
        Column("status", [each.status_id for each in iterations]),
        Column("created", [each.created_date for each in iterations]),
        Column("took", [took(each) for each in iterations]),
        Column("tags", [each.tags for each in iterations]),
    ]
    own = columns_of(iterations)
    room = call.output.room()
    shown = fitting(own, None if room is None else room - sum(each.width for each in fixed) + len(GAP))
    columns = [*fixed, *shown]
    rows = list(zip(*(each.values for each in columns), strict=True))
    call.output.table([each.key for each in columns], rows, f"There are no such iterations in {experiment.name}")
    if len(shown) < len(own):
        left_out = [each.key for each in own if each not in shown]
        call.output.say(f"Not shown: {shortened(', '.join(left_out))}. A wider terminal, a pipe or --json shows all.")


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
