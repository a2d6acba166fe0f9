"""The report of what was brought into a server, for people and for programs, and the exit status."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from deardiary.cli.failure import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from deardiary.cli.command import Call
    from deardiary_exchange.load import Report
    from deardiary_exchange.progress import Bar


def report(call: Call, reports: Iterable[Report], bar: Bar, of_none: Callable[[], Sequence[str]] | None = None) -> None:
    """Print what became of the runs, with what was not taken of each; CommandFailed if one failed.

    The bar is removed before each line.

    With ``--json`` the report has each run that is not unchanged, and the number of each outcome. ``of_none`` returns
    what was not taken and belongs to no run; it is called after the last run.
    """
    outcomes: Counter[str] = Counter()
    told: list[dict[str, Any]] = []
    for each in reports:
        outcomes[each.outcome] += 1
        if call.output.as_json and (each.outcome != "unchanged" or each.not_taken):
            told.append(asdict(each))
        for sentence in each.not_taken:
            bar.clear()
            call.output.say(f"{each.name or each.key}: not taken: {sentence}")
    bar.clear()
    others = list(of_none()) if of_none else None
    for sentence in others or ():
        call.output.say(f"not taken: {sentence}")
    call.output.json({"outcomes": dict(outcomes), "runs": told} | ({} if others is None else {"not_taken": others}))
    call.output.say(
        ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())) or "Nothing is there"
    )
    if outcomes["failed"]:
        raise CommandFailed(f"{outcomes['failed']} failed; the same command tries them again")
