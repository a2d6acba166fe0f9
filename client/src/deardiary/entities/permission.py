"""Permissions of users on projects."""

from __future__ import annotations

from collections.abc import Iterator

from deardiary.api import Calls, path_of, present
from deardiary.wire.shapes import Member, UserPermission


class Permissions(Calls):
    def get(self, project_id: str, user_id: str) -> UserPermission:
        return self._api.get(UserPermission, path_of("projects", project_id, "permissions", user_id))

    def list(self, project_id: str) -> Iterator[Member]:
        """List the users with permissions on the project, with their names; for those who may read the project."""
        return self._api.pages(Member, path_of("projects", project_id, "permissions"))

    def list_of_user(self, user_id: str) -> Iterator[UserPermission]:
        """List one user's permissions on all projects; for that user and admins."""
        return self._api.pages(UserPermission, path_of("users", user_id, "permissions"))

    def put(
        self,
        project_id: str,
        user_id: str,
        *,
        create_permission: bool = False,
        read_permission: bool = False,
        update_permission: bool = False,
        delete_permission: bool = False,
    ) -> UserPermission:
        """Replace a user's permissions by exactly these."""
        body = {
            "create_permission": create_permission,
            "read_permission": read_permission,
            "update_permission": update_permission,
            "delete_permission": delete_permission,
        }
        return self._api.put(UserPermission, path_of("projects", project_id, "permissions", user_id), body)

    create = put

    def update(
        self,
        project_id: str,
        user_id: str,
        *,
        create_permission: bool | None = None,
        read_permission: bool | None = None,
        update_permission: bool | None = None,
        delete_permission: bool | None = None,
    ) -> UserPermission:
        """Change the given permissions of a member and leave the others. `NotFound` if the user has none yet."""
        body = present(
            create_permission=create_permission,
            read_permission=read_permission,
            update_permission=update_permission,
            delete_permission=delete_permission,
        )
        return self._api.patch(UserPermission, path_of("projects", project_id, "permissions", user_id), body)

    def delete(self, project_id: str, user_id: str) -> None:
        self._api.delete(path_of("projects", project_id, "permissions", user_id))
