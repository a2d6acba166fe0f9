from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

from deardiary.transfer.progress import Bar, Meter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_threads_count_together() -> None:
    seen: list[tuple[int, int]] = []
    meter = Meter(1000, lambda done, total: seen.append((done, total)))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(meter.add, [1] * 1000))
    assert sorted(done for done, _ in seen) == list(range(1, 1001))
    assert {total for _, total in seen} == {1000}


def test_a_bar_is_drawn_on_a_terminal_to_its_end() -> None:
    terminal = Terminal()
    with Bar("model.bin", terminal) as bar:
        bar(0, 2_000_000)
        bar(2_000_000, 2_000_000)
    assert "model.bin" in terminal.getvalue()
    assert "100%  2 MB of 2 MB" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")


def test_nothing_is_no_division_by_zero() -> None:
    terminal = Terminal()
    with Bar("empty", terminal) as bar:
        bar(0, 0)
    assert "100%" in terminal.getvalue()


def test_elsewhere_nothing_is_written() -> None:
    stream = io.StringIO()
    with Bar("model.bin", stream) as bar:
        bar(1, 1)
    assert stream.getvalue() == ""


def test_a_small_file_is_counted_in_bytes() -> None:
    terminal = Terminal()
    with Bar("notes.txt", terminal) as bar:
        bar(0, 900)
        bar(900, 900)
    assert "100%  900 bytes of 900 bytes" in terminal.getvalue()
    assert "0.0" not in terminal.getvalue()
