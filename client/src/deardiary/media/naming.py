"""The names of media: ``media/KEY/STEP.png``, and ``media/KEY/STEP-INDEX.png`` where a step has several."""

from deardiary.transfer.paths import checked_name
from deardiary.values import checked_key

FOLDER = "media"
_DIGITS = 8  # so that names sort as their steps do


def name_of(key: str, step: int, suffix: str, index: int | None = None) -> str:
    """ValueError if the key cannot be a part of a path."""
    number = "" if index is None else f"-{index}"
    return checked_name(f"{FOLDER}/{checked_key(key)}/{step:0{_DIGITS}}{number}{suffix}")
