"""The sender of a request, and what it may do apart from permissions on projects.

Every request needs this; only some need the rows that `access` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.errors import AdminRequired, PermissionRequired, SameUserRequired
from deardiary.wire.shapes import User


@dataclass(frozen=True, slots=True)
class Reach:
    """The objects that a share shows: all of an experiment, or iterations by id, each with the id of its experiment."""

    experiment_id: str | None
    iterations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Actor:
    """The sender of a request, as its token proves.

    A session belongs to a person who signed in with a password at ``auth_time`` (seconds since 1970). An API token is
    no session: it cannot manage passwords and tokens, and can be limited to one project and to reading. A machine
    account has no session either; its permissions follow from identity patterns.
    """

    user: User
    epoch: int = 0
    auth_time: int | None = None
    is_session: bool = True
    is_machine: bool = False
    only_project_id: str | None = None
    read_only: bool = False
    # Of a share link: the request shows these objects, and `user` is the user who shared them.
    reach: Reach | None = None
    # The answers of the request cannot hide what others wrote: refuse a member who may not read.
    must_read: bool = False
    # The URL of this server as the client reached it; empty in the upkeep.
    site: str = ""
    # The projects in which this request may write but not read.
    blind_in: set[str] = field(default_factory=set)

    def require_session(self) -> None:
        """Require a password session: a stolen API token must not be able to prolong its own access."""
        if not self.is_session:
            raise SameUserRequired("This needs a sign-in with a password; an API token cannot do it")

    def require_unscoped(self) -> None:
        """Require a token that is not limited to one project."""
        if self.only_project_id is not None:
            raise PermissionRequired("This token is for one project only", project_id=self.only_project_id)

    def require_person(self, action: str) -> None:
        """Refuse machine accounts: they act in the projects that allow them, and nowhere else."""
        if self.is_machine:
            raise PermissionRequired(f"A machine account cannot {action}; a person does it, and allows the role there")

    def require_admin(self, action: str) -> None:
        """Require an admin; the error says that only an admin may do ``action``."""
        self.require_unscoped()
        if not self.user.is_admin:
            raise AdminRequired(f"Only an admin may {action}")

    def require_self_or_admin(self, user_id: str) -> None:
        self.require_unscoped()
        if self.user.id != user_id and not self.user.is_admin:
            raise SameUserRequired(f"Only user {user_id} or an admin may do this", kind="user", id=user_id)
