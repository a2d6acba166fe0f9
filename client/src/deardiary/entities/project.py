"""Projects, the roots of all work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from deardiary.api import Calls, path_of, present
from deardiary.entities.naming import find_or_create
from deardiary.wire.shapes import Project


class Projects(Calls):
    def create(
        self,
        name: str,
        description: str = "",
        *,
        id_key: str | None = None,
        created_date: datetime | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Project:
        """Create a project; if the same user has created one with this ``id_key``, return that one.

        Give ``created_date`` if it is a copy of an earlier one.
        """
        body = present(name=name, description=description, id_key=id_key, created_date=created_date, labels=labels)
        return self._api.post(Project, "/projects", body, repeatable=id_key is not None)

    def get(self, project_id: str) -> Project:
        return self._api.get(Project, path_of("projects", project_id))

    def list(self, *, name: str | None = None) -> Iterator[Project]:
        """List the projects that the caller may read, or those of exactly that name."""
        return self._api.pages(Project, "/projects", {"name": name})

    def find_or_create(self, name: str) -> Project:
        """Return the first project of that name, or create it; concurrent calls create only one."""
        return find_or_create(
            "project", name, lambda: self.list(name=name), lambda id_key: self.create(name, id_key=id_key)
        )

    def update(
        self,
        project_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        labels: Mapping[str, str | None] | None = None,
    ) -> Project:
        """Change the given fields. ``labels`` are merged: None removes one, the others stay."""
        body = present(name=name, description=description, labels=labels)
        return self._api.patch(Project, path_of("projects", project_id), body)

    def delete(self, project_id: str, *, purge: bool = False) -> None:
        """Delete a project and everything in it.

        ``client.trash`` restores it for seven days, unless ``purge`` removes it for good.
        """
        self._api.delete(path_of("projects", project_id), purge=purge)
