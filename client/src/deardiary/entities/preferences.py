"""Preferences of the signed-in user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deardiary.api import Calls

_PATH = "/auth/me/preferences"


class Preferences(Calls):
    """A JSON object that the server keeps for the signed-in user, such as settings of a dashboard."""

    def get(self) -> dict[str, Any]:
        """Return the preferences; {} before the first `put`."""
        return self._api.get_object(_PATH)

    def put(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Replace all preferences by a JSON object of at most 64 KiB."""
        return self._api.put_object(_PATH, content)
