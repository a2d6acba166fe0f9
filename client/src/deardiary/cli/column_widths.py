"""Widths of a table's columns on a terminal that is narrower than the table."""

from collections.abc import Sequence

NARROWEST = 8


def fitting_widths(widths: Sequence[int], may_be_cut: Sequence[bool], room: int, gap: int) -> list[int]:
    """The widths of the columns that have room, the first ones.

    The widest that may be cut shrink first, to ``NARROWEST`` at least. Then the last columns have no room.
    """
    left = _narrowed(widths, may_be_cut, room - gap * (len(widths) - 1))
    while len(left) > 1 and sum(left) + gap * (len(left) - 1) > room:
        left.pop()
    return left


def _narrowed(widths: Sequence[int], may_be_cut: Sequence[bool], room: int) -> list[int]:
    left = list(widths)
    while sum(left) > room:
        cuttable = [index for index, may in enumerate(may_be_cut) if may and left[index] > NARROWEST]
        if not cuttable:
            break
        left[max(cuttable, key=left.__getitem__)] -= 1
    return left
