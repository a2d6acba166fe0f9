"""``deardiary iterations``."""

import sys
from collections.abc import Iterator, Sequence
from heapq import nlargest
from itertools import islice
from typing import Final

from deardiary import terminal
from deardiary.cli import deletion_extent, find, lineage, printed, steer
from deardiary.cli.bulk import change_many
from deardiary.cli.columns import Column, also_named, as_tree, fitting, named, narrow, wide
from deardiary.cli.command import Call, Subparsers, count, noun, one_of, trashing, verb
from deardiary.cli.compare import ALWAYS, Row, rows_of
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.cli.follow import follow
from deardiary.cli.kind import Kind
from deardiary.cli.metric import SUMMARY, summary_row
from deardiary.cli.output import GAP, cell, short_ids, shortened, with_words
from deardiary.client import Client
from deardiary.errors import ClientError
from deardiary.wire.shapes import Experiment, Iteration, IterationOverview, IterationStatus, Project

_ID = "a name, PROJECT/EXPERIMENT/NAME, an id, or the beginning of one"
_KIND = Kind("iteration", _ID, find.iteration)
_WIDEST_SAME = 24
_LONGEST = 400  # of a parameter, in `show` on a terminal
NEWEST_FIRST = "created_date desc"
_OWNED: Final = ("parameters", "metrics", "tags")


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "iterations", "runs of an experiment")
    parser = verb(verbs, "ls", "list the iterations of an experiment, with what they own", ls)
    parser.add_argument("experiment", nargs="?", help="PROJECT/EXPERIMENT, or an id")
    parser.add_argument("--project", metavar="PROJECT", help="list the iterations of all its experiments")
    parser.add_argument(
        "--filter", help='(docs/search.md) like: metrics.loss < 0.3 and parameters.lr = "0.01" and tags = "best"'
    )
    parser.add_argument("--order-by", help="like: metrics.accuracy desc, created_date")
    parser.add_argument("--limit", type=count, metavar="N", help="list no more than N")
    parser.add_argument("--columns", metavar="A,B", help="these columns, like: status,parameters.lr,metrics.loss")
    parser.add_argument("--follow", action="store_true", help="show the table again after each change, until Ctrl-C")
    parser.add_argument("--wide", action="store_true", help="all columns and whole ids, however wide the terminal is")
    parser = verb(verbs, "keys", "list the parameters, metrics, labels and tags that an experiment uses", keys)
    parser.add_argument("experiment", nargs="?", help="PROJECT/EXPERIMENT, or an id")
    verb(verbs, "show", "show an iteration", show, iteration=_ID)
    parser = verb(verbs, "output", "print what an iteration has printed", printed.show, iteration=_ID)
    parser.add_argument("--follow", action="store_true", help="print new lines until the iteration has ended")
    parser.add_argument("--stream", choices=["stdout", "stderr"], help="only the lines of this stream")
    parser.add_argument("--tail", type=count, metavar="N", help="begin with the newest N lines")
    parser = verb(verbs, "compare", "show iterations side by side", compare)
    parser.add_argument("iterations", nargs="+", help=_ID)
    parser.add_argument("--differing", action="store_true", help="only what differs")
    verb(verbs, "rename", "give an iteration another name", rename, iteration=_ID, name="the new name")
    parser = verb(verbs, "note", "set the notes of an iteration", note, iteration=_ID)
    parser.add_argument("text", help="the notes; - reads them from stdin")
    _KIND.add_tag(verbs, tag).add_argument(
        "--also", action="append", metavar="ITERATION", help="this iteration too; may be repeated"
    )
    _KIND.add_label(verbs)
    steer.add(verbs, _ID)
    parser = verb(verbs, "end", "end an iteration whose program no longer runs", end, iteration=_ID)
    ends = [each.name for each in IterationStatus if each is not IterationStatus.RUNNING]
    parser.add_argument(
        "--status", type=one_of(IterationStatus), choices=ends, default="KILLED", help="(default: KILLED)"
    )
    trashing(verbs, "delete iterations", rm).add_argument("iterations", nargs="+", help=_ID)


def ls(call: Call) -> None:
    given = call.given
    if given.project and given.experiment:
        raise CommandFailed("Give an experiment or --project, not both", USAGE)
    project = find.project(call.client, given.project) if given.project else None
    owner = project or find.experiment(call.client, given.experiment)
    if given.follow:
        _follow(call, owner)
        return
    _show_all(call, owner, project, _of_project(call, project) if project else _of_experiment(call, owner.id))


def _follow(call: Call, owner: Experiment | Project) -> None:
    """Show the iterations of an experiment again after each change. They keep the order of their creation."""
    given = call.given
    if given.project or given.filter or given.order_by or given.json:
        raise CommandFailed("--follow shows a whole experiment: no --project, --filter, --order-by and --json", USAGE)
    for iterations in follow(call.client, owner.id, lambda: _of_experiment(call, owner.id)):
        terminal.clear()
        _show_all(call, owner, None, iterations[: given.limit])
        sys.stdout.flush()


