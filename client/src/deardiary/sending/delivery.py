"""Deliver the segments of a spool to the server. Any process may deliver a segment again without a second effect."""

import hashlib
import itertools
import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from deardiary.client import Client
from deardiary.entities.records import Fields, split
from deardiary.errors import REFUSALS, ClientError, reason_of
from deardiary.files import write_whole
from deardiary.sending import operations, run_ref
from deardiary.spool import lines, points, store
from deardiary.spool import output as outputs
from deardiary.spool import run as runs
from deardiary.spool.lines import Entry
from deardiary.spool.output import Line
from deardiary.spool.points import Row
from deardiary.spool.run import Run, RunRef
from deardiary.spool.segment import Segment
from deardiary.wire import limits, times
from deardiary.wire.shapes import FlushReceipt, Iteration, PendingCommand

T = TypeVar("T")

_UNSOUND = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Delivered:
    """Numbers of delivered, rejected and damaged records."""

    points: int = 0
    others: int = 0
    rejected: int = 0
    damaged: int = 0


class Creating(Protocol):
    """How a live process finds or creates its iteration; see `tracking.creation`."""

    @property
    def ref(self) -> RunRef: ...

    def find(self, client: Client, quick: Client, began: datetime) -> Iteration: ...

    def succeed(self, iteration: Iteration) -> None: ...


