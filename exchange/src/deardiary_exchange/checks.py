"""What the server would refuse of a run, taken out before it is sent, each with a sentence for the report."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from deardiary.wire import limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def text(what: str, value: str, most_bytes: int, not_taken: list[str]) -> str:
    """The text, cut to so many bytes of UTF-8."""
    data = value.encode("utf-8", "replace")
    if len(data) <= most_bytes:
        return data.decode()
    not_taken.append(f"{what}: {len(data)} bytes; the first {most_bytes} are taken")
    return data[:most_bytes].decode("utf-8", "ignore")


def name(value: str | None, not_taken: list[str]) -> str | None:
    if not value or len(value) <= limits.MAX_NAME_CHARACTERS:
        return value or None
    not_taken.append(f"name: {len(value)} characters; the first {limits.MAX_NAME_CHARACTERS} are taken")
    return value[: limits.MAX_NAME_CHARACTERS]


def parameters(values: Mapping[str, str], not_taken: list[str]) -> dict[str, str]:
    return dict(_fitting("parameter", values, limits.MAX_PARAMETER_CHARACTERS, not_taken))


def labels(values: Mapping[str, str], not_taken: list[str], most: int = limits.MAX_LABEL_CHARACTERS) -> dict[str, str]:
    found = list(_fitting("label", values, most, not_taken))
    if len(found) > limits.MAX_LABELS:
        not_taken.append(f"{len(found) - limits.MAX_LABELS} labels: there are {len(found)}")
    return dict(found[: limits.MAX_LABELS])


def tags(values: Iterable[str], not_taken: list[str]) -> tuple[str, ...]:
    kept = []
    for each in dict.fromkeys(values):
        if 1 <= len(each) <= limits.MAX_TAG_CHARACTERS:
            kept.append(each)
        else:
            not_taken.append(f"tag {each[:40]!r}: {len(each)} characters, of 1 to {limits.MAX_TAG_CHARACTERS}")
    return tuple(kept)


def is_key(key: str) -> bool:
    """True if the server accepts this key of a parameter, metric or label."""
    return 1 <= len(key) <= limits.MAX_KEY_CHARACTERS and not any(unicodedata.category(each) == "Cc" for each in key)


def key_fault(what: str, key: str) -> str:
    """The sentence for a key that the server refuses."""
    return f"{what} {key[:40]!r}: a key has 1 to {limits.MAX_KEY_CHARACTERS} characters, and no control characters"


def _fitting(what: str, values: Mapping[str, str], most: int, not_taken: list[str]) -> Iterable[tuple[str, str]]:
    for key, value in values.items():
        if not is_key(key):
            not_taken.append(key_fault(what, key))
        elif len(value) > most:
            not_taken.append(f"{what} {key!r}: {len(value)} characters; at most {most}")
        else:
            yield key, value
