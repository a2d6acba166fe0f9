"""The writer of a spool, on disks that are full, damaged or absent."""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING

import pytest

from deardiary.spool import lines, writer
from deardiary.spool.segment import OwnSegment, segments_in
from deardiary.spool.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def body(number: int) -> str:
    return lines.dump({"n": number})


def drain(writer: Writer) -> list[list[int]]:
    """Acknowledge each closed segment; return the numbers in each."""
    found = []
    writer.cut()
    while segment := writer.oldest():
        found.append([entry["n"] for entry in lines.read(segment.read())[0]])
        writer.acknowledge()
    return found


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """Leave room for this many more bytes; None removes the limit."""
    room: list[int | None] = [None]
    real = os.write

    def write(fd: int, data: bytes) -> int:
        if room[0] is None:
            return real(fd, data)
        fits = data[: room[0]]
        if not fits:
            raise OSError(errno.ENOSPC, "No space left on device")
        room[0] -= len(fits)
        return real(fd, fits)

    monkeypatch.setattr("deardiary.spool.writer.os.write", write)
    return lambda bytes_left: room.__setitem__(0, bytes_left)


def test_a_line_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.append(body(1))
    (segment,) = segments_in(tmp_path)
    assert lines.read(segment.read()) == ([{"n": 1}], 0)


def test_the_newest_segment_is_flushed_once_after_each_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a long pace a segment stays open for half a minute: a power failure must not cost all of it."""
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda _: flushed.append(1))
    opened = Writer(tmp_path)
    opened.sync()
    assert flushed == []
    for number in (1, 2):
        opened.append(lines.dump({"tags": ["t"]}))
        opened.sync()
        opened.sync()
        assert len(flushed) == number
    opened.close()


def test_segments_are_cut_and_go_when_they_are_acknowledged(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    for number in range(4):
        writer.append(body(number))
        if number % 2:
            writer.cut()
            writer.cut()
    assert [segment.number for segment in segments_in(tmp_path)] == [1, 2]
    assert writer.waiting
    assert drain(writer) == [[0, 1], [2, 3]]
    assert (segments_in(tmp_path), writer.waiting) == ([], False)


def test_no_segment_is_more_than_a_request_may_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_BYTES", 100)
    full: list[int] = []
    one = Writer(tmp_path, on_full=lambda: full.append(1))
    for number in range(3):
        one.append(body(number), points=4000)
    for number in range(3, 12):
        one.append(body(number))
    segments = drain(one)
    assert segments[0] == [0, 1]
    assert [number for segment in segments for number in segment] == list(range(12))
    assert all(sum(len(lines.seal(body(number))) for number in segment) <= 100 for segment in segments)
    assert len(full) == len(segments) - 1


@pytest.mark.parametrize("room", [0, 10, 30, 45])
def test_a_full_disk_loses_nothing_and_is_used_again_when_there_is_room(
    tmp_path: Path, full: Callable[[int | None], None], caplog: pytest.LogCaptureFixture, room: int
) -> None:
    writer = Writer(tmp_path)
    writer.append(body(0))
    full(room)
    for number in range(1, 6):
        writer.append(body(number))
    assert all(lines.read(segment.read())[1] == 0 for segment in segments_in(tmp_path))
    assert [number for segment in drain(writer) for number in segment] == list(range(6))
    assert caplog.text.count("waits in memory") == 1
    full(None)
    writer.append(body(6))
    assert len(segments_in(tmp_path)) == 1
    assert drain(writer) == [[6]]


def test_records_in_memory_are_written_once_there_is_room(tmp_path: Path, full: Callable[[int | None], None]) -> None:
    writer = Writer(tmp_path)
    full(0)
    writer.append(body(1))
    full(None)
    assert writer.close() == 0
    (segment,) = segments_in(tmp_path)
    assert lines.read(segment.read()) == ([{"n": 1}], 0)
    with pytest.raises(RuntimeError, match="has ended"):
        writer.append(body(2))


def test_without_a_folder_there_is_memory_and_it_has_an_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer, "MAX_MEMORY_BYTES", 3 * len(lines.seal(body(1))))
    one = Writer(None)
    for number in range(5):
        one.append(body(number), points=2)
    one.append(body(9))  # no point: a parameter, or the end
    assert one.dropped == 4
    assert caplog.text.count("points are being lost") == 1
    assert drain(one) == [[0, 1, 2, 9]]
    one.append(body(1), points=2)
    assert drain(one) == [[1]]


@pytest.mark.parametrize("act", [Writer.settle, Writer.acknowledge, Writer.close])
def test_only_one_thread_at_a_time_closes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[Writer], object]
) -> None:
    """Two that close the same number close a file that the program has opened in between."""
    monkeypatch.setattr(writer, "KEPT_OPEN", 0)
    spool, close, entered = Writer(tmp_path), OwnSegment.close, list[bool]()

    def watched(segment: OwnSegment) -> None:
        another = threading.Thread(target=lambda: entered.append(spool._lock.acquire(blocking=False)))
        another.start()
        another.join()
        close(segment)

    monkeypatch.setattr(OwnSegment, "close", watched)
    spool.append(body(1))
    spool.cut()
    act(spool)
    assert entered
    assert not any(entered)
