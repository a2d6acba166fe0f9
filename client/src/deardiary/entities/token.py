"""API tokens of the signed-in user."""

from __future__ import annotations

from collections.abc import Iterator

from deardiary.api import Calls, path_of, present
from deardiary.wire.shapes import ApiToken


class Tokens(Calls):
    """API tokens. Managing them requires a session by password; an API token cannot do it."""

    def create(
        self, name: str, *, expires_in_days: int | None = None, project_id: str | None = None, read_only: bool = False
    ) -> ApiToken:
        """Create a token. Only this answer contains it, in the field ``token``.

        ``project_id`` limits the token to one project, ``read_only`` to reading.
        """
        body = present(name=name, expires_in_days=expires_in_days, project_id=project_id, read_only=read_only)
        return self._api.post(ApiToken, "/auth/tokens", body)

    def list(self) -> Iterator[ApiToken]:
        return self._api.pages(ApiToken, "/auth/tokens")

    def delete(self, token_id: str) -> None:
        """Revoke a token at once."""
        self._api.delete(path_of("auth", "tokens", token_id))
