"""Import an exported folder into a project of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary_exchange.exported import ExportedProject
from deardiary_exchange.load import Loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import deardiary
    from deardiary_exchange.folder import Folder
    from deardiary_exchange.load import Report


def import_folder(
    client: deardiary.Client, folder: Folder, name: str | None, *, progress: Callable[[int, int], None]
) -> Iterator[Report]:
    """Bring an export into the project of this name, by default that of the export; a report for each run.

    The project is created if there is none. ``progress`` is called with the runs done and their number.
    """
    exported = ExportedProject(folder)
    loader = Loader(client, project_of(client, exported, name))
    loader.load_experiments(exported.experiments())
    yield from loader.load_files(exported.loose_files())
    total = exported.count()
    for number, report in enumerate(loader.load(exported.runs()), 1):
        progress(number, total)
        yield report
    loader.load_models(exported.models())
    yield from loader.load_versions(exported.versions())
    yield from loader.finish()


def project_of(client: deardiary.Client, exported: ExportedProject, name: str | None) -> str:
    """The id of the project; a new one has the description, the date and the labels of the exported one."""
    wanted = exported.project
    name = name or wanted["name"]
    found = next(client.projects.list(name=name), None)
    if found is None:
        found = client.projects.create(
            name,
            wanted["description"],
            id_key=f"deardiary:project:{wanted['id']}",
            created_date=wanted["created_date"],
            labels=exported.labels,
        )
    for tag in exported.project_tags():
        client.tags.create("project", found.id, tag)
    return found.id
