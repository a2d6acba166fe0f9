"""Bring runs of any origin into a project of a server, by calls that may be repeated.

    loader = Loader(client, project.id)
    for report in loader.load(runs_of(folder)):      # one Report for each run, in the order of the runs
        print(report.name, report.outcome, *report.not_taken)
    for report in loader.load_versions(versions_of(folder)):   # after the runs
        ...
    for report in loader.finish():                   # of runs that waited for what they read
        ...

Killed and started again, it goes on; started twice, it changes nothing:

- a run is found by its ``key``, which is the ``id_key`` of its iteration
- a run that has ended here as at its origin costs one request
- of an iteration that was begun, the loader reads the points and sends those that are missing; the id of a batch
  follows from its content, so that two loaders at once do no harm
- files are found by a key of run, name and content; bytes that the project has are not sent again

Its memory does not grow with the points of a run: those of a run that was begun are compared on disk
(`deardiary_exchange.on_disk`). A refusal of one run is in its report, and the next run follows; a server that does not
answer, or that refuses the caller, raises ClientError.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from deardiary.entities.records import Fields, split
from deardiary.errors import Conflict, Invalid, NotFound
from deardiary.wire import limits
from deardiary.wire.shapes import ExperimentStatus, IterationStatus
from deardiary.wire.times import format_time, from_milliseconds
from deardiary_exchange import checks, history, points
from deardiary_exchange.files import Owner, key_of_file, store
from deardiary_exchange.keys import hash_of, key_of
from deardiary_exchange.models import Models
from deardiary_exchange.models import given as _given
from deardiary_exchange.runs import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import deardiary
    from deardiary.wire.shapes import Iteration
    from deardiary_exchange import runs
    from deardiary_exchange.copies import Copies
    from deardiary_exchange.runs import File, Input, Line, Points, Run, Version

Outcome = Literal["created", "completed", "unchanged", "deleted", "failed"]

# Runs whose copies are recorded together.
_WINDOW = 100
# Lines of one request, whose texts have at most 1 MiB; the server splits a longer text.
_LINES, _LINES_BYTES, _TEXT_CHARACTERS = 5000, limits.MAX_FLUSH_OUTPUT_BYTES * 3 // 4, 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a run, or of a model version.

    ``outcome``: created; completed, if an earlier load had begun it or the origin has more now; unchanged; deleted, if
    it was deleted from the target, where it stays so; failed, with the reason as the last of ``not_taken``.
    """

    key: str
    name: str
    outcome: Outcome
    id: str | None = None
    points: int = 0
    files: int = 0
    not_taken: tuple[str, ...] = ()