def _show_all(
    call: Call, owner: Experiment | Project, project: Project | None, iterations: list[IterationOverview]
) -> None:
    given = call.given
    call.output.json(iterations)
    room = None if given.wide else call.output.room()
    labels = [each.id for each in iterations] if room is None else short_ids([each.id for each in iterations])
    if given.order_by is None and room is not None:
        iterations, labels = as_tree(iterations, labels)
    left_out: list[str] = []
    where = [_experiments(call, project, iterations)] if project and not call.output.as_json else []
    if given.columns:
        columns = [Column("id", labels), *_chosen(iterations, given.columns)]
    elif room is None:
        columns = [Column("id", labels), *wide(iterations)]
    else:
        columns, left_out = narrow(iterations, labels, room - sum(each.width for each in where))
    columns[1:1] = where
    rows = list(zip(*(each.values for each in columns), strict=True))
    empty = f"There are no such iterations in {owner.name}"
    call.output.table([each.key for each in columns], rows, empty, whole=given.wide)
    if left_out:
        call.output.note(f"Not shown: {shortened(', '.join(left_out))}. Choose with --columns, or see all with --wide.")
    if project is None and len(iterations) == given.limit and room is not None and not given.follow:
        total = call.client.iterations.count(owner.id, filter=given.filter)
        call.output.note(f"{len(iterations):,} of {total:,} iterations")


def keys(call: Call) -> None:
    owner = find.experiment(call.client, call.given.experiment)
    used = call.client.iterations.keys(owner.id)
    call.output.json(used)
    kinds = {kind: getattr(used, kind) for kind in ("parameters", "metrics", "labels", "tags")}
    rows = [[kind, each.key, each.type, each.count] for kind, uses in kinds.items() for each in uses]
    call.output.table(["kind", "key", "type", "iterations"], rows, f"The iterations in {owner.name} use no keys yet")


def _of_experiment(call: Call, experiment_id: str) -> list[IterationOverview]:
    given = call.given
    found = call.client.iterations.list(
        experiment_id, filter=given.filter, order_by=given.order_by or NEWEST_FIRST, include=_OWNED
    )
    return list(islice(found, given.limit))


def _of_project(call: Call, project: Project) -> list[IterationOverview]:
    """List the newest first, unless another order is given."""
    given = call.given

    def list_(order_by: str | None = None) -> Iterator[IterationOverview]:
        return call.client.iterations.list(project=project.id, filter=given.filter, order_by=order_by, include=_OWNED)

    try:
        if given.order_by or given.limit:
            return list(islice(list_(order_by=given.order_by or NEWEST_FIRST), given.limit))
    except ClientError as error:
        if given.order_by or error.details.get("field") != "order_by":
            raise
    # The server does not sort a project of many experiments, and reads all of it again for each page.
    return nlargest(given.limit or sys.maxsize, list_(), key=lambda each: each.created_date)


def _experiments(call: Call, project: Project, iterations: Sequence[IterationOverview]) -> Column:
    names = {each.id: each.name for each in call.client.experiments.list(project.id)} if iterations else {}
    values = [names.get(each.experiment_id, each.experiment_id) for each in iterations]
    return Column("experiment", values if call.given.wide else [shortened(each, _WIDEST_SAME) for each in values])


def show(call: Call) -> None:
    overview = overview_of(call.client, find.iteration(call.client, call.given.iteration))
    children = list(call.client.iterations.children(overview.id))
    resources = list(call.client.resources.list(overview.experiment_id, iteration_id=overview.id))
    read, produced = lineage.of_iteration(call.client, overview.id)
    owned = {"children": [each.id for each in children], "resources": resources}
    commands = list(call.client.commands.list(overview.id))
    owned |= {"inputs": read, "modelversions": produced, "commands": commands}
    call.output.json({**with_words(overview), **owned})
    rows = [row for row in rows_of([overview]) if not row[0].startswith("metrics.")]
    fields = {name: value for name, _, (value,) in rows if value not in (None, "")}
    if overview.created_by:
        fields["created_by"] = _author(call.client, overview.created_by)
    cut = [] if call.output.room() is None else _cut_parameters(fields)
    call.output.fields(fields)
    if cut:
        call.output.note(f"Cut: {', '.join(cut)}. A pipe and --json show all.")
    if overview.metrics:
        call.output.say("")
        call.output.table(SUMMARY, [summary_row(key, each) for key, each in overview.metrics.items()])
    if children:
        call.output.fields({"children": [each.id for each in children]})
    lineage.show(call, read, produced)
    steer.show(call, commands)
    if resources:
        call.output.say("")
        ids = [each.id for each in resources]
        shown = ids if call.output.room() is None else short_ids(ids)
        rows_ = [[short, each.name, each.size_bytes] for short, each in zip(shown, resources, strict=True)]
        call.output.table(["resource", "name", "bytes"], rows_)
    if overview.error_message:
        call.output.say(f"\n{overview.error_message.rstrip()}")


