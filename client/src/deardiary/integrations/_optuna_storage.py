"""Optuna's journal on a DearDiary server: any number of workers share a study without a database.

``study = optuna.create_study(storage=DearDiaryStorage("Iris", "sweep"), study_name="s", load_if_exists=True)``
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages._heartbeat import BaseHeartbeat
from optuna.storages.journal import BaseJournalBackend
from optuna.trial import TrialState

from deardiary.client import Client, connect
from deardiary.errors import NotFound
from deardiary.wire import limits

StaleCallback = Callable[[optuna.Study, optuna.trial.FrozenTrial], None]

# Optuna 4.9 has renamed it.
_Retry = getattr(optuna.storages, "RetryHeartbeatStaleTrialCallback", None) or optuna.storages.RetryFailedTrialCallback
_RESERVE = 16  # bytes of a stored record beside its text


class DearDiaryBackend(BaseJournalBackend):
    """The records of one study of the server (`Studies`), in an experiment. Project and experiment are created."""

    def __init__(
        self, project: str, experiment: str, *, study_id: str = "optuna", client: Client | None = None
    ) -> None:
        """``study_id`` is of digits, small letters, ``.`` and ``-``. Without ``client``, one from the settings."""
        self.study_id = study_id
        self._names = (project, experiment)
        self._client = client
        self._experiment_id = ""

    @property
    def client(self) -> Client:
        if self._client is None:
            self._client = connect()
        return self._client

    @property
    def experiment_id(self) -> str:
        if not self._experiment_id:
            project, experiment = self._names
            found = self.client.projects.find_or_create(project)
            self._experiment_id = self.client.experiments.find_or_create(found.id, experiment).id
        return self._experiment_id

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        texts = self.client.studies.records(self.experiment_id, self.study_id, log_number_from)
        return [json.loads(text) for text in texts]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        for texts in _pieces([json.dumps(log) for log in logs]):
            self.client.studies.append(self.experiment_id, self.study_id, texts)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the connection out: a worker in another process has one of its own, from the settings."""
        return {**self.__dict__, "_client": None}


class DearDiaryStorage(JournalStorage, BaseHeartbeat):
    """A storage for `optuna.create_study`. A trial whose worker is lost is given out again.

    Each worker renews a lease of its trial every ``heartbeat_interval`` seconds. Optuna ends a trial as failed whose
    lease is older than ``grace_period``, by default twice the interval, and ``stale_trial_callback`` queues its
    parameters for the next worker.
    """

    def __init__(
        self,
        project: str,
        experiment: str,
        *,
        study_id: str = "optuna",
        client: Client | None = None,
        heartbeat_interval: int = 60,
        grace_period: int | None = None,
        stale_trial_callback: StaleCallback | None = None,
    ) -> None:
        if heartbeat_interval < 1 or (grace_period is not None and grace_period <= heartbeat_interval):
            raise ValueError("heartbeat_interval is at least a second, and grace_period is longer")
        self._journal = DearDiaryBackend(project, experiment, study_id=study_id, client=client)
        self._interval = heartbeat_interval
        self._grace = grace_period or 2 * heartbeat_interval
        self._stale_trial_callback = stale_trial_callback or _retry()
        super().__init__(self._journal)

    def record_heartbeat(self, trial_id: int) -> None:
        self._journal.client.studies.renew(self._journal.experiment_id, self._journal.study_id, str(trial_id))

    def get_heartbeat_interval(self) -> int:
        return self._interval

    def get_heartbeat_stale_trial_callback(self) -> StaleCallback:
        return self._stale_trial_callback

    get_failed_trial_callback = get_heartbeat_stale_trial_callback

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        changed: bool = super().set_trial_state_values(trial_id, state, values)
        if state.is_finished():
            with contextlib.suppress(NotFound):  # a trial that no worker has run has no lease
                self._journal.client.studies.release(self._journal.experiment_id, self._journal.study_id, str(trial_id))
        return changed

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        leases = self._journal.client.studies.leases(self._journal.experiment_id, self._journal.study_id)
        stale = {int(each.id) for each in leases if each.age_seconds > self._grace}
        running = self.get_all_trials(study_id, deepcopy=False, states=(TrialState.RUNNING,)) if stale else []
        ids = [trial._trial_id for trial in running]  # noqa: SLF001 - as Optuna's own storages do
        return [each for each in ids if each in stale]


def _retry() -> StaleCallback:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is experimental
        retry: StaleCallback = _Retry()
        return retry


def _pieces(texts: list[str]) -> Iterator[list[str]]:
    """The texts in groups that fit one request, in their order."""
    group: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode()) + _RESERVE
        if group and (len(group) == limits.MAX_STUDY_ITEMS or size + length > limits.MAX_STUDY_BYTES):
            yield group
            group, size = [], 0
        group.append(text)
        size += length
    yield group
