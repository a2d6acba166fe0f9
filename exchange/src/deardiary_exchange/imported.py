"""Import an exported folder into a project of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary_exchange.copies import Copies
from deardiary_exchange.exported import ExportedProject
from deardiary_exchange.keys import key_of
from deardiary_exchange.load import Loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import deardiary
    from deardiary.wire.shapes import Project
    from deardiary_exchange.folder import Folder
    from deardiary_exchange.load import Report
    from deardiary_exchange.runs import Run


def import_folder(
    client: deardiary.Client, folder: Folder, name: str | None, *, progress: Callable[[int, int], None]
) -> Iterator[Report]:
    """Bring an export into the project of this name, by default that of the export; a report for each run.

    The project is created if there is none. ``progress`` is called with the runs done and their number.
    """
    exported = ExportedProject(folder)
    project_id = project_of(client, exported, name)
    loader = Loader(client, project_id, copies=Copies(client, project_id))
    yield from bring(exported, loader, exported.runs(), progress)


def bring(
    exported: ExportedProject, loader: Loader, runs: Iterator[Run], progress: Callable[[int, int], None]
) -> Iterator[Report]:
    """Bring everything of an export, of its runs these."""

    def counted() -> Iterator[Run]:
        total = exported.count()
        for number, run in enumerate(runs):
            progress(number, total)
            yield run
        progress(total, total)

    loader.load_experiments(exported.experiments())
    yield from loader.load_files(exported.loose_files())
    yield from loader.load(counted())
    loader.load_models(exported.models())
    yield from loader.load_versions(exported.versions())
    yield from loader.finish()


def project_of(client: deardiary.Client, exported: ExportedProject, name: str | None) -> str:
    """The id of the project; a new one has the description, the date and the labels of the exported one."""
    wanted = exported.project
    name = name or wanted["name"]
    found = next(client.projects.list(name=name), None)
    if found is None:
        found = _created(client, exported, name)
    for tag in exported.project_tags():
        client.tags.create("project", found.id, tag)
    return found.id


def _created(client: deardiary.Client, exported: ExportedProject, name: str) -> Project:
    wanted = exported.project

    def create(id_key: str | None) -> Project:
        date, labels = wanted["created_date"], exported.labels
        return client.projects.create(name, wanted["description"], id_key=id_key, created_date=date, labels=labels)

    made = create(key_of(f"deardiary:project:{wanted['id']}\n{name}"))
    # The key may name a project that has been renamed since.
    return made if made.name == name else create(None)
