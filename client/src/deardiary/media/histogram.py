"""Histograms as JSON: ``{"kind": "histogram", "edges": […], "counts": […]}`` with one more edge than counts."""

import itertools
import json
import math
import sys
from collections.abc import Sequence
from typing import Any

from deardiary.media.encoded import Encoded

BINS = 64
_LARGEST = sys.float_info.max


def encode(
    values: Any = None, *, counts: Sequence[float] | None = None, edges: Sequence[float] | None = None, bins: int = BINS
) -> Encoded:
    """The histogram of values, in ``bins`` of equal width, or of counts between edges.

    Values that are not finite are left out, and counted as ``not_finite``. ValueError for edges that do not rise or do
    not fit the counts.
    """
    not_finite = 0
    if (values is None) == (counts is None):
        raise ValueError("A histogram is of values, or of counts and edges")
    if values is not None:
        edges, counts, not_finite = _counted_of(values, bins)
    edges, counts = [float(each) for each in edges or ()], [float(each) for each in counts or ()]
    if len(edges) != len(counts) + 1 or any(not a < b for a, b in itertools.pairwise(edges)):
        raise ValueError("A histogram has one more edge than counts, and its edges rise")
    if any(not math.isfinite(each) for each in (*edges, *counts)):
        raise ValueError("The edges and counts of a histogram are finite")
    body = {"kind": "histogram", "edges": edges, "counts": counts, "not_finite": not_finite}
    return Encoded(json.dumps(body).encode(), ".json")


def _counted_of(values: Any, bins: int) -> tuple[Sequence[float], Sequence[float], int]:
    if bins < 1:
        raise ValueError(f"A histogram has at least one bin, not {bins}")
    if hasattr(values, "__array__") or hasattr(values, "detach"):
        return _counted_of_array(values, bins)
    numbers = [float(each) for each in values]
    finite = [each for each in numbers if math.isfinite(each)]
    return *_counted(finite, bins), len(numbers) - len(finite)


def _counted_of_array(values: Any, bins: int) -> tuple[Sequence[float], Sequence[float], int]:
    import numpy as np

    from deardiary.media.image import as_array

    array = as_array(values).ravel().astype(np.float64)
    finite = array[np.isfinite(array)]
    left_out = len(array) - len(finite)
    try:
        counts, edges = np.histogram(finite, bins)
    except ValueError:  # NumPy refuses values that are too close together or too far apart
        return *_counted(finite.tolist(), bins), left_out
    return edges.tolist(), counts.tolist(), left_out


def _counted(values: list[float], bins: int) -> tuple[list[float], list[float]]:
    """Edges and counts: in a single bin if the values are too close together for more."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    width = high / bins - low / bins  # the difference itself may be infinite
    edges = [*(low + width * at for at in range(bins)), high]
    if any(not a < b for a, b in itertools.pairwise(edges)):
        margin = max(0.5, abs(low) / 2**40)
        return [max(low - margin, -_LARGEST), min(high + margin, _LARGEST)], [float(len(values))]
    counts = [0.0] * bins
    for each in values:
        counts[min(bins - 1, int(each / width - low / width))] += 1
    return edges, counts
