"""How a file is cut into parts."""

from __future__ import annotations

from chalicelib.artifacts import s3
from deardiary.wire import limits, parts


def test_the_limits_of_s3_hold_for_every_size() -> None:
    for size in (64 * limits.MIB + 1, limits.GIB, 200 * limits.GIB, 5 * limits.TIB - 1, 5 * limits.TIB):
        step = parts.part_size("s3", size)
        assert -(-size // step) <= limits.MAX_PARTS
        assert 5 * limits.MIB <= step <= s3.MAX_PUT
