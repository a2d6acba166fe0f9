"""Copy what is new in a project of one server to another server.

The tables of the source are exported into a folder that stays, so that the next replication reads only changes; the
bytes of files go from server to server. The folder also says which runs were copied as they are, so that these cost no
request; without it everything is compared again.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from deardiary_exchange.copies import Copies
from deardiary_exchange.export import export_project
from deardiary_exchange.exported import ExportedProject
from deardiary_exchange.imported import bring, project_of
from deardiary_exchange.load import Loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import deardiary
    from deardiary_exchange.folder import Folder
    from deardiary_exchange.load import Report
    from deardiary_exchange.runs import Run

    Progress = Callable[[int, int], None]


def replicate(
    source: deardiary.Client,
    project_id: str,
    target: deardiary.Client,
    name: str | None,
    folder: Folder,
    *,
    progress: Progress,
) -> Iterator[Report]:
    """Copy a project into the project of this name, by default the same; a report for each run that was looked at."""
    Copies(source, project_id).settle(target, _same_project(target, source, project_id, name))
    export_project(source, project_id, folder, with_files=False)
    with _bytes_of(source) as opened:
        exported = ExportedProject(folder, opened)
        target_id = project_of(target, exported, name)
        loader = Loader(target, target_id, copies=Copies(target, target_id), update=True)
        copied = _Copied(folder, target_id, exported)
        for report in bring(exported, loader, copied.left(loader), progress):
            copied.note(report)
            yield report
        copied.keep()


def _same_project(target: deardiary.Client, source: deardiary.Client, project_id: str, name: str | None) -> str:
    """The id of the target project; an empty text if there is none yet."""
    found = next(target.projects.list(name=name or source.projects.get(project_id).name), None)
    return found.id if found is not None else ""


class _Copied:
    """Which runs were copied to a target as they are at the source, by their marks."""

    def __init__(self, folder: Folder, target_id: str, exported: ExportedProject) -> None:
        self._folder = folder
        self._name = f"copied/{target_id}.json"
        self._exported = exported
        self._failed: set[str] = set()

    def left(self, loader: Loader) -> Iterator[Run]:
        """The runs that have changed since they were copied."""
        before: dict[str, str] = self._folder.read_json(self._name) or {}
        marks = self._exported.marks()
        for run in self._exported.runs():
            if run.key in marks and before.get(run.key) == marks[run.key]:
                loader.leave(run)
            else:
                yield run

    def note(self, report: Report) -> None:
        if report.outcome == "failed":
            self._failed.add(report.key)

    def keep(self) -> None:
        marks = {key: mark for key, mark in self._exported.marks().items() if key not in self._failed}
        self._folder.write_json(self._name, marks)


@contextmanager
def _bytes_of(client: deardiary.Client) -> Iterator[Callable[[str], BinaryIO]]:
    """A function that opens the bytes of a resource of a server, by its id."""
    with tempfile.TemporaryDirectory(prefix="deardiary-") as folder:

        def opened(resource_id: str) -> BinaryIO:
            path = client.resources.download(resource_id, Path(folder) / "content")
            stream = path.open("rb")
            path.unlink()  # the stream still reads it
            return stream

        yield opened