def _author(client: Client, user_id: str) -> str:
    """The username, where the caller may read it; else the id."""
    try:
        return client.users.get(user_id).username
    except ClientError as error:
        if error.status not in (403, 404):
            raise
        return user_id


def _cut_parameters(fields: dict[str, object]) -> list[str]:
    kinds = ("parameters.", "labels.")
    long = [name for name, value in fields.items() if name.startswith(kinds) and len(cell(value)) > _LONGEST]
    for name in long:
        fields[name] = shortened(cell(fields[name]), _LONGEST)
    return long


def compare(call: Call) -> None:
    found = [overview_of(call.client, find.iteration(call.client, each)) for each in call.given.iterations]
    rows = [row for row in rows_of(found) if row[1] or not call.given.differing]
    call.output.json([{"name": name, "differs": differs, "values": values} for name, differs, values in rows])
    if call.output.as_json:
        return
    room = call.output.room()
    labels = _headings(found, whole=room is None)
    shown = [row for row in rows if row[0] != ("id" if labels[0] == found[0].id else "name")]
    side_by_side = [["*" if differs else "", name, *values] for name, differs, values in shown]
    headings = ["", "", *labels]
    if room is None or call.output.width(headings, side_by_side) <= room:
        call.output.table(headings, side_by_side, "They do not differ")
    else:
        _compare_below_each_other(call, labels, rows, room)


def _headings(found: Sequence[Iteration], *, whole: bool) -> list[str]:
    """The names; the ids if two have the same name."""
    names = [each.name if whole else shortened(each.name, _WIDEST_SAME) for each in found]
    if len(set(names)) == len({each.id for each in found}):
        return names
    return [each.id for each in found] if whole else short_ids([each.id for each in found])


def _compare_below_each_other(call: Call, labels: list[str], rows: list[Row], room: int) -> None:
    """A row per iteration, and as many columns in which they differ as fit."""
    differing = [Column(_key(name), values, name).cut() for name, differs, values in rows if differs]
    heading = Column("iteration", labels)
    shown = fitting(differing, room - heading.width + len(GAP))
    columns = [heading, *shown]
    call.output.table([each.key for each in columns], list(zip(*(each.values for each in columns), strict=True)))
    left_out = [each.path for each in differing if each not in shown]
    if left_out:
        call.output.note(f"They differ too in: {', '.join(left_out)}")
    same = [
        f"{name}={shortened(cell(values[0]), _WIDEST_SAME)}"
        for name, differs, values in rows
        if not differs and name not in ALWAYS
    ]
    if same:
        call.output.note(f"The same in all: {', '.join(same)}")


def _key(name: str) -> str:
    return name.removeprefix("parameters.").removeprefix("metrics.")


def _chosen(iterations: list[IterationOverview], keys: str) -> list[Column]:
    offered = wide(iterations)
    try:
        return named([*offered, *also_named(iterations)], [key.strip() for key in keys.split(",")])
    except KeyError as error:
        names = ", ".join(each.path or each.key for each in offered)
        raise CommandFailed(f"There is no column {error.args[0]!r}; there are: {names}", USAGE) from None


def rename(call: Call) -> None:
    iteration = find.iteration(call.client, call.given.iteration)
    renamed = call.client.iterations.update(iteration.id, name=call.given.name)
    call.output.changed(renamed, lambda it: f"Renamed iteration {it.id} to {it.name}")


def note(call: Call) -> None:
    iteration = find.iteration(call.client, call.given.iteration)
    text = sys.stdin.read() if call.given.text == "-" else call.given.text
    noted = call.client.iterations.update(iteration.id, notes=text)
    call.output.changed(noted, lambda it: f"Set the notes of iteration {it.id}")


def tag(call: Call) -> None:
    given = call.given
    if given.also:
        found = [find.iteration(call.client, each) for each in (given.iteration, *given.also)]
        change_many(call, found, **{"remove_tags" if given.remove else "add_tags": given.tags})
        return
    _KIND.change_tags(call)


def end(call: Call) -> None:
    iteration = steer.running(call)
    ended = call.client.iterations.update(iteration.id, status_id=IterationStatus[call.given.status])
    call.output.changed(ended, lambda it: f"Ended iteration {it.id} as {it.status_id.name}")


def rm(call: Call) -> None:
    found = [find.iteration(call.client, each) for each in call.given.iterations]
    what = f"{len(found)} iterations" if len(found) > 1 else f"iteration {found[0].id}"
    owned = (each for one in found for each in call.client.resources.list(one.experiment_id, iteration_id=one.id))
    call.sure(what, lambda: deletion_extent.of_resources(owned))
    for each in found:
        call.client.iterations.delete(each.id, purge=call.given.purge)
    call.deleted(*(each.id for each in found))


def overview_of(client: Client, iteration: Iteration) -> IterationOverview:
    return IterationOverview(
        **{name: getattr(iteration, name) for name in type(iteration).__dataclass_fields__},
        parameters={each.key: each.value for each in client.parameters.list(iteration.id)},
        metrics=client.metrics.summary(iteration.id),
        tags=tuple(each.value for each in client.tags.list("iteration", iteration.id)),
    )
