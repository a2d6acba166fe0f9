"""Answers to members who may write in a project and not read there.

One rule: such an answer holds only what the caller sent, ids, and values that the server assigned. So an update answers
204; a creation answers its object without the texts that the caller did not send, for the server may have found that
object under the caller's id_key; a conflict does not describe the object that stands in the way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from chalicelib.errors import Conflict
from chalicelib.routes.http.answer import Answer
from deardiary.wire.shapes import BulkFailure, BulkOutcomes, BulkUpload, BulkUploads, FlushReceipt, Upload

# Texts that the server assigns; in an error, the field that the caller sent.
_OPEN = {"id", "backend", "state", "field", "kind", "retry_after"}


def without_others_texts(method: str, answer: Answer[Any], body: object) -> Answer[Any]:
    """The answer to a caller who sent this body and may not read."""
    if answer.payload is None and answer.raw is None:
        return Answer(answer.status)
    # The caller needs the signed requests in order to write.
    if isinstance(answer.payload, Upload):
        return answer
    if isinstance(answer.payload, BulkOutcomes):
        return Answer(answer.status, _without_messages(answer.payload))
    if isinstance(answer.payload, BulkUploads):
        return Answer(answer.status, _uploads(answer.payload, frozenset(_texts(body))))
    if method != "POST" or answer.raw is not None:
        return Answer(204)
    shown = _shown(answer.payload, frozenset(_texts(body)))
    if isinstance(answer.payload, FlushReceipt):
        # A command is meant for the writer, so the writer may read it.
        shown = dataclasses.replace(shown, commands=answer.payload.commands)
    return Answer(answer.status, shown)


def conflict(error: Conflict, body: object) -> Conflict:
    """The conflict without its message and without details that the caller did not send."""
    sent = frozenset(_texts(body))
    return Conflict(**{name: _shown_field(name, value, None, sent) for name, value in error.details.items()})


def _without_messages(outcomes: BulkOutcomes) -> BulkOutcomes:
    """The outcomes with the codes of failures only."""
    failures = {key: each for key, each in outcomes.data.items() if isinstance(each, BulkFailure)}
    return BulkOutcomes(
        data={**outcomes.data, **{key: BulkFailure(code=each.code, message="") for key, each in failures.items()}}
    )


def _uploads(uploads: BulkUploads, sent: frozenset[str]) -> BulkUploads:
    """The uploads with their signed requests, which the caller needs in order to write."""
    return BulkUploads(
        data=tuple(
            BulkUpload(
                resource=None if each.resource is None else _shown(each.resource, sent),
                requests=each.requests,
                failure=None if each.failure is None else BulkFailure(code=each.failure.code, message=""),
            )
            for each in uploads.data
        )
    )


def _texts(sent: object) -> Iterator[str]:
    """All texts in a body, keys of mappings included, names of fields excluded."""
    if isinstance(sent, str):
        yield sent
    elif isinstance(sent, Struct):
        for name in sent.__struct_fields__:
            yield from _texts(getattr(sent, name))
    elif isinstance(sent, Mapping):
        for key, value in sent.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(sent, (list, tuple)):
        for each in sent:
            yield from _texts(each)


def _shown(value: Any, sent: frozenset[str]) -> Any:
    """The value without texts that the caller did not send; numbers, times and states stay."""
    if isinstance(value, str):
        return value if value in sent else ""
    if isinstance(value, Mapping):
        return {key: _shown(each, sent) for key, each in value.items() if key in sent}
    if isinstance(value, (list, tuple)):
        return tuple(_shown(each, sent) for each in value if not isinstance(each, str) or each in sent)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            each.name: _shown_field(each.name, getattr(value, each.name), each.default, sent)
            for each in dataclasses.fields(value)
        }
        return type(value)(**fields)
    return value


def _shown_field(name: str, value: Any, default: object, sent: frozenset[str]) -> Any:
    if name == "created_by":
        # Not even if the caller sent this id in another field: that would confirm a guess.
        return None
    if name in _OPEN or name.endswith("_id"):
        return value
    shown = _shown(value, sent)
    return None if shown == "" and default is None else shown
