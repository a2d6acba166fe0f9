"""The caller's preferences: JSON that clients keep for a user, such as a theme."""

from __future__ import annotations

from typing import Any

from chalicelib.services import access
from chalicelib.services.access import Actor
from chalicelib.storage import preferences as storage


def get_preferences(actor: Actor) -> dict[str, Any]:
    """Return the preferences, empty before the first PUT. They may be about any project: a token for one is refused."""
    access.require_unscoped(actor)
    return storage.find_preferences(actor.user.id) or {}


def put_preferences(actor: Actor, content: dict[str, Any]) -> dict[str, Any]:
    """Replace all preferences."""
    access.require_unscoped(actor)
    storage.put_preferences(actor.user.id, content)
    return content
