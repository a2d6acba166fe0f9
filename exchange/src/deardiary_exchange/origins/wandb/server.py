"""W&B's runs on its server, by the public API of W&B's own package."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from deardiary.wire.shapes import IterationStatus
from deardiary_exchange.origins.origin import Origin, OriginFailed, date
from deardiary_exchange.origins.wandb import overview
from deardiary_exchange.origins.wandb.artifacts import Artifacts
from deardiary_exchange.origins.wandb.form import experiment_of, labels_of, run_of
from deardiary_exchange.origins.wandb.remote import Remote, asking, each_of
from deardiary_exchange.origins.wandb.state import take_row
from deardiary_exchange.runs import Run, Unreadable, Version

_STATUSES = {
    "finished": IterationStatus.SUCCEEDED,
    "failed": IterationStatus.FAILED,
    "crashed": IterationStatus.KILLED,
    "killed": IterationStatus.KILLED,
    "preempted": IterationStatus.KILLED,
}
_PAGE = 100


class Server(Origin):
    """The origin ``deardiary import wandb-api ENTITY/PROJECT``.

    The server is WANDB_BASE_URL, or that of the location: ``https://HOST/ENTITY/PROJECT``. It signs in as wandb does:
    with WANDB_API_KEY or ``~/.netrc``.
    """

    def __init__(self, location: str) -> None:
        super().__init__()
        base_url, self._path = _parts(location)
        self._api = _signed_in(base_url)
        self._artifacts = Artifacts()

    def runs(self) -> Iterator[Run]:
        try:
            with asking(self._path):
                for listed in each_of(self._api.runs(self._path, per_page=_PAGE, lazy=True)):
                    if listed.state == "pending":
                        self.note(f"run {listed.id}: it has not begun")
                        continue
                    yield self._run(self._api.run(f"{self._path}/{listed.id}"))
                    self._api.flush()  # it would keep every run
        except Unreadable as error:
            raise OriginFailed(str(error)) from None

    def versions(self, iteration_id: Callable[[str], str | None]) -> Iterator[Version]:
        return self._artifacts.versions()

    def _run(self, found: Any) -> Run:
        """The run as far as three requests tell: enough for one that is already here."""
        key, state = f"wandb:{found.id}", overview.state_of(found)
        status = _STATUSES.get(found.state, IterationStatus.RUNNING)
        end_ms = None if status == IterationStatus.RUNNING else state.last_ms
        files = self._artifacts.take(key, state)

        def whole() -> Run:
            reading = Remote(found)
            with asking(found.name):
                reading.read_history(lambda row: take_row(state, *row))
                overview.add_contents(state, found, reading)
            return run_of(key, state, reading, files, end_date=date(end_ms), status=status)

        return Run(
            key=key,
            experiment=experiment_of(state),
            name=state.names.get("name"),
            notes=state.names.get("notes", ""),
            created_date=date(state.start_ms),
            end_date=date(end_ms),
            status=status,
            tags=state.tags,
            labels=labels_of(state),
            files=self._artifacts.manifests(key),
            whole=whole,
        )


def _parts(location: str) -> tuple[str | None, str]:
    """The server, if it is named, and ``ENTITY/PROJECT``."""
    address = urlsplit(location)
    names = [name for name in address.path.split("/") if name]
    if address.scheme in ("http", "https") and address.netloc and len(names) >= 2:
        return "/".join([f"{address.scheme}://{address.netloc}", *names[:-2]]), "/".join(names[-2:])
    if not address.scheme and len(names) == 2 and location == "/".join(names):
        return None, location
    raise OriginFailed(f"{location} is no project of W&B: give ENTITY/PROJECT or https://HOST/ENTITY/PROJECT")


def _signed_in(base_url: str | None) -> Any:
    os.environ.setdefault("WANDB_SILENT", "true")  # it says on stderr where it found the key
    try:
        import wandb
    except ImportError:
        raise OriginFailed("A server of W&B needs: pip install 'wandb>=0.31'") from None
    try:
        with asking(base_url or "the server"):
            settings = wandb.setup().settings
            is_usual = base_url in (None, settings.app_url.rstrip("/"), settings.base_url)
            return wandb.Api(overrides={} if is_usual else {"base_url": base_url})
    except Unreadable as error:
        raise OriginFailed(str(error)) from None
