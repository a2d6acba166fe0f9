"""Identity patterns: AWS roles that sign in without a secret."""

from __future__ import annotations

from collections.abc import Iterator

from deardiary.api import Calls, path_of, present
from deardiary.wire.shapes import Identity


class Identities(Calls):
    """Which AWS roles and users may log in a project without a token. Managing them requires a password session."""

    def create(
        self, pattern: str, project_id: str, *, read_only: bool = False, delete_permission: bool = False
    ) -> Identity:
        """Allow an ARN, such as ``arn:aws:iam::123456789012:role/train-*``: to read, create and update by default.

        A ``*`` stands for any characters of the name.
        """
        body = present(pattern=pattern, project_id=project_id, read_only=read_only, delete_permission=delete_permission)
        return self._api.post(Identity, "/auth/identities", body, repeatable=True)

    def list(self, project_id: str | None = None) -> Iterator[Identity]:
        """List the patterns of a project, or of all projects that you manage."""
        return self._api.pages(Identity, "/auth/identities", {"project_id": project_id})

    def delete(self, identity_id: str) -> None:
        """Delete a pattern. Roles that no other pattern allows lose their permissions on the project at once."""
        self._api.delete(path_of("auth", "identities", identity_id))
