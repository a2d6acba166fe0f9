"""``deardiary share``."""

import argparse
from typing import Any

from deardiary.cli import find, session
from deardiary.cli.command import Call, Subparsers, count, noun, removal, verb
from deardiary.cli.failure import USAGE, CommandFailed

_PROJECT = "name or id (default: DEARDIARY_PROJECT)"
_COLUMNS = {
    "id": "id",
    "experiment": "experiment_id",
    "iterations": "iteration_ids",
    "created": "created_date",
    "expires": "expires_at",
}


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "share", "read-only links for people without an account; creating one takes your password")
    parser = verb(verbs, "iteration", "print a link to an iteration, or to several side by side", iteration)
    parser.add_argument("iterations", nargs="+", help="a name, PROJECT/EXPERIMENT/NAME, an id, or the beginning of one")
    _days(parser)
    parser = verb(verbs, "experiment", "print a link to an experiment with all its iterations", experiment)
    parser.add_argument("experiment", help="PROJECT/EXPERIMENT, or an id")
    _days(parser)
    parser = verb(verbs, "ls", "list the links into a project; the secret part of each is not kept", ls)
    parser.add_argument("project", nargs="?", help=_PROJECT)
    parser = removal(verbs, "revoke a link at once", rm, share="an id of `share ls`")
    parser.add_argument("--project", metavar="PROJECT", help=_PROJECT)


def _days(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=count, metavar="N", help="when the link ends (default: 30, at most 365)")


def iteration(call: Call) -> None:
    found = [find.iteration(call.client, each) for each in call.given.iterations]
    owners = {call.client.experiments.get(each).project_id for each in {each.experiment_id for each in found}}
    if len(owners) > 1:
        raise CommandFailed("A link shows iterations of one project", USAGE)
    _create(call, owners.pop(), iteration_ids=[each.id for each in found])


def experiment(call: Call) -> None:
    found = find.experiment(call.client, call.given.experiment)
    _create(call, found.project_id, experiment_id=found.id)


def _create(call: Call, project_id: str, **shared: Any) -> None:
    days = call.given.days
    made = session.with_session(call, lambda client: client.shares.create(project_id, **shared, expires_in_days=days))
    call.output.json(made)
    call.output.say(str(made.url))


def ls(call: Call) -> None:
    project = find.project(call.client, call.given.project)
    call.output.objects(call.client.shares.list(project.id), _COLUMNS, f"No links into {project.name} are in force")


def rm(call: Call) -> None:
    project = find.project(call.client, call.given.project)
    share = find.whole_id("links", call.client.shares.list(project.id), call.given.share)
    call.sure(f"the link {share}")
    call.client.shares.delete(project.id, share)
    call.output.deleted(share)
