"""What the two databases of one run of Aim have, in the form of ours."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from deardiary_exchange.origins import media
from deardiary_exchange.origins.aim import values
from deardiary_exchange.origins.aim.sequences import (
    LINES,
    POINTS,
    Sequence,
    has_inexact,
    last_ms,
    points,
    sequences,
    text_of,
)
from deardiary_exchange.origins.aim.sequences import values as values_of
from deardiary_exchange.origins.aim.store import Blob, Custom, Store
from deardiary_exchange.origins.origin import texts
from deardiary_exchange.runs import File, Line

_SYSTEM = "__system_params"
_LEFT_OUT = ("packages", "env_variables", "executable")


class Reading:
    """What the two databases of one run have. Unreadable if one cannot be opened."""

    def __init__(self, run: str, meta: Store, seqs: Store) -> None:
        self._run, self._seqs = run, seqs
        seqs.get(b"")
        chunk = ("meta", "chunks", run)
        contexts = meta.tree("meta", "contexts") | meta.tree(*chunk, "contexts")
        self._sequences = sequences(run, meta.tree(*chunk, "traces"), contexts)
        self._lost: list[str] = []
        attributes = meta.tree(*chunk, "attrs")
        system = attributes.pop(_SYSTEM, None) or {}
        self.parameters = texts(self._plain(attributes))
        self.environment = _environment(system)
        if set(_LEFT_OUT) & set(system):
            self._lost.append("the packages and the environment variables of the process: they are not kept")
        end = meta.value(*chunk, "end_time")
        self.end_ms = round(end * 1000) if isinstance(end, (int, float)) else None
        self._artifacts = meta.tree(*chunk, "artifacts")

    def points(self) -> Iterator[tuple[str, int, int, float]]:
        for each in self._of(POINTS):
            yield from points(self._seqs, each)

    def last_ms(self) -> int:
        return max((last_ms(self._seqs, each) for each in self._sequences), default=0)

    def lines(self) -> Iterator[Line]:
        """What the terminal showed, and the records of the log, by their times."""
        streams = {"aim.log_line": "stdout", "aim.log_record": "stderr"}
        parts = [self._lines_of(each, streams[each.kind]) for each in self._of(LINES)]
        return heapq.merge(*parts, key=lambda line: line.time)

    def _lines_of(self, sequence: Sequence, stream: Any) -> Iterator[Line]:
        """Aim changes the last line of a terminal until its line end, and begins another one after that."""
        held: deque[Line] = deque()
        for value in values_of(self._seqs, sequence):
            held += [Line(stream, line, value.time_ms) for line in text_of(value.content).splitlines() or [""]]
            while len(held) > 1:
                yield held.popleft()
        is_whole = self.end_ms is not None or sequence.kind != LINES[0]
        yield from (line for line in held if is_whole and line.text)

    def files(self, folder: Path | None) -> Iterator[File]:
        for sequence in self._sequences:
            for value in values_of(self._seqs, sequence) if values.is_known(sequence.kind) else ():
                yield from values.files(sequence, value)
        for artifact in self._artifacts.values():
            yield _artifact(self._run, artifact.fields, folder)

    def not_taken(self) -> list[str]:
        found = [
            f"values of {each.key!r}: those of {each.kind!r} are not kept"
            for each in self._sequences
            if each.kind not in (*POINTS, *LINES) and not values.is_known(each.kind)
        ]
        inexact = (each for each in self._sequences if has_inexact(self._seqs, each))
        lost = [f"the last digits of {each.key!r}: a point is a float64, which does not hold them" for each in inexact]
        return [*self._lost, *found, *lost]

    def _of(self, kinds: Iterable[str]) -> Iterator[Sequence]:
        return (each for each in self._sequences if each.kind in kinds)

    def _plain(self, value: Any) -> Any:
        """Parameters without Aim's classes: a value of one is a dict of its fields."""
        if isinstance(value, Custom):
            return self._plain(value.fields)
        if isinstance(value, dict):
            return {key: self._plain(each) for key, each in value.items() if not self._is_lost(key, each)}
        return [self._plain(each) for each in value] if isinstance(value, list) else value

    def _is_lost(self, key: Any, value: Any) -> bool:
        if not isinstance(value, Blob):
            return False
        self._lost.append(f"parameter {key!r}: it is no text")
        return True


def _environment(system: dict[str, Any]) -> dict[str, str | bool]:
    commit = ((system.get("git_info") or {}).get("commit") or {}).get("hash")
    script = next(iter(system.get("arguments") or ()), None)
    return {name: str(value) for name, value in (("git_sha", commit), ("entrypoint", script)) if value}


def _artifact(run: str, fields: dict[str, Any], folder: Path | None) -> File:
    name, base = str(fields["name"]), urlsplit(str(fields["base_uri"]))
    if folder is not None:
        path = folder / run / name
    elif base.scheme == "file":
        path = Path(unquote(base.path)) / name
    else:
        reason = f"it is at {fields['uri']}; copy the artifacts to a folder, and name it by --artifacts"
        return media.refused(name, reason)
    return File.of_path(name, path, created_date=media.modified(path))
