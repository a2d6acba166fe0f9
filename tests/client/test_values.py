from __future__ import annotations

import math
import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from deardiary.values import as_float, as_step, as_tags, as_texts, checked_key


class Tensor:
    """The part of PyTorch's tensor that this client uses."""

    def __init__(self, *values: float) -> None:
        self.values = values

    def item(self) -> float:
        if len(self.values) != 1:
            raise RuntimeError("a Tensor with 2 elements cannot be converted to Scalar")
        return self.values[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0),
        (0.1, 0.1),
        (True, 1.0),
        (math.inf, math.inf),
        (-0.0, -0.0),
        (5e-324, 5e-324),
        (2**62, float(2**62)),
        (Fraction(1, 3), 1 / 3),
        (Decimal("0.5"), 0.5),
        (np.float64(0.1), 0.1),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.int64(7), 7.0),
        (np.bool_(False), 0.0),
        (np.array(2.5), 2.5),
        (np.array([2.5]), 2.5),
        (Tensor(1.5), 1.5),
    ],
)
def test_what_is_one_number(value: Any, expected: float) -> None:
    assert struct.pack("d", as_float("k", value)) == struct.pack("d", expected)


def test_nan_is_a_value() -> None:
    assert math.isnan(as_float("k", math.nan))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("0.1", TypeError),
        (b"1", TypeError),
        (np.str_("0.1"), TypeError),
        (None, TypeError),
        (1j, TypeError),
        (np.complex128(1j), TypeError),
        ([1.0], TypeError),
        ({"a": 1}, TypeError),
        (np.datetime64("2026-01-01"), TypeError),
        (np.array([1.0, 2.0]), ValueError),
        (Tensor(1.0, 2.0), ValueError),
        (10**400, ValueError),
    ],
)
def test_what_is_not(value: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="The value of 'loss' is not one number"):
        as_float("loss", value)


def test_a_key_is_text() -> None:
    keys: Any = {1: 1.0}
    with pytest.raises(TypeError, match="A key is text, not int"):
        as_texts(keys)


@pytest.mark.parametrize("key", ["", "k" * 251, "a\nb", "\x7f"])
def test_a_key_that_the_server_would_refuse_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="A key has"):
        checked_key(key)


def test_a_text_that_is_too_long_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="A tag has 1 to 250 characters"):
        as_tags(["x" * 251])
    with pytest.raises(ValueError, match="A step is an int64"):
        as_step(2**63)


def test_parameters_become_text() -> None:
    given = {"lr": 1e-3, "third": 1 / 3, "on": True, "none": None, "n": np.int64(3), "layers": [64, 32], "text": "x"}
    assert as_texts(given) == {
        "lr": "0.001",
        "third": repr(1 / 3),
        "on": "True",
        "none": "None",
        "n": "3",
        "layers": "[64, 32]",
        "text": "x",
    }


def test_a_step_is_a_whole_number() -> None:
    wrong: Any = 1.0
    assert (as_step(None), as_step(-3), as_step(np.int64(5))) == (None, -3, 5)
    with pytest.raises(TypeError, match="A step is an int, not float"):
        as_step(wrong)


def test_tags_are_several_texts() -> None:
    wrong: Any = [1]
    assert as_tags(tag for tag in ("a", "b")) == ("a", "b")
    with pytest.raises(TypeError, match=r"\['best'\], not 'best'"):
        as_tags("best")
    with pytest.raises(TypeError, match="A tag is text, not int"):
        as_tags(wrong)
