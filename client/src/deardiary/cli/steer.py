"""``deardiary iterations stop`` and ``command``: ask a running iteration for something."""

import time
from collections.abc import Sequence

from deardiary.cli import find
from deardiary.cli.command import Call, Subparsers, verb
from deardiary.cli.failure import CommandFailed
from deardiary.cli.output import cell
from deardiary.wire.shapes import Command, Iteration

_WAIT_SECONDS = 1.0  # between two looks at an iteration that is to end
_COLUMNS = ("command", "text", "state", "step", "created")


def add(verbs: Subparsers, id_help: str) -> None:
    parser = verb(verbs, "stop", "end a running program, as Ctrl-C would", stop, iteration=id_help)
    parser.add_argument("--wait", action="store_true", help="wait until the iteration has ended")
    parser = verb(verbs, "command", "send a command to a running program", send, iteration=id_help)
    parser.add_argument("kind", help="stop, checkpoint, or a word that the program knows")
    parser.add_argument("text", nargs="?", default="", help="a text for the program")


def stop(call: Call) -> None:
    iteration = running(call)
    command = call.client.commands.create(iteration.id, "stop")
    if not call.given.wait:
        say = f"Asked iteration {iteration.id} to stop; its program does so after its next flush"
        call.output.changed(command, lambda _: say)
        return
    call.output.say(f"Asked iteration {iteration.id} to stop; waiting until it has ended, or Ctrl-C")
    while iteration.end_date is None:
        time.sleep(_WAIT_SECONDS)
        iteration = call.client.iterations.get(iteration.id)
    call.output.changed(iteration, lambda it: f"Iteration {it.id} has ended {it.status_id.name}")


def send(call: Call) -> None:
    iteration = running(call)
    command = call.client.commands.create(iteration.id, call.given.kind, call.given.text)
    call.output.changed(command, lambda it: f"Sent {it.kind} to iteration {it.iteration_id}")


def show(call: Call, commands: Sequence[Command]) -> None:
    """Print a table of the commands, unless there are none; `Output.json` has printed them."""
    if commands and not call.output.as_json:
        call.output.say("")
        rows = [[each.kind, each.text, each.state, each.step, each.created_date] for each in commands]
        call.output.table(_COLUMNS, rows)


def running(call: Call) -> Iteration:
    iteration = find.iteration(call.client, call.given.iteration)
    if iteration.end_date is not None:
        when = cell(iteration.end_date)
        raise CommandFailed(f"Iteration {iteration.id} has ended already: {iteration.status_id.name} at {when}")
    return iteration
