"""``deardiary metrics``."""

import argparse
import csv
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from deardiary.cli import find
from deardiary.cli.command import Call, Subparsers, count, noun, verb
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.cli.plot import draw
from deardiary.wire.shapes import Curve, Iteration, MetricSummary

SUMMARY = ["metric", "count", "first", "last", "min", "max", "last step"]
FOLLOW_SECONDS = 2.0
_PLOTTED = 1000  # points of a curve to request: more than a terminal has dots in a line
_WITHOUT_TERMINAL = 80
_PLOT_LINES = 15


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "metrics", "curves of an iteration")
    _of_iteration(verb(verbs, "ls", "list the metrics of an iteration with first, last, lowest and highest value", ls))
    parser = verb(verbs, "show", "print the points of a metric", show)
    _of_iteration(parser)
    parser.add_argument("key", metavar="METRIC", help="its name")
    parser.add_argument("--csv", action="store_true", help="print CSV with every digit")
    parser.add_argument("--max-points", type=count, metavar="N", help="at most N points, with the lows and highs")
    _follow(parser)
    parser = verb(verbs, "plot", "draw the curve of a metric, of one or more iterations", plot)
    parser.add_argument("iterations", nargs="+", help="an id, or the beginning of one")
    parser.add_argument("key", metavar="METRIC", help="its name")
    _follow(parser)


def ls(call: Call) -> None:
    iteration = find.iteration(call.client, call.given.iteration)
    summaries = call.client.metrics.summary(iteration.id)
    call.output.json(summaries)
    rows = [summary_row(key, each) for key, each in summaries.items()]
    call.output.table(SUMMARY, rows, "This iteration has no metrics")


def summary_row(key: str, summary: MetricSummary) -> list[object]:
    return [key, summary.count, summary.first, summary.last, summary.min, summary.max, summary.last_step]


def show(call: Call) -> None:
    given = call.given
    iteration = find.iteration(call.client, given.iteration)
    if given.follow and (given.max_points or call.output.as_json):
        raise CommandFailed("--follow prints every point as it comes: without --max-points and --json", USAGE)
    curve = _curve(call, iteration, given.max_points)
    if not curve.step and not given.follow:
        raise _no_points(call, [iteration])
    call.output.json(curve)
    if call.output.as_json:
        return
    if given.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["step", "value", "recorded_at"])
        for step, value, moment in _points(call, iteration, curve):
            writer.writerow([step, repr(value), moment.isoformat()])
            sys.stdout.flush()
    elif given.follow:
        for step, value, moment in _points(call, iteration, curve):
            call.output.say(f"{step:>10}  {value:<14.6g}  {moment:%Y-%m-%d %H:%M:%S}")
            sys.stdout.flush()
    else:
        rows = list(zip(curve.step, curve.value, curve.recorded_at, strict=True))
        call.output.table(["step", "value", "recorded"], rows)


def plot(call: Call) -> None:
    iterations = [find.iteration(call.client, each) for each in call.given.iterations]
    while True:
        curves = {each.id: _curve(call, each, _PLOTTED) for each in iterations}
        call.output.json(curves)
        if not any(curve.step for curve in curves.values()) and not call.given.follow:
            raise _no_points(call, iterations)
        width = call.output.room() or _WITHOUT_TERMINAL
        if call.given.follow and call.output.room():
            sys.stdout.write("\x1b[H\x1b[2J")
        named = {each[:10]: (curve.step, curve.value) for each, curve in curves.items()}
        for line in draw(call.given.key, named, width, _PLOT_LINES):
            call.output.say(line)
        if not call.given.follow or all(_has_ended(call, each) for each in iterations):
            return
        time.sleep(FOLLOW_SECONDS)


def _no_points(call: Call, iterations: Sequence[Iteration]) -> CommandFailed:
    known = dict.fromkeys(key for each in iterations for key in call.client.metrics.summary(each.id))
    return CommandFailed(
        f"There are no points of the metric {call.given.key!r}; there are: {', '.join(known) or 'none'}"
    )


def _of_iteration(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("iteration", help="an id, or the beginning of one")


def _follow(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--follow", action="store_true", help="print new points until the iteration has ended")


def _curve(call: Call, iteration: Iteration, max_points: int | None, min_step: int | None = None) -> Curve:
    key = call.given.key
    found = call.client.metrics.curves(iteration.id, key, max_points=max_points, min_step=min_step)
    return found.get(key) or Curve(step=(), value=(), recorded_at=())


def _points(call: Call, iteration: Iteration, curve: Curve) -> Iterator[tuple[int, float, datetime]]:
    """The points of the curve; with --follow also later points, until the iteration has ended."""
    following: int | None = None
    while True:
        yield from zip(curve.step, curve.value, curve.recorded_at, strict=True)
        if not call.given.follow or (_has_ended(call, iteration) and not curve.step):
            return
        following = curve.step[-1] + 1 if curve.step else following
        time.sleep(FOLLOW_SECONDS)
        curve = _curve(call, iteration, None, following)


def _has_ended(call: Call, iteration: Iteration) -> bool:
    return call.client.iterations.get(iteration.id).end_date is not None
