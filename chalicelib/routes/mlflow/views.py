"""MLflow's view types: which objects a search finds, active ones or those in the trash."""

from __future__ import annotations

from chalicelib.routes.mlflow.errors import invalid

# By name, and by the numbers of MLflow's messages: whether active and whether deleted objects are found.
_VIEWS = {"ACTIVE_ONLY": (True, False), "DELETED_ONLY": (False, True), "ALL": (True, True)}
_NUMBERS = {"1": "ACTIVE_ONLY", "2": "DELETED_ONLY", "3": "ALL"}


def view_of(given: str | int, parameter: str) -> tuple[bool, bool]:
    """Whether active and whether deleted objects are wanted. InvalidPayload for an unknown view type."""
    name = _NUMBERS.get(str(given), str(given) or "ACTIVE_ONLY")
    if name not in _VIEWS:
        raise invalid(parameter, given, f"Expected one of {list(_VIEWS)}.")
    return _VIEWS[name]
