"""The project of a job: the one that its environment names, if its role may log there; else that of the settings.

A job that logs with its role's rights finds its project by the same name, among those that allow the role. So both
file the iteration there, and the capture writes only where the job itself could.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from chalicelib import arn
from chalicelib.arn import Principal
from chalicelib.errors import InvalidPayload, NotFound
from chalicelib.services import access, identity
from chalicelib.services.access import Need
from chalicelib.services.capture.machine import machine
from chalicelib.storage import captured


def project_of(job: Mapping[str, Any], name: str, configured: str) -> str:
    """The id of the project. A job that the project of the settings has already stays there."""
    wanted = (job.get("Environment") or {}).get("DEARDIARY_PROJECT")
    role = _role(job)
    if not wanted or role is None or captured.find_facts(configured, name) is not None:
        return configured
    return _allowing(role, wanted) or configured


def _role(job: Mapping[str, Any]) -> Principal | None:
    try:
        return arn.pattern_of(job.get("RoleArn", ""))
    except InvalidPayload:
        return None


def _allowing(role: Principal, name: str) -> str | None:
    """The oldest project of this name in which the role may create iterations."""
    given = identity.matching(role)
    may_create = sorted(each for each, found in given.items() if any(one.create_permission for one in found))
    for project_id in may_create:
        with suppress(NotFound):
            if access.project(machine(project_id), project_id, Need.CREATE).project.name == name:
                return project_id
    return None