class Loader:
    """Brings runs into one project.

    ``copies`` keeps which of them are copies of another DearDiary's. With ``update`` a run that has ended gets the
    name, the notes, the labels, tags and files that its origin has now; what was added here stays.
    """

    def __init__(
        self, client: deardiary.Client, project_id: str, *, copies: Copies | None = None, update: bool = False
    ) -> None:
        self._client = client
        self._copies = copies
        self._update = update
        self._project_id = project_id
        self._experiments: dict[str, tuple[runs.Experiment, str]] = {}
        self._iterations: dict[str, tuple[str, str]] = {}  # by key: the id, and that of the experiment
        self._files: dict[str, str] = {}  # by key: the id
        self._unread: dict[str, tuple[str, str]] = {}  # by key: the id of an iteration, and the name of a file in it
        self._versions: dict[str, str] = {}
        self._waiting: list[tuple[Run, Iteration, _Work]] = []
        self._models = Models(client, project_id)

    def load(self, wanted: Iterable[Run]) -> Iterator[Report]:
        if self._copies is None:
            yield from map(self._load, wanted)  # each before its origin reads the next one
            return
        runs_of = iter(wanted)
        while window := list(islice(runs_of, _WINDOW)):
            yield from self._load_copies(self._copies, window)

    def _load_copies(self, copies: Copies, window: Sequence[Run]) -> Iterator[Report]:
        by_experiment: dict[str, list[str]] = {}
        for run in window:
            by_experiment.setdefault(self._experiment_id(run.experiment), []).append(run.key)
        copies.begin(by_experiment)
        for run in window:
            yield self._load(run)
        for experiment_id, keys in by_experiment.items():
            found = {key: self._iterations[key] for key in keys if key in self._iterations}
            new = {key: id_ for key, (id_, owner) in found.items() if owner == experiment_id}
            copies.keep(experiment_id, new)

    def load_experiments(self, wanted: Iterable[runs.Experiment]) -> None:
        """Create the experiments that have no run of their own."""
        for experiment in wanted:
            self._experiment_id(experiment)

    def load_files(self, wanted: Iterable[tuple[runs.Experiment, File]]) -> Iterator[Report]:
        """Store files of experiments; a report for each that was not taken."""
        owners: dict[str, Owner] = {}
        there: dict[str, dict[tuple[str, str | None], str]] = {}
        for experiment, file in wanted:
            lost: list[str] = []
            experiment_id, key = self._experiment_id(experiment), key_of_file(experiment.key, file)
            if self._is_home(experiment) and experiment_id not in there:
                listed = self._client.resources.list(experiment_id)
                there[experiment_id] = {
                    (each.name, each.content_hash): each.id for each in listed if not each.iteration_id
                }
            stored = there.get(experiment_id, {}).get((file.name, file.content_hash))
            if stored is None:
                owner = owners.setdefault(experiment_id, Owner(experiment.key, experiment_id))
                stored = self._stored(owner, file, lost)
            if stored is not None:
                self._files[key] = stored
            if lost:
                yield Report(key=key, name=file.name, outcome="failed", not_taken=tuple(lost))

    def _stored(self, owner: Owner, file: File, lost: list[str]) -> str | None:
        try:
            return store(self._client, owner, file, lost)
        except Invalid:
            if not self._opened(owner.experiment_id):
                raise
            return store(self._client, owner, file, lost)

    def _is_home(self, experiment: runs.Experiment) -> bool:
        return self._copies is not None and self._copies.native_id(experiment.key) is not None

    def load_models(self, wanted: Iterable[runs.Model]) -> None:
        """Create the models that have no version."""
        for model in wanted:
            self._models.load(model)

    def load_versions(self, wanted: Iterable[Version]) -> Iterator[Report]:
        for version in wanted:
            yield self._load_version(version)

    def finish(self) -> Iterator[Report]:
        """End the runs that waited for a file or a version that they read, and give experiments and models their state.

        Call it after the last version.
        """
        for run, iteration, work in self._waiting:
            yield self._reported(work, lambda: self._end(run, iteration, work, is_last=True))  # noqa: B023 - called here
        self._waiting.clear()
        self._models.finish()
        self._settle_experiments()

    def _settle_experiments(self) -> None:
        for wanted, experiment_id in self._experiments.values():
            if wanted.status is None or self._is_home(wanted):
                continue
            found = self._client.experiments.get(experiment_id)
            if (found.status_id, found.end_date) != (wanted.status, wanted.end_date):
                self._client.experiments.update(
                    experiment_id, **_given(status_id=wanted.status, end_date=wanted.end_date)
                )

    def iteration_id(self, run_key: str) -> str | None:
        """The id of the iteration of a run of this load, or of an earlier one."""
        found = self._known(run_key)
        return found and found[0]

    def leave(self, run: Run) -> None:
        """Leave a run out that is known to be as at its origin; others may read its files."""
        found = self._known(run.key)
        if found is not None:
            self._unread |= {key_of_file(run.key, each): (found[0], each.name) for each in run.files}

    def _known(self, run_key: str) -> tuple[str, str] | None:
        """The ids of a run's iteration and of its experiment."""
        if run_key in self._iterations or self._copies is None:
            return self._iterations.get(run_key)
        return self._copies.copy_of(run_key)

    def _load(self, run: Run) -> Report:
        work = _Work(run)
        return self._reported(work, lambda: self._bring(run, work))

    def _reported(self, work: _Work, bring: Callable[[], Report]) -> Report:
        try:
            return bring()
        except NotFound as error:
            return work.report("deleted", str(error))
        except (Invalid, Conflict, Unreadable) as error:
            return work.report("failed", str(error))

    def _bring(self, run: Run, work: _Work) -> Report:
        if self._copies is not None and (native := self._copies.native_id(run.key)) is not None:
            return self._came_home(run, native, work)
        iteration, work.is_new = self._begin(run, work)
        work.iteration_id = iteration.id
        self._iterations[run.key] = (iteration.id, iteration.experiment_id)
        if self._update and not work.is_new:
            self._bring_annotations(run, iteration, work)
        if _is_as_at_its_origin(iteration, run):
            self._unread |= {key_of_file(run.key, each): (iteration.id, each.name) for each in run.files}
            if not self._update or not self._has_more(run, iteration, work):
                return work.report()
        if iteration.end_date is not None:
            self._client.iterations.update(iteration.id, status_id=IterationStatus.RUNNING)
        if run.whole is not None:
            run = self._read_whole(run.whole, iteration, work)
        self._bring_content(run, iteration, work)
        return self._end(run, iteration, work)

    def _read_whole(self, read: Callable[[], Run], iteration: Iteration, work: _Work) -> Run:
        """Read what the origin left out at first. Its labels come now, the rest with the content."""
        run = read()
        work.take(run)
        labels = {key: value for key, value in work.labels.items() if iteration.labels.get(key) != value}
        if labels:
            self._client.iterations.update(iteration.id, labels=labels)
        return run

    def _came_home(self, run: Run, iteration_id: str, work: _Work) -> Report:
        """Leave a run alone that was born here: here is what it is; others have copies."""
        work.iteration_id = iteration_id
        self._iterations[run.key] = (iteration_id, self._experiment_id(run.experiment))
        self._unread |= {key_of_file(run.key, each): (iteration_id, each.name) for each in run.files}
        return work.report()

    def _bring_annotations(self, run: Run, iteration: Iteration, work: _Work) -> None:
        """What may change after the end; files that the origin has now, too."""
        name = checks.name(run.name, [])
        labels = {key: value for key, value in work.labels.items() if iteration.labels.get(key) != value}
        changes = _given(
            name=name if name != iteration.name else None,
            notes=run.notes if run.notes != iteration.notes else None,
            labels=labels or None,
        )
        if changes:
            self._client.iterations.update(iteration.id, **changes)
        tags = set(work.tags) - {each.value for each in self._client.tags.list("iteration", iteration.id)}
        for tag in sorted(tags):
            self._client.tags.create("iteration", iteration.id, tag)
        work.changed |= bool(changes or tags)
        if _is_as_at_its_origin(iteration, run):
            self._bring_files(run, iteration, work)

    def _has_more(self, run: Run, iteration: Iteration, work: _Work) -> bool:
        """True if the origin has points of an ended run that are not here: a batch came late."""
        with history.read(self._client, iteration.id) as present:
            return next(points.missing(work.known_keys(run.metrics()), present), None) is not None

    def _end(self, run: Run, iteration: Iteration, work: _Work, *, is_last: bool = False) -> Report:
        """Record what the run has read, and end it; unless it read what is not there yet."""
        if not is_last and not all(map(self._is_known, run.inputs)):
            self._waiting.append((run, iteration, work))
            return work.report()
        for each in run.inputs:
            self._bring_input(iteration, each, work)
        if run.status != IterationStatus.RUNNING:
            message = checks.text("error_message", run.error_message, limits.MAX_TEXT_BYTES, work.not_taken)
            given = _given(end_date=run.end_date, error_message=message or None)
            self._client.iterations.update(iteration.id, status_id=run.status, **given)
            work.changed = True
        return work.report()

    def _begin(self, run: Run, work: _Work) -> tuple[Iteration, bool]:
        experiment_id = self._experiment_id(run.experiment)
        fields: dict[str, Any] = _given(
            name=checks.name(run.name, work.not_taken),
            notes=checks.text("notes", run.notes, limits.MAX_TEXT_BYTES, work.not_taken) or None,
            parent_iteration_id=self._parent_id(run, work),
            created_date=run.created_date,
            labels=work.labels or None,
            tags=list(work.tags[: limits.MAX_BULK_TAGS]) or None,
        )
        create = self._client.iterations.find_or_create
        try:
            return create(experiment_id, id_key=key_of(run.key), **fields)
        except Invalid:
            if not self._opened(experiment_id):
                raise
            return create(experiment_id, id_key=key_of(run.key), **fields)

    def _opened(self, experiment_id: str) -> bool:
        """Open an ended experiment for new runs; `finish` ends it again. False if it was open."""
        if self._client.experiments.get(experiment_id).status_id == ExperimentStatus.IN_PROGRESS:
            return False
        self._client.experiments.update(experiment_id, status_id=ExperimentStatus.IN_PROGRESS)
        return True

    def _parent_id(self, run: Run, work: _Work) -> str | None:
        if run.parent_key is None:
            return None
        parent_id, experiment_id = self._known(run.parent_key) or (None, None)
        if parent_id is not None and experiment_id == self._experiment_id(run.experiment):
            return parent_id
        reason = "was not loaded before it" if parent_id is None else "is in another experiment"
        work.not_taken.append(f"parent {run.parent_key}: it {reason}")
        return None

    def _experiment_id(self, wanted: runs.Experiment) -> str:
        if wanted.key not in self._experiments:
            self._experiments[wanted.key] = (wanted, self._found_experiment(wanted))
        return self._experiments[wanted.key][1]

    def _found_experiment(self, wanted: runs.Experiment) -> str:
        lost: list[str] = []
        known = self._copies.experiment_id(wanted.key) if self._copies is not None else None
        if known is not None:
            if self._update and not self._is_home(wanted):
                self._update_experiment(known, wanted)
            return known
        name = checks.name(wanted.name, lost) or wanted.key
        found = next(self._client.experiments.list(self._project_id, name=name), None)
        if found is None:
            found = self._client.experiments.create(
                self._project_id,
                name,
                **_given(
                    description=checks.text("description", wanted.description, limits.MAX_TEXT_BYTES, lost) or None,
                    id_key=key_of(f"{wanted.key}\n{name}"),
                    created_date=wanted.created_date,
                    labels=checks.labels(wanted.labels, lost, limits.MAX_EXPERIMENT_LABEL_CHARACTERS) or None,
                ),
            )
        for tag in checks.tags(wanted.tags, lost):
            self._client.tags.create("experiment", found.id, tag)
        if self._copies is not None:
            self._copies.keep_experiment(wanted.key, found.id)
        return found.id

    def _update_experiment(self, experiment_id: str, wanted: runs.Experiment) -> None:
        """Give a copy what its original has now. A name that another experiment has here stays as it is."""
        found = self._client.experiments.get(experiment_id)
        labels = {key: value for key, value in wanted.labels.items() if found.labels.get(key) != value}
        changes = _given(
            description=wanted.description if wanted.description != found.description else None, labels=labels or None
        )
        if changes:
            self._client.experiments.update(experiment_id, **changes)
        if wanted.name != found.name:
            with suppress(Conflict):
                self._client.experiments.update(experiment_id, name=wanted.name)
        for tag in wanted.tags:
            self._client.tags.create("experiment", experiment_id, tag)

    def _bring_content(self, run: Run, iteration: Iteration, work: _Work) -> None:
        self._bring_fields(run, iteration, work)
        self._bring_points(run, iteration, work)
        self._bring_output(run, iteration, work)
        if run.environment:
            self._client.iterations.set_snapshot(iteration.id, **run.environment)  # type: ignore[arg-type]
        self._bring_files(run, iteration, work)

    def _bring_files(self, run: Run, iteration: Iteration, work: _Work) -> None:
        owner = Owner(run.key, iteration.experiment_id, iteration.id)
        for file in run.files:
            stored = store(self._client, owner, file, work.not_taken)
            if stored is not None:
                self._files[key_of_file(run.key, file)] = stored
                work.files += 1

    def _bring_fields(self, run: Run, iteration: Iteration, work: _Work) -> None:
        """Parameters, and tags that did not fit into the creation."""
        wanted = checks.parameters(run.parameters, work.not_taken)
        tags: tuple[str, ...] = work.tags[limits.MAX_BULK_TAGS :]
        if not work.is_new:
            tags = work.tags
            for each in self._client.parameters.list(iteration.id):
                value = wanted.pop(each.key, each.value)
                if value != each.value:
                    self._client.parameters.update(each.id, value)
                    work.changed = True
            tags = tuple(set(tags) - {each.value for each in self._client.tags.list("iteration", iteration.id)})
        for fields in split(Fields(iteration_id=iteration.id, parameters=wanted, tags=tags)):
            content = repr((sorted(fields.parameters.items()), sorted(fields.tags)))
            self._client.iterations.log(fields, batch_id=f"exchange:{hash_of(content)}")
            work.changed = True

    def _bring_points(self, run: Run, iteration: Iteration, work: _Work) -> None:
        wanted = work.known_keys(run.metrics())
        if work.is_new:
            self._send_points(wanted, iteration, work, 0)
            return
        with history.read(self._client, iteration.id) as present:
            self._send_points(points.missing(wanted, present), iteration, work, present.count)

    def _send_points(self, wanted: Iterable[Points], iteration: Iteration, work: _Work, number: int) -> None:
        """Send points in batches; ``number`` are there already."""
        for batch in points.batches(wanted):
            sent = points.wire_of(batch)
            self._client.iterations.log_columns(iteration.id, sent, batch_id=points.batch_id_of(batch, number))
            count = sum(len(each.columns) for each in batch)
            number, work.points, work.changed = number + count, work.points + count, True

    def _bring_output(self, run: Run, iteration: Iteration, work: _Work) -> None:
        """Send the lines after those that are there: an earlier load sent the first ones."""
        present = 0 if work.is_new else sum(1 for _ in self._client.iterations.output(iteration.id))
        for number, lines in _parts_of(run.output(), present):
            wire = [
                {"stream": each.stream, "text": each.text, "recorded_at": format_time(from_milliseconds(each.time))}
                for each in lines
            ]
            batch_id = f"exchange:{hash_of(repr((number, lines)))}"
            self._client.iterations.log_columns(iteration.id, {}, batch_id=batch_id, output=wire)
            work.changed = True

    def _is_known(self, wanted: Input) -> bool:
        is_file_known = wanted.file_key is None or self._file_id(wanted.file_key) is not None
        return is_file_known and (wanted.version_key is None or wanted.version_key in self._versions)

    def _file_id(self, key: str | None) -> str | None:
        """The id of the resource of a file of this load; the first use of a file of an earlier load asks for it."""
        if key is not None and key in self._unread:
            iteration_id, name = self._unread.pop(key)
            with suppress(NotFound):  # it was deleted here
                iteration = self._client.iterations.get(iteration_id)
                stored = self._client.resources.list(iteration.experiment_id, iteration_id=iteration_id)
                self._files.update((key, each.id) for each in stored if each.name == name)
        return self._files.get(key or "")

    def _bring_input(self, iteration: Iteration, wanted: Input, work: _Work) -> None:
        if not self._is_known(wanted):
            work.not_taken.append(f"input {wanted.name!r}: the link to {wanted.file_key or wanted.version_key}")
        self._client.inputs.create(
            iteration.id,
            wanted.kind,
            wanted.name,
            digest=wanted.digest,
            source=wanted.source,
            source_type=wanted.source_type,
            context=wanted.context,
            description=wanted.description,
            labels=checks.labels(wanted.labels, work.not_taken),
            resource_id=self._file_id(wanted.file_key),
            modelversion_id=self._versions.get(wanted.version_key or ""),
        )

    def _load_version(self, wanted: Version) -> Report:
        report = Report(key=wanted.key, name=f"{wanted.model.name}/{wanted.version}", outcome="failed")
        iteration_id = self.iteration_id(wanted.run_key)
        if iteration_id is None:
            return replace(report, not_taken=(f"its run {wanted.run_key} was not loaded",))
        not_taken: list[str] = []
        resource_id = self._file_id(wanted.file_key)
        if wanted.file_key and resource_id is None:
            not_taken.append(f"file {wanted.file_key}: it was not loaded")
        try:
            version, is_new = self._models.bring(wanted, iteration_id, resource_id, not_taken)
        except NotFound as error:
            return replace(report, outcome="deleted", not_taken=(*not_taken, str(error)))
        except (Invalid, Conflict) as error:
            return replace(report, not_taken=(*not_taken, str(error)))
        self._versions[wanted.key] = version.id
        outcome: Outcome = "created" if is_new else "unchanged"
        return replace(report, outcome=outcome, id=version.id, not_taken=tuple(not_taken))


