"""Validation and conversion of logged values."""

import logging
import operator
import re
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, Protocol, SupportsFloat, SupportsIndex

from deardiary.nested import flat
from deardiary.wire import limits

_SNAPSHOT = {
    **dict.fromkeys(("python_version", "julia_version", "git_sha", "entrypoint"), str),
    **dict.fromkeys(("project_toml", "manifest_toml", "git_diff"), str),
    "git_dirty": bool,
}
_log = logging.getLogger(__name__)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class SupportsItem(Protocol):
    """A container of one scalar, such as those of NumPy, PyTorch and JAX."""

    def item(self) -> Any: ...


Number = SupportsFloat | SupportsItem


def as_texts(parameters: object) -> dict[str, str]:
    """Parameter values as text, by ``str``: True is "True", None is "None", 1e-3 is "0.001". Floats stay exact.

    Nested objects are flattened; see `deardiary.nested.flat`. A text that is too long for the server is shortened
    with a warning, not an error, so that a training goes on.
    """
    return {checked_key(key): _shortened(key, str(value)) for key, value in flat(parameters).items()}


def _shortened(key: str, text: str) -> str:
    most = limits.MAX_PARAMETER_CHARACTERS
    if len(text) <= most:
        return text
    _log.warning("The parameter %r has %d characters: the first %d are kept", key, len(text), most)
    mark = f"… ({len(text)} characters)"
    return text[: most - len(mark)] + mark


def as_step(step: SupportsIndex | None) -> int | None:
    """A step as int. TypeError if it is not an integer, ValueError outside int64."""
    if step is None:
        return None
    try:
        number = operator.index(step)
    except TypeError:
        raise TypeError(f"A step is an int, not {type(step).__name__}") from None
    if not limits.MIN_STEP <= number <= limits.MAX_STEP:
        raise ValueError(f"A step is an int64, and {number} is none")
    return number


def as_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags as a tuple. TypeError for a single string, whose characters would each become a tag."""
    if isinstance(tags, str):
        raise TypeError(f"Tags are a list of texts: [{tags!r}], not {tags!r}")
    values = tuple(tags)
    for value in values:
        if not isinstance(value, str):
            raise TypeError(f"A tag is text, not {type(value).__name__}")
        if not 1 <= len(value) <= limits.MAX_TAG_CHARACTERS:
            raise ValueError(f"A tag has 1 to {limits.MAX_TAG_CHARACTERS} characters, not {len(value)}")
    return values


def as_name(name: str | None) -> str:
    """The name of an iteration; empty for None. TypeError if it is not text, ValueError if it is too long."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"A name is text, not {type(name).__name__}")
    if len(name or "") > limits.MAX_NAME_CHARACTERS:
        raise ValueError(f"A name has at most {limits.MAX_NAME_CHARACTERS} characters, not {len(name or '')}")
    return name or ""


def as_label_changes(labels: Mapping[str, object]) -> dict[str, str | None]:
    """Labels of an iteration as text, by ``str``; None removes one. ValueError if the server would refuse them."""
    present = {key: value for key, value in labels.items() if value is not None}
    texts = _as_labels(present, "an iteration", limits.MAX_LABELS_BYTES)
    return {**texts, **{checked_key(key): None for key in labels if key not in texts}}


def as_labels(labels: Mapping[str, object]) -> dict[str, str]:
    """Labels of an input as text, by ``str``. ValueError if the server would refuse them."""
    return _as_labels(labels, "an input", limits.MAX_INPUT_LABELS_BYTES)


def _as_labels(labels: Mapping[str, object], owner: str, most_bytes: int) -> dict[str, str]:
    texts = {checked_key(key): str(value) for key, value in labels.items()}
    longest = max(map(len, texts.values()), default=0)
    if longest > limits.MAX_LABEL_CHARACTERS:
        raise ValueError(f"A label has at most {limits.MAX_LABEL_CHARACTERS} characters, not {longest}")
    if len(texts) > limits.MAX_LABELS:
        raise ValueError(f"There are at most {limits.MAX_LABELS} labels, not {len(texts)}")
    size = sum(len(text.encode("utf-8", "replace")) for label in texts.items() for text in label)
    if size > most_bytes:
        raise ValueError(f"The labels of {owner} have at most {most_bytes} bytes, not {size}")
    return texts


def checked_word(name: str, text: object) -> str:
    """A short text. TypeError if it is not text, ValueError if it is too long for the server."""
    checked = checked_text(name, text)
    if len(checked) > limits.MAX_NAME_CHARACTERS:
        raise ValueError(f"{name} has at most {limits.MAX_NAME_CHARACTERS} characters, not {len(checked)}")
    return checked


def checked_text(name: str, text: object) -> str:
    """A long text. TypeError if it is not text, ValueError if it is too long for the server."""
    if not isinstance(text, str):
        raise TypeError(f"{name} is text, not {type(text).__name__}")
    if len(text.encode("utf-8", "replace")) > limits.MAX_TEXT_BYTES:
        raise ValueError(f"{name} has at most {limits.MAX_TEXT_BYTES} bytes in UTF-8")
    return text


def checked_key(key: object) -> str:
    """The key, if the server accepts it. TypeError if it is not text, ValueError for its length or characters."""
    if not isinstance(key, str):
        raise TypeError(f"A key is text, not {type(key).__name__}: {key!r}")
    if not 1 <= len(key) <= limits.MAX_KEY_CHARACTERS:
        raise ValueError(f"A key has 1 to {limits.MAX_KEY_CHARACTERS} characters, not {len(key)}: {key[:40]!r}")
    if _CONTROL.search(key):
        raise ValueError(f"A key has no control characters: {key!r}")
    if not key.isascii() and key.encode("utf-8", "replace").decode() != key:
        raise ValueError(f"A key is Unicode, without half a surrogate pair: {key!r}")
    return key


def as_float(key: str, value: Number) -> float:
    """A metric's value as float64.

    Accepts numbers, Booleans (as 1.0 and 0.0), NumPy scalars, and arrays and tensors of one element. TypeError or
    ValueError that names the key for everything else, text included.
    """
    try:
        return float(_number(value))
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"The value of {key!r} is not one number: {type(value).__name__} ({error})") from error


def _number(value: Any) -> Any:
    """The argument for ``float``. TypeError for text, which ``float`` would parse."""
    if isinstance(value, Real):
        return value
    item = getattr(value, "item", None)
    number = item() if callable(item) else value
    if isinstance(number, (str, bytes, bytearray)) or not hasattr(type(number), "__float__"):
        raise TypeError("expected a number")
    return number


def as_snapshot(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields that are not None. TypeError that names an unknown field, or one of the wrong type."""
    for name, value in fields.items():
        kind = _SNAPSHOT.get(name)
        if kind is None or not isinstance(value, (kind, type(None))):
            raise TypeError(f"A snapshot has no {name}={value!r:.50}; it has {', '.join(_SNAPSHOT)}")
    return {name: value for name, value in fields.items() if value is not None}
