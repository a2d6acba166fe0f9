"""The tensors in which newer versions of TensorFlow write all values."""

from __future__ import annotations

from typing import Any

import numpy

# TensorFlow's numbers of types, and the fields that have single values.
_TYPES = {
    1: ("<f4", "float_val"),
    2: ("<f8", "double_val"),
    3: ("<i4", "int_val"),
    4: ("u1", "int_val"),
    5: ("<i2", "int_val"),
    6: ("i1", "int_val"),
    9: ("<i8", "int64_val"),
    10: ("?", "bool_val"),
    19: ("<f2", ""),
}
_TEXT = 7


def scalar(tensor: Any) -> float | None:
    """A tensor of one number; None for others."""
    found = array(tensor)
    return float(found.flat[0]) if found is not None and found.size == 1 else None


def array(tensor: Any) -> Any:
    """A numpy array; None for texts and rare types."""
    if tensor.dtype not in _TYPES:
        return None
    kind, field = _TYPES[tensor.dtype]
    shape = [each.size for each in tensor.tensor_shape.dim]
    if tensor.tensor_content:
        return numpy.frombuffer(tensor.tensor_content, kind).reshape(shape)
    values = numpy.array(list(getattr(tensor, field)) if field else [], kind)
    count = int(numpy.prod(shape)) if shape else 1
    # The last value stands for all that are left out.
    return numpy.resize(values, count).reshape(shape) if len(values) in (1, count) else None


def texts(tensor: Any) -> list[bytes]:
    return list(tensor.string_val) if tensor.dtype == _TEXT else []
