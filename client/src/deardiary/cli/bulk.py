"""One change to several iterations, which may be in different experiments."""

from collections.abc import Collection, Sequence

from deardiary.cli.command import Call
from deardiary.cli.failure import CommandFailed
from deardiary.wire.shapes import BulkFailure, Iteration


def change_many(
    call: Call, iterations: Sequence[Iteration], *, add_tags: Collection[str] = (), remove_tags: Collection[str] = ()
) -> None:
    outcomes: dict[str, BulkFailure | None] = {}
    for experiment_id in dict.fromkeys(each.experiment_id for each in iterations):
        ids = [each.id for each in iterations if each.experiment_id == experiment_id]
        outcomes |= call.client.iterations.bulk(experiment_id, ids, add_tags=add_tags, remove_tags=remove_tags)
    call.output.json({each: "done" if failure is None else failure for each, failure in outcomes.items()})
    for each, failure in outcomes.items():
        call.output.say(f"Changed {each}" if failure is None else f"Did not change {each}: {failure.message}")
    if any(outcomes.values()):
        raise CommandFailed(f"{sum(map(bool, outcomes.values()))} of {len(outcomes)} iterations were not changed")
