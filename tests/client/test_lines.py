from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deardiary.spool import lines

ENTRIES = st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=20), min_size=1), max_size=6)


def content(entries: list[lines.Entry]) -> bytes:
    return b"".join(lines.seal(lines.dump(entry)) for entry in entries)


@given(ENTRIES)
def test_a_sealed_segment_is_read(entries: list[lines.Entry]) -> None:
    assert lines.read(content(entries)) == (entries, 0)


@given(ENTRIES, st.data())
def test_a_cut_costs_the_last_line_and_no_other(entries: list[lines.Entry], data: st.DataObject) -> None:
    whole = content(entries)
    length = data.draw(st.integers(0, len(whole)))
    read, damaged = lines.read(whole[:length])
    # A line that lacks only its line feed is complete.
    ends = whole[:length].count(b"\n") + (whole[length : length + 1] == b"\n")
    assert read == entries[: len(read)]
    assert ends - 1 <= len(read) <= ends
    assert damaged <= 1


@given(ENTRIES.filter(bool), st.data())
def test_a_byte_that_changed_costs_its_line_and_no_other(entries: list[lines.Entry], data: st.DataObject) -> None:
    sealed = [lines.seal(lines.dump(entry)) for entry in entries]
    at = data.draw(st.integers(0, len(sealed) - 1))
    index = data.draw(st.integers(0, len(sealed[at]) - 2))
    line = bytearray(sealed[at])
    line[index] ^= data.draw(st.integers(1, 255).filter(lambda bits: line[index] ^ bits != 10))
    read, damaged = lines.read(b"".join([*sealed[:at], bytes(line), *sealed[at + 1 :]]))
    assert (read, damaged) == (entries[:at] + entries[at + 1 :], 1)


def test_a_line_that_is_no_object_is_damaged() -> None:
    assert lines.read(lines.seal("[1]") + lines.seal("{")) == ([], 2)
