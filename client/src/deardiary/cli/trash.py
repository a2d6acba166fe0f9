"""``deardiary trash``."""

from deardiary.cli import find
from deardiary.cli.command import Call, Subparsers, noun, verb
from deardiary.cli.failure import USAGE, CommandFailed

COLUMNS = {"id": "id", "kind": "kind", "name": "name", "deleted": "deleted_date", "purged": "purge_date"}


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "trash", "deleted objects, which can be restored for some days")
    parser = verb(verbs, "ls", "list what was deleted in a project, the last first", ls)
    parser.add_argument("project", nargs="?", help="name or id (default: list the deleted projects)")
    parser = verb(verbs, "restore", "restore deleted objects as they were", restore)
    parser.add_argument("--name", help="another name, for an object whose name has been taken since")
    parser.add_argument("ids", nargs="+", help="an id of `trash ls`")
    parser = verb(verbs, "purge", "remove deleted objects for good", purge)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("ids", nargs="+", help="an id of `trash ls`")


def ls(call: Call) -> None:
    given = call.given.project
    project = None if given is None else find.project(call.client, given)
    found = call.client.trash.list(None if project is None else project.id)
    empty = "There are no deleted projects" if project is None else f"There is nothing in the trash of {project.name}"
    newest_first = sorted(found, key=lambda each: each.deleted_date, reverse=True)
    call.output.objects(newest_first, COLUMNS, empty, whole_ids=True)  # no request finds a deleted object by less


def restore(call: Call) -> None:
    if call.given.name is not None and len(call.given.ids) > 1:
        raise CommandFailed("--name is for one object", USAGE)
    restored = [call.client.trash.restore(each, call.given.name) for each in call.given.ids]
    call.output.json(restored)
    for each in restored:
        call.output.say(f"Restored {type(each).__name__.lower()} {each.name} ({each.id})")


def purge(call: Call) -> None:
    ids = call.given.ids
    call.sure(f"{len(ids)} objects" if len(ids) > 1 else ids[0], for_good=True)
    for each in ids:
        call.client.trash.purge(each)
    call.output.deleted(*ids)
