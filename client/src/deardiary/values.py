"""What a user may log, made into what is recorded."""

from __future__ import annotations

import operator
from numbers import Real
from typing import TYPE_CHECKING, Any, Protocol, SupportsFloat, SupportsIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class SupportsItem(Protocol):
    """A scalar in a container of its own: NumPy's, PyTorch's, JAX's."""

    def item(self) -> Any: ...


Number = SupportsFloat | SupportsItem


def as_floats(metrics: Mapping[str, Number]) -> dict[str, float]:
    """Metric values as float64.

    Takes numbers, Booleans (as 1.0 and 0.0), and whatever holds one number: NumPy scalars, arrays and PyTorch tensors
    of one element. TypeError or ValueError that names the key for everything else, text included.
    """
    return {_key(key): _float(key, value) for key, value in metrics.items()}


def as_texts(parameters: Mapping[str, object]) -> dict[str, str]:
    """Parameter values as text, by ``str``: True is "True", None is "None", 1e-3 is "0.001". A float loses no bit."""
    return {_key(key): str(value) for key, value in parameters.items()}


def as_step(step: SupportsIndex | None) -> int | None:
    """A step as int. TypeError for what is not a whole number."""
    try:
        return None if step is None else operator.index(step)
    except TypeError:
        raise TypeError(f"A step is an int, not {type(step).__name__}") from None


def as_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags as a tuple. TypeError for a single text, whose letters would each become a tag."""
    if isinstance(tags, str):
        raise TypeError(f"Tags are a list of texts: [{tags!r}], not {tags!r}")
    values = tuple(tags)
    for value in values:
        if not isinstance(value, str):
            raise TypeError(f"A tag is text, not {type(value).__name__}")
    return values


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"A key is text, not {type(key).__name__}: {key!r}")
    return key


def _float(key: str, value: Any) -> float:
    try:
        return float(_number(value))
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"The value of {key!r} is not one number: {type(value).__name__} ({error})") from error


def _number(value: Any) -> Any:
    """What ``float`` may be given; it would read text as well, and so must not be asked first."""
    if isinstance(value, Real):
        return value
    item = getattr(value, "item", None)
    number = item() if callable(item) else value
    if isinstance(number, (str, bytes, bytearray)) or not hasattr(type(number), "__float__"):
        raise TypeError("expected a number")
    return number
