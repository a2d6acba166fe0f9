"""What a terminal would show of a stream: lines, and the last states of progress bars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deardiary.tracking import screen
from deardiary.tracking.screen import Screen


def shown(*texts: str) -> list[str]:
    found = Screen()
    for number, text in enumerate(texts):
        found.feed(text, number, number)
    return [text for _, _, text in found.take(unfinished=True)]


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        ([], []),
        (["a", "\n", "b\nc", "\n"], ["a", "b", "c"]),
        (["\n\n"], ["", ""]),
        (["a\r\nb\r\n"], ["a", "b"]),
        (["a\r", "\nb"], ["a", "b"]),
        (["waiting …"], ["waiting …"]),
        (["  a  \n"], ["  a  "]),
        (["\r  0%", "\r 50%", "\r100%", "\n"], ["100%"]),
        (["\r 50%   ", "\r"], [" 50%"]),
        (["\r 50%", "\r     ", "\r", "done\n"], ["done"]),
        (["\x1b[31mred\x1b[0m\n"], ["\x1b[31mred\x1b[0m"]),
        (["head\n", "one\ntwo\n", "\x1b[2A", "\r1\n", "2\n", "three\n"], ["head", "1", "2", "three"]),
        (["a\n", "\x1b[9A", "\rb"], ["b"]),
        # Two bars of tqdm, the inner one below the outer one.
        (["\router 1", "\n", "\rinner 1", "\x1b[A", "\n", "\rinner 2", "\x1b[A", "\router 2"], ["outer 2", "inner 2"]),
    ],
)
def test_a_terminal_shows(printed: list[str], lines: list[str]) -> None:
    assert shown(*printed) == lines


def test_a_state_that_was_taken_is_replaced_and_not_repeated() -> None:
    found = Screen()

    def take(text: str) -> list[str]:
        found.feed(text, 0, 0)
        return [line for _, _, line in found.take(unfinished=True)]

    assert take("\r10%") == ["10%"]
    assert take("") == []
    assert take("\r20%\r30%") == ["\r30%"]
    assert take("\r100%\nnext\n") == ["\r100%", "next"]
    assert take("\rnew 1%") == ["new 1%"]
    assert take("\n") == []


def test_unfinished_lines_wait_for_their_end_where_asked() -> None:
    found = Screen()
    found.feed("a\nb", 1, 1)
    assert found.take(unfinished=False) == [(1, 1, "a")]
    found.feed("c\n", 2, 2)
    assert found.take(unfinished=False) == [(2, 2, "bc")]


def test_a_very_long_line_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "MAX_CHARACTERS", 4)
    assert shown("123456789\n") == ["1234", "5678", "9"]


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\r\n\x1b"), max_size=9), max_size=9))
def test_plain_lines_come_back_however_they_are_cut(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    assert shown(text) == shown(*text) == lines


def test_many_lines_at_once_come_back_with_what_is_around_them() -> None:
    lines = [f"line {number}" for number in range(500)]
    whole = "\n".join(lines)
    assert shown("begin ", whole, " end\n", "\r10%", "\r20%\n", whole, "\n") == [
        "begin line 0",
        *lines[1:-1],
        "line 499 end",
        "20%",
        *lines,
    ]
