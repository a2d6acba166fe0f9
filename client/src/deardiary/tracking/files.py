"""Files and model versions of an iteration: stored at once, or kept in its spool.

They are kept while the server cannot be reached, and while the iteration is in the trash.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from deardiary.client import Client
from deardiary.errors import ClientError
from deardiary.sending import registry
from deardiary.sending.run_ref import key_of
from deardiary.spool.run import RunRef
from deardiary.tracking.journal import Journal
from deardiary.wire.shapes import ModelVersion, Resource, Stage

if TYPE_CHECKING:
    from deardiary.transfer.bulk import File

_log = logging.getLogger(__name__)


class Owner(Protocol):
    """The part of an iteration that its files need. A fork replaces the values."""

    @property
    def ref(self) -> RunRef: ...

    @property
    def client(self) -> Client: ...

    @property
    def journal(self) -> Journal: ...


class Artifacts:
    """Send each file and version under its own id_key, so that a retry after a lost answer creates no second one."""

    def __init__(self, owner: Owner, *, strict: bool = True) -> None:
        """Without ``strict``, files and versions that the server refuses are also kept in the spool."""
        self._owner = owner
        self._strict = strict
        self._kept: set[str] = set()
        self._has_kept_version = False

    def store(self, file: Path, name: str | None, description: str, *, wait: bool) -> Resource | Sequence[Resource]:
        from deardiary.transfer import bulk, paths
        from deardiary.transfer import store as transfer

        if not file.is_dir():
            checked = paths.checked_name(file.name if name is None else name)
            return self._store(bulk.File(checked, file, secrets.token_hex(16)), description, wait=wait)
        files = bulk.files_of(paths.files_in(file, name or ""))
        stored = self._store_small(files, description) if wait else {}
        return transfer.in_threads(
            lambda each: stored.get(each.name) or self._store(each, description, wait=wait), files
        )

    def keep(self, content: bytes | Path, name: str, description: str) -> Resource:
        return self._keep(content, name, description, secrets.token_hex(16))

    def register(self, name: str, resource: str | PathLike[str], description: str) -> ModelVersion:
        known, id_key = self._owner.journal.created(), secrets.token_hex(16)
        if known is not None and not self._overtakes(resource):
            try:
                return registry.register(self._owner.client, known, name, resource, description, id_key)
            except ClientError as error:
                if self._is_final(error):
                    raise
                _log.warning("The model %r is to be registered later: %s", name, error)
        return self._register_later(name, resource, description, id_key)

    def _overtakes(self, resource: str | PathLike[str]) -> bool:
        """True if a version registered now would overtake this file, or an earlier version, in the spool."""
        is_kept = not self._kept.isdisjoint((str(resource), Path(resource).name))
        return (is_kept or self._has_kept_version) and not self._owner.journal.wait(0)

    def _is_final(self, error: ClientError) -> bool:
        return self._strict and not (error.is_passing or error.is_in_trash)

    def _store_small(self, files: Sequence[File], description: str) -> Mapping[str, Resource]:
        """Store the small files in few calls; return those that are stored. `_store` cares for the others."""
        known = self._owner.journal.created()
        if known is None:
            return {}
        resources = self._owner.client.resources
        try:
            return resources.upload_small(known.experiment_id, files, iteration_id=known.id, description=description)
        except ClientError as error:
            if self._is_final(error):
                raise
            return {}

    def _store(self, file: File, description: str, *, wait: bool) -> Resource:
        known = self._owner.journal.created() if wait else None
        if known is not None:
            try:
                return self._owner.client.resources.upload(
                    known.experiment_id,
                    file.path,
                    file.name,
                    iteration_id=known.id,
                    description=description,
                    id_key=file.id_key,
                )
            except ClientError as error:
                if self._is_final(error):
                    raise
                _log.warning("%s is kept to be uploaded later: %s", file.path, error)
        return self._keep(file.path, file.name, description, file.id_key)

    def _keep(self, file: bytes | Path, name: str, description: str, id_key: str) -> Resource:
        journal = self._owner.journal
        copy = journal.keep_file(file, name)
        journal.operation("upload", {**copy, "name": name, "description": description, "id_key": id_key})
        self._kept.add(name)
        ref = self._owner.ref
        size = _size_of(file)
        return pending_resource(
            ref.experiment_id or "", key_of(ref), name, description, size_bytes=size, content_hash=copy["hash"]
        )

    def _register_later(self, name: str, resource: str | PathLike[str], description: str, id_key: str) -> ModelVersion:
        file, known = Path(resource), self._owner.journal.iteration
        stored = next((each for each in (str(resource), file.name) if each in self._kept), None)
        if stored is None and (known is None or file.is_file()):
            stored = self._keep(file, file.name, "", id_key).name
        version = {"name": name, "resource": stored or str(resource), "description": description, "id_key": id_key}
        self._owner.journal.operation("register", version)
        self._has_kept_version = True
        return pending_version(key_of(self._owner.ref), description)


def _size_of(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def pending_resource(
    experiment_id: str,
    iteration_id: str,
    name: str,
    description: str,
    *,
    size_bytes: int = 0,
    content_hash: str = "",
) -> Resource:
    """The answer for a file that is not on the server yet."""
    return Resource(
        id="",
        experiment_id=experiment_id,
        iteration_id=iteration_id,
        name=name,
        description=description,
        created_date=datetime.now(timezone.utc),
        backend="",
        uri="",
        size_bytes=size_bytes,
        content_hash=content_hash,
        state="pending",
    )


def pending_version(iteration_id: str, description: str) -> ModelVersion:
    """The answer for a model version that is not on the server yet."""
    return ModelVersion(
        id="",
        model_id="",
        version=0,
        iteration_id=iteration_id,
        stage_id=Stage.NO_STAGE,
        description=description,
        created_date=datetime.now(timezone.utc),
    )
