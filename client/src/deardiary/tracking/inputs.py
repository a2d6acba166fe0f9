"""What an iteration has read: its calls, and the arguments of the operation `input` that its spool holds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from deardiary.tracking.journal import Journal
from deardiary.values import as_labels, checked_text, checked_word
from deardiary.wire.shapes import ModelVersion, Resource

_log = logging.getLogger(__name__)


class InputLog:
    """The calls of an iteration that record what it reads."""

    @property
    def journal(self) -> Journal:
        raise NotImplementedError

    def _check_running(self) -> None:
        raise NotImplementedError

    def log_dataset(
        self,
        name: str,
        *,
        digest: str = "",
        source: str = "",
        source_type: str = "",
        context: str = "",
        description: str = "",
        labels: Mapping[str, object] | None = None,
        resource: Resource | str | None = None,
    ) -> None:
        """Record that this iteration reads a dataset: ``digest`` names its content, ``source`` its place.

        The client replaces credentials in ``source`` by ``***``.
        ``context`` is its purpose, such as "training". ``resource`` is the resource, or the id of one, that holds it.
        The server records the same name, digest, context and resource once.
        """
        if not name:
            raise ValueError("A dataset has a name")
        words = {"name": name, "digest": digest, "source_type": source_type, "context": context}
        texts = {"source": source, "description": description}
        checked = {each: checked_word(each, word) for each, word in words.items()}
        checked |= {each: checked_text(each, text) for each, text in texts.items()}
        checked["source"] = _without_credentials(checked["source"])
        self._read({"kind": "dataset", **checked, "labels": as_labels(labels or {}), **_reference(resource)})

    def use_resource(self, resource: Resource | str, *, context: str = "") -> None:
        """Record that this iteration reads a resource of its project, given as the object or by its id."""
        self._read(of_resource(resource, context))

    def use_model(self, version: ModelVersion | str, *, context: str = "") -> None:
        """Record that this iteration reads a model version of its project.

        ``version`` is the object, its id, ``MODEL@ALIAS``, ``MODEL/3`` or ``PROJECT/MODEL/3``. The client looks a text
        up when it sends the record: an alias may name another version by then.
        """
        self._read(of_version(version, context))

    def _read(self, arguments: Mapping[str, Any]) -> None:
        self._check_running()
        self.journal.operation("input", arguments)


def _without_credentials(source: str) -> str:
    """Members of the project read it: keep the password of a database and the signature of a URL out of it."""
    if "://" not in source:
        return source
    # Compiling its patterns takes longer than a start should.
    from deardiary.environment.redact import redacted

    kept = redacted(source)
    if kept != source:
        _log.warning("The source of a dataset had a credential, and is recorded as %s", kept)
    return kept


def of_resource(resource: Resource | str, context: str) -> dict[str, Any]:
    """A resource that is not on the server yet has no id: record its name and its SHA-256."""
    context = checked_word("context", context)
    if isinstance(resource, Resource) and not resource.id:
        return {"kind": "dataset", "name": resource.name, "digest": resource.content_hash, "context": context}
    return {"kind": "resource", "context": context, **_reference(resource)}


def of_version(version: ModelVersion | str, context: str) -> dict[str, Any]:
    """A version that is not on the server yet has no id: record the iteration that has registered it."""
    context = checked_word("context", context)
    if isinstance(version, str):
        return {"kind": "model", "model": _checked_id("model version", version), "context": context}
    if not isinstance(version, ModelVersion):
        raise TypeError(f"A model version is a ModelVersion or a text, not {type(version).__name__}")
    if not version.id:
        return {"kind": "model", "name": f"model of iteration {version.iteration_id}", "context": context}
    return {"kind": "model", "modelversion_id": version.id, "context": context}


def _reference(resource: Resource | str | None) -> dict[str, str]:
    if isinstance(resource, Resource):
        return {"resource_id": resource.id} if resource.id else {}
    if resource is not None and not isinstance(resource, str):
        raise TypeError(f"A resource is a Resource or an id, not {type(resource).__name__}")
    return {} if resource is None else {"resource_id": _checked_id("resource", resource)}


def _checked_id(what: str, text: str) -> str:
    if not text:
        raise ValueError(f"Name the {what}: the text is empty")
    return text
