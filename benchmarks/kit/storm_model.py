"""The model behind `benchmarks.storm`: jobs, functions and partitions, in simulated time.

The steps of a request reach their partitions one after the other. A partition without units left throttles the call.
The server then acts as `chalicelib/aws/throttling.py` says, and the job as `deardiary/sending/sender.py` does.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from chalicelib.aws import throttling
from chalicelib.services.lifecycle import pace
from deardiary.http.backoff import wait_seconds
from deardiary.sending import earlier, sender

OWN = "own"  # a partition of the iteration alone, far from any limit
READS, WRITES = 3_000.0, 1_000.0  # of a partition, in a second
FUNCTIONS = 1_000
CALL_SECONDS = 0.005
COLD_START_SECONDS = 0.3
PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Step:
    """One call: the read and write units that it takes from each partition."""

    units: Sequence[tuple[str, float, float]]

    @classmethod
    def of(cls, items: Iterable[tuple[str, float, float, int]]) -> Step:
        """From the items of a call: partition, the units of the whole call, and the number of its items."""
        reads: Counter[str] = Counter()
        writes: Counter[str] = Counter()
        for place, read, write, number in items:
            reads[place] += read / number  # type: ignore[assignment]
            writes[place] += write / number  # type: ignore[assignment]
        return cls([(place, reads[place], writes[place]) for place in reads if place != OWN])


@dataclass(frozen=True, slots=True)
class Request:
    steps: Sequence[Step]
    cpu_seconds: float

    @property
    def seconds(self) -> float:
        """The duration in a function, undisturbed."""
        return self.cpu_seconds + CALL_SECONDS * len(self.steps)


@dataclass(frozen=True, slots=True)
class Load:
    """Times in seconds. A job logs a point a second from its start to its end."""

    jobs: int = 10_000
    start_within: float = 60.0
    shortest: float = 300.0
    longest: float = 600.0
    until: float = 10_800.0


@dataclass(slots=True)
class Outcome:
    """What has happened. `_edges`: by how many the number of points with a lag of a second more differs."""

    _edges: Counter[int] = field(default_factory=Counter)
    saturated_minutes: set[int] = field(default_factory=set)
    requests: int = 0
    throttled: int = 0
    most_functions: int = 0
    logged: int = 0
    stored: int = 0

    @property
    def lost(self) -> int:
        """The points that are not stored at the end."""
        return self.logged - self.stored

    def store(self, first: int, last: int, now: float) -> None:
        """Store the points of the seconds from `first` to `last`, the last one excluded."""
        if last > first:
            self.stored += last - first
            self._edges[math.ceil(now - last + 1)] += 1
            self._edges[math.ceil(now - first) + 1] -= 1

    def lag(self, share: float) -> float:
        """The lag, in whole seconds, that this share of the points does not exceed; infinite if points are lost."""
        left, points = share * self.logged, 0
        for seconds in range(max(self._edges, default=0) + 1):
            points += self._edges[seconds]
            left -= points
            if left <= 0:
                return seconds
        return math.inf


class Partition:
    """A second's units at most are left over."""

    def __init__(self) -> None:
        self._reads, self._writes, self._at = READS, WRITES, 0.0

    def has(self, now: float, reads: float, writes: float) -> bool:
        # Requests overlap, so a call may come a few milliseconds before one that has been counted.
        passed, self._at = max(0.0, now - self._at), max(now, self._at)
        self._reads = min(READS, self._reads + READS * passed)
        self._writes = min(WRITES, self._writes + WRITES * passed)
        return self._reads >= reads and self._writes >= writes

    def take(self, reads: float, writes: float) -> None:
        self._reads -= reads
        self._writes -= writes


@dataclass(slots=True)
class Function:
    """A process of the server: what it has seen decides on the pace that it asks for."""

    crowd: pace.Crowd = field(default_factory=pace.Crowd)
    throttled_at: float = -math.inf


@dataclass(slots=True)
class Job:
    """`stored`: the points up to this second are stored; `cut`: those up to it are in the segment to send."""

    id: str
    experiment: str
    start: float
    end: float
    stored: int = 0
    cut: int = 0
    is_created: bool = False
    failures: int = 0
    pace: float = sender.FLUSH_SECONDS

    def points(self, now: float) -> int:
        """The points logged so far."""
        return int(min(now, self.end) - self.start)