class Delivery:
    """Delivers the segments of one run to ``client``'s server.

    Every method raises `ClientError` if the server cannot be reached or refuses this user; the caller delivers the
    segment again later. Records refused for another reason are kept under ``rejected``, with a warning.
    """

    def __init__(
        self,
        client: Client,
        run: Run,
        folder: Path | None,
        creation: Creating | None = None,
        *,
        patient: bool = True,
        ends: bool = True,
    ) -> None:
        """``folder`` is the spool's, None if it has none; ``creation`` is that of a live process.

        Unless ``patient``, requests are not retried: the caller does so itself. Unless ``ends``, the end is skipped: a
        later process continues the same iteration.
        """
        self._client = client
        self._quick = client if patient else client.without_retries()
        self._is_patient = patient
        self._run = run
        self._folder = folder
        self._ends = ends
        self._creation = creation
        self.iteration: Iteration | None = None
        self.delivered = Delivered()
        self._ended: Iteration | None = None  # its state before it was reopened for late records
        # Only the parent process ends the iteration. A forked process must not reopen it: nothing would end it again.
        self._reopens = run.reopens and run.forked_from is None
        self._has_told_of_the_end = False
        self._takes_output = True
        self.flush_after_seconds: float | None = None  # of the last answer
        self.receive_commands: Callable[[Sequence[PendingCommand]], None] = _ignore  # unless this process is the writer

    @property
    def run(self) -> Run:
        """The run, with the ids that are known by now."""
        return self._run

    def find_iteration(self) -> Iteration:
        """Find or create the run's iteration, and write its id to run.json."""
        if self.iteration is None:
            creation, began = self._creation, self._run.started_at
            found = self._find(began) if creation is None else creation.find(self._client, self._quick, began)
            self.iteration = found
            self._note(found)
            if creation is not None:
                creation.succeed(found)
        return self.iteration

    def _find(self, began: datetime) -> Iteration:
        found = run_ref.find_or_create(self._quick, self._run.origin, began=began)
        return run_ref.reopen(self._quick, found, before=began) if self._reopens else found

    def deliver(self, segment: Segment) -> None:
        """Send a segment's records; reject those refused. FileNotFoundError if another process has delivered it."""
        entries, damaged = lines.read(segment.read())
        if damaged and not self.delivered.damaged:
            _log.warning("%s: %d damaged records are lost", self._run.spool_id, damaged)
        self.delivered.damaged += damaged
        sound, rows, printed = self._decode(segment.number, entries)
        self._acknowledge(segment.number, [entry["acknowledged"] for entry in sound if "acknowledged" in entry])
        self._deliver_fields(segment.number, sound)
        self._deliver_batches(segment.number, rows, printed, f"{self._run.spool_id}-{segment.number:08}")
        for entry in sound:
            self._operate(segment.number, entry)

    def beat(self) -> None:
        """Send a heartbeat: an empty flush."""
        batch_id = f"{self._run.spool_id}-alive"
        self._answered(self._quick.iterations.log_columns(self.find_iteration().id, {}, batch_id=batch_id))

    def hint(self, error: Exception) -> str:
        return hint(error, self._folder)

    def close(self) -> None:
        """If the iteration was reopened for this run, end it again, unless the run has ended it itself."""
        if self._ended is not None:
            operations.end_as(self._quick, self._ended)
            self._ended = None

    def _answered(self, receipt: FlushReceipt) -> FlushReceipt:
        """Note the pace that the server asks for, and pass its commands on."""
        self.flush_after_seconds = receipt.flush_after_seconds
        if receipt.commands:
            self.receive_commands(receipt.commands)
        return receipt

    def _acknowledge(self, number: int, acknowledged: Sequence[Mapping[str, Any]]) -> None:
        """Tell the server which commands are carried out. A repetition has no second effect."""
        batch_id = f"{self._run.spool_id}-{number:08}-acknowledged"
        for first in range(0, len(acknowledged), limits.MAX_FLUSH_COMMANDS):
            some = acknowledged[first : first + limits.MAX_FLUSH_COMMANDS]
            try:
                self._answered(self._quick.iterations.acknowledge(self.find_iteration().id, some, batch_id=batch_id))
            except ClientError as error:
                if not is_refusal(error):
                    raise
                _log.warning("The server refuses the acknowledgement of commands: %s", reason_of(error))

    def _deliver_batches(self, number: int, rows: list[Row], printed: list[Line], batch_id: str) -> None:
        """Send points and printed lines in one batch, named after the segment, and more lines in further ones.

        If an incomplete copy of the segment was sent before, the server has only its points and lines: send the rest
        separately.
        """
        taken = shown = 0
        while taken < len(rows) or shown < len(printed):
            name = f"{batch_id}+{taken}" if taken else batch_id
            piece = next(outputs.pieces(printed[shown:]), ())
            try:
                accepted = self._send_batch(rows[taken:], piece, f"{name}.{shown}" if shown else name)
            except ClientError as error:
                if not is_refusal(error):
                    raise
                if rows[taken:] and piece:
                    # One of the two is refused: the other must not be lost with it.
                    self._deliver_batches(number, [], printed[shown:], f"{batch_id}-output")
                    self._deliver_batches(number, rows[taken:], [], f"{batch_id}-points")
                elif piece:
                    self._reject(number, "output", {"output": printed[shown:]}, error)
                else:
                    self._reject(number, "points", {"points": rows[taken:]}, error)
                break
            taken += accepted[0]
            shown += accepted[1]
        self.delivered.points += taken

    def _send_batch(self, rows: list[Row], printed: Sequence[Line], batch_id: str) -> tuple[int, int]:
        """The number of points and of lines that the server has in this batch."""
        columns = points.columns(rows)
        output = outputs.to_wire(printed) if self._takes_output else []
        try:
            receipt = self._reopening(
                lambda iteration: self._quick.iterations.log_columns(
                    iteration.id, columns, batch_id=batch_id, output=output
                )
            )
        except ClientError as error:
            if output and error.status == 422 and error.details.get("field") == "output":
                self._takes_output = False
                _log.warning("The server does not keep what is printed: %s", reason_of(error))
                return self._send_batch(rows, printed, batch_id)
            early, shown = self._before_the_end(rows, printed) if operations.is_locked(error) else ([], [])
            if 0 < len(early) + len(shown) < len(rows) + len(printed):
                return self._send_batch(early, shown, batch_id)
            raise
        self._answered(receipt)
        lines = len(printed) if receipt.accepted_output is None else receipt.accepted_output
        if not receipt.accepted and (not lines or not output):
            # Another process sent this batch_id empty. Count it as delivered, or we would retry for ever.
            return len(rows), len(printed)
        return receipt.accepted, lines

    def _before_the_end(self, rows: list[Row], printed: Sequence[Line]) -> tuple[list[Row], list[Line]]:
        """The points and lines up to the first one after the iteration's end: the server accepts a batch of these."""
        end_date = self._quick.iterations.get(self.find_iteration().id).end_date
        end = math.inf if end_date is None else times.to_milliseconds(end_date)
        early = itertools.takewhile(lambda row: row[3] <= end, rows)
        return list(early), list(itertools.takewhile(lambda line: line.recorded_ms <= end, printed))

    def _deliver_fields(self, number: int, entries: list[Entry]) -> None:
        """Send parameters, tags and labels; sending them again has no second effect."""
        parameters: dict[str, str] = {}
        tags: dict[str, None] = {}
        labels: dict[str, str | None] = {}
        for entry in entries:
            for key, value in entry.get("parameters", {}).items():
                parameters.setdefault(key, value)
            tags.update(dict.fromkeys(entry.get("tags", ())))
            labels.update(entry.get("labels", {}))
        if not (parameters or tags or labels):
            return
        of = self.find_iteration().id
        fields = Fields(iteration_id=of, parameters=parameters, tags=tuple(tags), labels=labels)
        for piece in split(fields):
            self._send_fields(number, piece)

    def _send_fields(self, number: int, piece: Fields) -> None:
        """Send the fields. Reject a parameter that conflicts with a stored one, or the labels, and send the rest."""
        while piece.parameters or piece.tags or piece.labels:
            try:
                self._log_fields(number, piece)
            except ClientError as error:
                piece = self._without_refused(number, piece, error)
            else:
                self.delivered.others += len(piece.parameters) + len(piece.tags) + len(piece.labels)
                return

    def _without_refused(self, number: int, piece: Fields, error: ClientError) -> Fields:
        """Reject the fields that the error names, or all of them; return the others."""
        key = _key_of(error)
        if key in piece.parameters:
            self._reject(number, f"parameter-{_digest(key)}", {"parameters": {key: piece.parameters[key]}}, error)
            rest = {name: value for name, value in piece.parameters.items() if name != key}
            return replace(piece, parameters=rest)
        if not is_refusal(error):
            raise error
        if piece.labels and _is_about_labels(error):
            self._reject(number, "labels", {"labels": piece.labels}, error)
            return replace(piece, labels={})
        content = {"parameters": piece.parameters, "tags": piece.tags, "labels": piece.labels}
        self._reject(number, "fields", {name: each for name, each in content.items() if each}, error)
        return Fields(iteration_id=piece.iteration_id)

    def _log_fields(self, number: int, piece: Fields) -> None:
        batch_id = _name_of(self._run.spool_id, number, piece)
        self._answered(self._reopening(lambda _: self._quick.iterations.log(piece, batch_id=batch_id)))

    def _reopening(self, send: Callable[[Iteration], T]) -> T:
        """Send; if another process has ended the shared iteration meanwhile, reopen it and send again."""
        iteration = self.find_iteration()
        try:
            return send(iteration)
        except ClientError as error:
            if not self._reopens or not operations.is_locked(error):
                raise
        now = self._quick.iterations.get(iteration.id)
        self._ended = now if now.end_date else self._ended
        run_ref.reopen(self._quick, now)
        return send(iteration)

    def _decode(self, number: int, entries: list[Entry]) -> tuple[list[Entry], list[Row], list[Line]]:
        """The well-formed records, their points and printed lines. Reject the others: they must not block these."""
        sound: list[Entry] = []
        rows: list[Row] = []
        printed: list[Line] = []
        for entry in entries:
            try:
                found = list(points.rows(entry)) if "points" in entry else []
                lines_of = list(outputs.printed(entry))
                texts = [*entry.get("parameters", {}).items(), *entry.get("tags", ()), *entry.get("labels", {}).items()]
                dict.fromkeys(texts)
                dict(entry.get("acknowledged", {}))
            except _UNSOUND as error:
                self._reject(number, "record", entry, error)
            else:
                sound.append(entry)
                rows += found
                printed += lines_of
        return sound, rows, printed

    def _operate(self, number: int, entry: Entry) -> None:
        kind = next((kind for kind in operations.KINDS if kind in entry), None)
        if kind is None or (kind == "finish" and not self._ends):
            return
        try:
            self._reopening(lambda it: operations.KINDS[kind](self._client, it, entry[kind], self._folder))
            self._ended = None if kind == "finish" else self._ended
        except (OSError, ClientError, *_UNSOUND) as error:
            if isinstance(error, ClientError) and not (is_refusal(error) or self._is_passed_over(kind, error)):
                raise
            self._reject(number, kind, entry, error)
        else:
            self.delivered.others += 1

    def _is_passed_over(self, kind: str, error: ClientError) -> bool:
        """True for an input in the trash while the program runs: its points must not wait for a restoration."""
        is_another = error.details.get("kind") != "iteration"
        return kind == "input" and error.is_in_trash and is_another and not self._is_patient

    def _reject(self, number: int, what: str, content: Mapping[str, Any], error: Exception) -> None:
        self.delivered.rejected += 1
        where = "it is lost"
        if self._folder is not None:
            folder = self._folder / store.REJECTED
            folder.mkdir(parents=True, exist_ok=True)
            if folder.is_symlink():
                raise PermissionError(f"{folder} is a link, and may lead out of the spool")
            text = json.dumps({"error": reason_of(error), **content}, indent=1)
            # The hash separates the rejected records of a segment; a second delivery writes the same names again.
            path = folder / f"{number:08}-{what}-{_digest(json.dumps(content))[:8]}.json"
            write_whole(path, text.encode())
            where = f"it is kept in {path}"
        # A forked process may log on after the end: warn only once.
        repeats = isinstance(error, ClientError) and operations.is_locked(error) and self._has_told_of_the_end
        self._has_told_of_the_end |= isinstance(error, ClientError) and operations.is_locked(error)
        level = logging.DEBUG if repeats else logging.WARNING
        _log.log(
            level, "The server refuses %s of iteration %s for good: %s; %s", what, self._name(), reason_of(error), where
        )

    def _name(self) -> str:
        return self.iteration.id if self.iteration else self._run.spool_id

    def _note(self, iteration: Iteration) -> None:
        ref = self._creation.ref if self._creation else self._run.origin
        known = replace(ref, iteration_id=iteration.id, experiment_id=iteration.experiment_id)
        self._run = replace(self._run, url=self._client.url, origin=known)
        if self._folder is None:
            return
        try:
            runs.save(self._folder, self._run)
        except OSError as error:
            _log.debug("%s was not updated: %s", self._folder, error)


