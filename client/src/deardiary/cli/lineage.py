"""What an iteration has read, and the model versions that came from it."""

from collections.abc import Sequence

from deardiary.cli.command import Call
from deardiary.client import Client
from deardiary.wire.shapes import Input, ModelVersion

_OF_INPUTS = ("input", "name", "context", "digest", "source")
_OF_VERSIONS = ("produced", "stage", "aliases")


def of_iteration(client: Client, iteration_id: str) -> tuple[Sequence[Input], Sequence[ModelVersion]]:
    return list(client.inputs.list(iteration_id)), list(client.iterations.modelversions(iteration_id))


def show(call: Call, read: Sequence[Input], produced: Sequence[ModelVersion]) -> None:
    """Print a table of each, unless it is empty; `Output.json` has printed both."""
    if call.output.as_json:
        return
    if read:
        call.output.say("")
        call.output.table(_OF_INPUTS, [[each.kind, each.name, each.context, each.digest, each.source] for each in read])
    if produced:
        call.output.say("")
        names = {each: call.client.models.get(each).name for each in {version.model_id for version in produced}}
        rows = [[f"{names[each.model_id]}/{each.version}", each.stage_id, each.aliases] for each in produced]
        call.output.table(_OF_VERSIONS, rows)
