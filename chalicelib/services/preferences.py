"""The caller's preferences: JSON that clients keep for a user, such as a theme."""

from __future__ import annotations

from typing import Any

from chalicelib.services.actor import Actor
from chalicelib.storage import preferences as storage


def get_preferences(actor: Actor) -> dict[str, Any]:
    """Return the preferences, empty before the first PUT. They may be about any project: a token for one is refused."""
    actor.require_unscoped()
    return storage.find_preferences(actor.user.id) or {}


def put_preferences(actor: Actor, content: dict[str, Any]) -> dict[str, Any]:
    """Replace all preferences."""
    actor.require_unscoped()
    storage.put_preferences(actor.user.id, content)
    return content
