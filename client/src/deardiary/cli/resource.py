"""``deardiary resources``."""

import argparse
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from deardiary.cli import deletion_extent, find
from deardiary.cli.command import Call, Subparsers, noun, trashing, verb
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.cli.kind import Kind
from deardiary.terminal import size
from deardiary.transfer.progress import Bar
from deardiary.wire.shapes import Resource

COLUMNS = {"id": "id", "name": "name", "bytes": "size_bytes", "state": "state", "created": "created_date"}


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "resources", "artifacts of an experiment or an iteration")
    _owner(verb(verbs, "ls", "list resources", ls))
    parser = verb(verbs, "upload", "upload files, and all files in folders", upload)
    parser.add_argument("paths", nargs="+", help="a file, or a folder with all files below it")
    parser.add_argument("--name", help="of the resource (default: the file's); of a folder, the prefix of its names")
    parser.add_argument("--description", default="", help="of each resource (default: none)")
    _owner(parser)
    parser = verb(verbs, "download", "download a resource to a file, or into a directory", download, resource="an id")
    parser.add_argument("target", nargs="?", default=".", help="(default: the working directory)")
    forcing(parser)
    parser = verb(verbs, "download-all", "download all files of an experiment or an iteration, as a tree", download_all)
    parser.add_argument("folder", nargs="?", default=".", help="(default: the working directory)")
    forcing(parser)
    _owner(parser)
    Kind("resource", "an id", find.resource).add_edit(verbs)
    parser = trashing(verbs, "delete resources", rm)
    parser.add_argument("resources", nargs="+", help="an id")


def ls(call: Call) -> None:
    experiment_id, iteration_id = _of(call)
    found = call.client.resources.list(experiment_id, iteration_id=iteration_id)
    call.output.objects(found, COLUMNS, "There are no resources")


def upload(call: Call) -> None:
    if call.given.name is not None and len(call.given.paths) > 1:
        raise CommandFailed("--name is for one file or folder", USAGE)
    if "" in call.given.paths:  # as a Path it would be the working directory
        raise CommandFailed("A PATH is empty: name a file or a folder; `.` is the working directory", USAGE)
    experiment_id, iteration_id = _of(call)
    stored: list[Resource] = []
    for path in map(Path, call.given.paths):
        new = _upload(call, path, experiment_id, iteration_id)
        stored += new
        for each in new:
            call.output.say(f"{each.name} is {each.id} ({each.size_bytes} bytes, sha256 {each.content_hash})")
    call.output.json(stored)


def download(call: Call) -> None:
    resource = find.resource(call.client, call.given.resource)
    path = fetch(call, resource)
    call.output.json({"resource_id": resource.id, "path": str(path)})
    call.output.say(str(path))


def fetch(call: Call, resource: Resource) -> Path:
    """Download to the TARGET of the command. CommandFailed if another file is there, unless --force is set."""
    with Bar(resource.name) as bar, _unforced():
        return call.client.resources.download(resource.id, call.given.target, progress=bar, overwrite=call.given.force)


def forcing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="replace existing files with other content")


@contextlib.contextmanager
def _unforced() -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise CommandFailed(f"{error}; --force replaces it") from None


def download_all(call: Call) -> None:
    experiment_id, iteration_id = _of(call)
    with Bar(call.given.folder) as bar, _unforced():
        paths = call.client.resources.download_all(
            experiment_id, call.given.folder, iteration_id=iteration_id, progress=bar, overwrite=call.given.force
        )
    call.output.json({"paths": [str(path) for path in paths]})
    for path in paths:
        call.output.say(str(path))


def rm(call: Call) -> None:
    found = [find.resource(call.client, each) for each in call.given.resources]
    one = f"resource {found[0].name} ({found[0].id}) of {size(found[0].size_bytes)}"
    call.sure(deletion_extent.of_resources(found) if len(found) > 1 else one)
    for each in found:
        call.client.resources.delete(each.id, purge=call.given.purge)
    call.deleted(*(each.id for each in found))


def _owner(parser: argparse.ArgumentParser) -> None:
    owner = parser.add_mutually_exclusive_group(required=True)
    owner.add_argument("--iteration", help="an id")
    owner.add_argument("--experiment", help="PROJECT/EXPERIMENT, or an id")


def _upload(call: Call, path: Path, experiment_id: str, iteration_id: str | None) -> Sequence[Resource]:
    name, description = call.given.name, call.given.description
    with Bar(str(path)) as bar:
        if path.is_dir():
            return call.client.resources.upload_folder(
                experiment_id, path, name, iteration_id=iteration_id, description=description, progress=bar
            )
        one = call.client.resources.upload(
            experiment_id, path, name, iteration_id=iteration_id, description=description, progress=bar
        )
        return [one]


def _of(call: Call) -> tuple[str, str | None]:
    if call.given.iteration is not None:
        iteration = find.iteration(call.client, call.given.iteration)
        return iteration.experiment_id, iteration.id
    return find.experiment(call.client, call.given.experiment).id, None