class _Work:
    """What has been done of one run, for its report."""

    def __init__(self, run: Run) -> None:
        self.is_new = False
        self.iteration_id: str | None = None
        self.points = 0
        self.files = 0
        self.changed = False
        self.take(run)

    def take(self, run: Run) -> None:
        self._run = run
        self.not_taken = list(run.not_taken)
        self.tags = checks.tags(run.tags, self.not_taken)
        self.labels = checks.labels(run.labels, self.not_taken)

    def known_keys(self, wanted: Iterable[Points]) -> Iterator[Points]:
        """The points whose key the server accepts."""
        refused = set()
        for each in wanted:
            if checks.is_key(each.key):
                yield each
            elif each.key not in refused:
                refused.add(each.key)
                self.not_taken.append(checks.key_fault("metric", each.key))

    def report(self, outcome: Outcome | None = None, reason: str = "") -> Report:
        done: Outcome = "created" if self.is_new else "completed" if self.changed else "unchanged"
        return Report(
            key=self._run.key,
            name=self._run.name or "",
            outcome=outcome or done,
            id=self.iteration_id,
            points=self.points,
            files=self.files,
            not_taken=tuple(self.not_taken) + ((reason,) if reason else ()),
        )


def _is_as_at_its_origin(iteration: Iteration, run: Run) -> bool:
    """True if the iteration has ended as the run did: its end is the last that a loader writes."""
    if run.status == IterationStatus.RUNNING or iteration.end_date is None:
        return False
    ended = run.end_date is None or format_time(iteration.end_date) == format_time(run.end_date)
    return ended and iteration.status_id == run.status


def _parts_of(lines: Iterable[Line], present: int) -> Iterator[tuple[int, list[Line]]]:
    """The lines after the first ``present`` ones, in parts for one request, each with the number of its first line."""
    part: list[Line] = []
    first, size = present, 0
    for number, line in enumerate(piece for each in lines for piece in _pieces(each)):
        if number < present:
            continue
        line_bytes = len(line.text.encode("utf-8", "replace"))
        if part and (len(part) == _LINES or size + line_bytes > _LINES_BYTES):
            yield first, part
            part, first, size = [], number, 0
        part.append(line)
        size += line_bytes
    if part:
        yield first, part


def _pieces(line: Line) -> Iterator[Line]:
    for start in range(0, max(len(line.text), 1), _TEXT_CHARACTERS):
        yield line._replace(text=line.text[start : start + _TEXT_CHARACTERS])
