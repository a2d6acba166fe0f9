"""Studies: what the workers of one search share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence

from deardiary.api import Calls, path_of
from deardiary.wire.shapes import StudyAppend, StudyLease, StudyRecords


class Studies(Calls):
    """Records of a search in one order for all its workers, and leases of what each works on.

    An experiment has as many studies as there are ids: text of digits, small letters, ``.`` and ``-``.
    """

    def append(
        self, experiment_id: str, study_id: str, records: Sequence[str], *, append_id: str | None = None
    ) -> StudyAppend:
        """Append texts, all of them or none: at most 1,000, of 240 KiB together. Each ``append_id`` appends once."""
        body = {"append_id": append_id or secrets.token_hex(16), "records": list(records)}
        return self._api.post(StudyAppend, self._path(experiment_id, study_id, "records"), body, repeatable=True)

    def read(self, experiment_id: str, study_id: str, start: int = 0) -> StudyRecords:
        """Return the records from a number on, as many as one answer holds; none of a study without records."""
        return self._api.get(StudyRecords, f"{self._path(experiment_id, study_id, 'records')}?start={int(start)}")

    def records(self, experiment_id: str, study_id: str, start: int = 0) -> Iterator[str]:
        """All records from a number on."""
        has_more = True
        while has_more:
            found = self.read(experiment_id, study_id, start)
            yield from found.records
            start, has_more = found.next, found.has_more

    def renew(self, experiment_id: str, study_id: str, lease_id: str) -> StudyLease:
        """Create or renew a lease. NotFound if the study has no records."""
        return self._api.put(StudyLease, self._path(experiment_id, study_id, "leases", lease_id), {})

    def release(self, experiment_id: str, study_id: str, lease_id: str) -> None:
        """End a lease. NotFound without it."""
        self._api.delete(self._path(experiment_id, study_id, "leases", lease_id))

    def leases(self, experiment_id: str, study_id: str) -> Iterator[StudyLease]:
        return self._api.pages(StudyLease, self._path(experiment_id, study_id, "leases"))

    @staticmethod
    def _path(experiment_id: str, study_id: str, *rest: str) -> str:
        return path_of("experiments", experiment_id, "studies", study_id, *rest)
