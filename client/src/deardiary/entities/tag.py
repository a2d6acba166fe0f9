"""Tags of projects, experiments and iterations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from deardiary.api import Calls, path_of
from deardiary.wire.shapes import Tag

Owner = Literal["project", "experiment", "iteration"]


class Tags(Calls):
    """Tags. ``owner`` is the kind of object that ``owner_id`` names."""

    def create(self, owner: Owner, owner_id: str, value: str) -> Tag:
        """Add a tag; if the object has it already, return the existing one unchanged."""
        return self._api.post(Tag, path_of(f"{owner}s", owner_id, "tags"), {"value": value}, repeatable=True)

    def list(self, owner: Owner, owner_id: str) -> Iterator[Tag]:
        return self._api.pages(Tag, path_of(f"{owner}s", owner_id, "tags"))

    def delete(self, owner: Owner, owner_id: str, tag_id: str) -> None:
        self._api.delete(path_of(f"{owner}s", owner_id, "tags", tag_id))
