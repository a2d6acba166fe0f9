"""Shares: read-only links for people without an account."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from deardiary.api import Calls, path_of, present
from deardiary.wire.shapes import Share


class Shares(Calls):
    """Read-only links to iterations or to an experiment. Creating one requires a session by password."""

    def create(
        self,
        project_id: str,
        *,
        experiment_id: str | None = None,
        iteration_ids: Collection[str] = (),
        expires_in_days: int | None = None,
    ) -> Share:
        """Share an experiment, or up to 20 iterations. Only this answer has the link, in ``url``.

        ``expires_in_days``: at most 365; without it 30.
        """
        body = present(experiment_id=experiment_id, expires_in_days=expires_in_days)
        return self._api.post(
            Share, path_of("projects", project_id, "shares"), {**body, "iteration_ids": list(iteration_ids)}
        )

    def list(self, project_id: str) -> Iterator[Share]:
        return self._api.pages(Share, path_of("projects", project_id, "shares"))

    def delete(self, project_id: str, share_id: str) -> None:
        """Revoke a link at once."""
        self._api.delete(path_of("projects", project_id, "shares", share_id))