class Storm:
    def __init__(
        self, creation: Request, flush: Request, load: Load, *, experiments: int, is_watched: bool, seed: int = 7
    ) -> None:
        self._creation, self._flush, self._load, self._is_watched = creation, flush, load, is_watched
        self._dice = random.Random(seed)  # noqa: S311
        self._partitions: dict[str, Partition] = {}
        self._idle: list[Function] = []
        self._busy = 0
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = count()
        self.outcome = Outcome()
        for number in range(load.jobs):
            self._add(number, f"experiment {number % experiments}")

    def run(self) -> Outcome:
        while self._events:
            now, _, act = heapq.heappop(self._events)
            if now > self._load.until:
                break
            act(now)
        return self.outcome

    def _add(self, number: int, experiment: str) -> None:
        start = self._dice.uniform(0, self._load.start_within)
        end = start + self._dice.uniform(self._load.shortest, self._load.longest)
        job = Job(str(number), experiment, start, end)
        self.outcome.logged += job.points(end)
        self._at(start, lambda now: self._send(job, now))

    def _at(self, when: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), act))

    def _cut(self, job: Job, now: float) -> None:
        job.cut = job.points(now)
        self._send(job, now)

    def _send(self, job: Job, now: float) -> None:
        """Send the creation or the segment: at the limit of Lambda the gateway refuses it at once."""
        self.outcome.requests += 1
        if self._busy >= FUNCTIONS:
            self.outcome.saturated_minutes.add(int(now // 60))
            self._failed(job, now, asked=0.0)
            return
        function, began = (self._idle.pop(), now) if self._idle else (Function(), now + COLD_START_SECONDS)
        self._busy += 1
        self.outcome.most_functions = max(self.outcome.most_functions, self._busy)
        request = self._flush if job.is_created else self._creation
        ended, is_served = self._serve(function, request, job, began)
        self._at(ended, lambda end: self._answer(function, job, end, is_served=is_served))

    def _serve(self, function: Function, request: Request, job: Job, now: float) -> tuple[float, bool]:
        """The end of the request, and False if it was throttled."""
        now += request.cpu_seconds
        for step in request.steps:
            for attempt in range(1, throttling.ATTEMPTS + 1):
                now += CALL_SECONDS
                if self._takes(step, job, now):
                    break
                function.throttled_at = now
                if attempt == throttling.ATTEMPTS:
                    return now, False
                now += self._dice.uniform(throttling.SHORTEST_PAUSE, throttling.LONGEST_PAUSE)
        return now, True

    def _takes(self, step: Step, job: Job, now: float) -> bool:
        parts = [(self._partition(place, job), reads, writes) for place, reads, writes in step.units]
        if not all(partition.has(now, reads, writes) for partition, reads, writes in parts):
            return False
        for partition, reads, writes in parts:
            partition.take(reads, writes)
        return True

    def _partition(self, place: str, job: Job) -> Partition:
        return self._partitions.setdefault(job.experiment if place == "experiment" else place, Partition())

    def _answer(self, function: Function, job: Job, now: float, *, is_served: bool) -> None:
        self._busy -= 1
        self._idle.append(function)
        if not is_served:
            self.outcome.throttled += 1
            self._failed(job, now, asked=self._dice.randint(throttling.SHORTEST_WAIT, throttling.LONGEST_WAIT))
            return
        job.failures = 0
        if not job.is_created:
            job.is_created = True
            self._at(now + sender.FLUSH_SECONDS, lambda then: self._cut(job, then))
            return
        self.outcome.store(job.stored + int(job.start), job.cut + int(job.start), now)
        waited = now - (job.start + job.cut)
        job.stored = job.cut
        job.pace = min(max(self._pace(function, job, now), sender.FASTEST_SECONDS), sender.SLOWEST_SECONDS)
        if now < job.end:
            # After a long failure more segments wait.
            next_flush = now if waited >= job.pace else min(now + job.pace, job.end)
            self._at(next_flush, lambda then: self._cut(job, then))
        elif job.stored < job.points(now):
            self._cut(job, now)

    def _failed(self, job: Job, now: float, *, asked: float) -> None:
        backoff = wait_seconds(
            job.failures,
            first=earlier.FIRST_BACKOFF,
            longest=earlier.LONGEST_BACKOFF,
            least_share=0.5,
            jitter=self._dice.random,
        )
        job.failures += 1
        self._at(now + max(backoff, asked), lambda then: self._send(job, then))

    def _pace(self, function: Function, job: Job, now: float) -> float:
        minute = int(now // 60)
        bearable = pace.bearable(
            function.crowd.count(job.experiment, job.id, minute),
            function.crowd.count(PROJECT, job.id, minute),
            is_throttled=now - function.throttled_at < pace.THROTTLED_FOR,
        )
        return max(bearable, pace.wanted(is_watched=self._is_watched, age=timedelta(seconds=now - job.start)))