def _ignore(commands: Sequence[PendingCommand]) -> None:
    """Leave the commands to the writer of the iteration: the server repeats them until it acknowledges them."""


def hint(error: Exception, folder: Path | None) -> str:
    """Advice to the user on the error, or an empty text."""
    status = 0 if not isinstance(error, ClientError) or error.is_passing else error.status
    if status == 401:
        return "; sign in again (`deardiary login`), and it goes on"
    if isinstance(error, ClientError) and error.is_in_trash:
        return "; after that it is sent"  # the message says how to restore the object
    if status == 404 and folder is not None:
        return f"; if it has been deleted and you do not want what is left of it, delete {folder}"
    return ""


def is_refusal(error: ClientError) -> bool:
    """True if the server will never accept the record: the error depends neither on the user nor on the time."""
    return 400 <= error.status < 500 and error.code in REFUSALS and not error.is_passing


def _key_of(error: ClientError) -> str:
    """The key of a parameter in conflict, else "". An older server sends it as the field."""
    return str(error.details.get("key", error.details.get("field"))) if error.status == 409 else ""


def _is_about_labels(error: ClientError) -> bool:
    """True if the server refuses the labels: they are too many, or it is too old to know labels."""
    return str(error.details.get("field")).partition(".")[0] == "labels"


def _name_of(spool_id: str, number: int, piece: Fields) -> str:
    """The batch_id of fields, from a hash of their content: the same content again is the same batch.

    Not with labels: the same label again may follow another value of it. They are the same in the same segment.
    """
    content: list[object] = [sorted(piece.parameters.items()), piece.tags]
    if piece.labels:
        content += [number, sorted(piece.labels.items())]
    return f"{spool_id}-{_digest(json.dumps(content))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
