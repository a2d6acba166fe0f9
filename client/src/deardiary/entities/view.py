"""Views of projects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deardiary.api import Calls, path_of, present
from deardiary.wire.shapes import View


class Views(Calls):
    """Named views of a project. ``state`` is a JSON object of at most 64 KiB, such as the columns of a table."""

    def create(self, project_id: str, name: str, state: Mapping[str, Any]) -> View:
        return self._api.post(View, path_of("projects", project_id, "views"), {"name": name, "state": state})

    def get(self, project_id: str, view_id: str) -> View:
        return self._api.get(View, path_of("projects", project_id, "views", view_id))

    def list(self, project_id: str) -> Iterator[View]:
        return self._api.pages(View, path_of("projects", project_id, "views"))

    def update(
        self, project_id: str, view_id: str, *, name: str | None = None, state: Mapping[str, Any] | None = None
    ) -> View:
        """Change the name, or replace the whole state."""
        body = present(name=name, state=state)
        return self._api.patch(View, path_of("projects", project_id, "views", view_id), body)

    def delete(self, project_id: str, view_id: str) -> None:
        self._api.delete(path_of("projects", project_id, "views", view_id))
