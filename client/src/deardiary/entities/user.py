"""Users."""

from __future__ import annotations

from collections.abc import Iterator

from deardiary.api import Calls, path_of, present
from deardiary.wire.shapes import User, UserName


class Users(Calls):
    def create(
        self, username: str, password: str, *, first_name: str = "", last_name: str = "", is_admin: bool = False
    ) -> User:
        """Create a user; for admins. A password has at least 8 characters and at most 72 bytes in UTF-8."""
        body = present(
            username=username, password=password, first_name=first_name, last_name=last_name, is_admin=is_admin
        )
        return self._api.post(User, "/users", body)

    def get(self, user_id: str) -> User:
        return self._api.get(User, path_of("users", user_id))

    def list(self) -> Iterator[User]:
        return self._api.pages(User, "/users")

    def find(self, username: str) -> UserName | None:
        """Return the user of this name, ignoring case, or None. For all signed-in users."""
        return next(self._api.pages(UserName, "/users", {"username": username}), None)

    def update(
        self,
        user_id: str,
        *,
        username: str | None = None,
        password: str | None = None,
        current_password: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        is_admin: bool | None = None,
    ) -> User:
        """Change the given fields. A new password or a demotion ends all tokens of the user.

        To change your own password, also give ``current_password``; an admin needs none to change another user's.
        """
        body = present(
            username=username,
            password=password,
            current_password=current_password,
            first_name=first_name,
            last_name=last_name,
            is_admin=is_admin,
        )
        return self._api.patch(User, path_of("users", user_id), body)

    def delete(self, user_id: str) -> None:
        """Delete a user, with their permissions and tokens; for admins and for the user.

        Requires a session by password. The last admin cannot be deleted. Projects of the user stay.
        """
        self._api.delete(path_of("users", user_id))
