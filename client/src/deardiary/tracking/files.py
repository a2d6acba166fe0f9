"""Files and model versions of an iteration: stored at once, or kept in its spool until the server can be reached."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from deardiary.errors import ClientError
from deardiary.sending import registry
from deardiary.wire.shapes import ModelVersion, Resource, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from deardiary.client import Client
    from deardiary.tracking.journal import Journal

_log = logging.getLogger(__name__)


class Artifacts:
    """Send each file and version under its own id_key, so that a retry after a lost answer creates no second one."""

    def __init__(
        self,
        journal: Callable[[], Journal],
        client: Callable[[], Client],
        ids: Callable[[], tuple[str, str]],
        *,
        strict: bool = True,
    ) -> None:
        """Take getters, as a fork replaces the values. ``ids`` returns the ids of experiment and iteration.

        Without ``strict``, files and versions that the server refuses are also kept in the spool.
        """
        self._strict = strict
        self._journal = journal
        self._client = client
        self._ids = ids
        self._kept: set[str] = set()

    def store(self, file: Path, name: str | None, description: str, *, wait: bool) -> Resource | Sequence[Resource]:
        """Store a file or folder; see `ActiveIteration.log_resource`."""
        from deardiary.transfer import paths
        from deardiary.transfer import store as transfer

        if not file.is_dir():
            return self._store(file, paths.checked_name(file.name if name is None else name), description, wait=wait)
        found = paths.files_in(file, name or "")
        return transfer.in_threads(lambda each: self._store(each[1], each[0], description, wait=wait), found)

    def register(self, name: str, resource: str | PathLike[str], description: str) -> ModelVersion:
        """Register a model version; see `ActiveIteration.register_model`."""
        known, id_key = self._journal().iteration, secrets.token_hex(16)
        # A version registered now would overtake the files that are still in the spool.
        if known is not None and not self._kept:
            try:
                return registry.register(self._client(), known, name, resource, description, id_key)
            except ClientError as error:
                if self._strict and not error.is_passing:
                    raise
                _log.warning("The model %r is to be registered later: %s", name, error)
        return self._register_later(name, resource, description, id_key)

    def _store(self, file: Path, name: str, description: str, *, wait: bool) -> Resource:
        known, id_key = self._journal().iteration, secrets.token_hex(16)
        if known is not None and wait:
            try:
                return self._client().resources.upload(
                    known.experiment_id, file, name, iteration_id=known.id, description=description, id_key=id_key
                )
            except ClientError as error:
                if self._strict and not error.is_passing:
                    raise
                _log.warning("%s is kept to be uploaded later: %s", file, error)
        return self._keep(file, name, description, id_key)

    def _keep(self, file: Path, name: str, description: str, id_key: str) -> Resource:
        journal = self._journal()
        copy = journal.keep_file(file)
        journal.operation("upload", {**copy, "name": name, "description": description, "id_key": id_key})
        self._kept.add(name)
        experiment_id, iteration_id = self._ids()
        return Resource(
            id="",
            experiment_id=experiment_id,
            iteration_id=iteration_id,
            name=name,
            description=description,
            created_date=datetime.now(timezone.utc),
            backend="",
            uri="",
            size_bytes=file.stat().st_size,
            content_hash=copy["hash"],
            state="pending",
        )

    def _register_later(self, name: str, resource: str | PathLike[str], description: str, id_key: str) -> ModelVersion:
        file, known = Path(resource), self._journal().iteration
        stored = next((each for each in (str(resource), file.name) if each in self._kept), None)
        if stored is None and (known is None or file.is_file()):
            stored = self._keep(file, file.name, "", id_key).name
        version = {"name": name, "resource": stored or str(resource), "description": description, "id_key": id_key}
        self._journal().operation("register", version)
        return ModelVersion(
            id="",
            model_id="",
            version=0,
            iteration_id=self._ids()[1],
            stage_id=Stage.NO_STAGE,
            description=description,
            created_date=datetime.now(timezone.utc),
        )
