"""The extent of a deletion, counted up to a limit: counting a large project must not take minutes.

Each text leaves out kinds without objects, and is empty if there are none at all.
"""

from collections.abc import Iterable
from itertools import chain, islice

from deardiary.client import Client
from deardiary.terminal import size
from deardiary.wire.shapes import Resource

MOST = 1000


def of_project(client: Client, project_id: str) -> str:
    experiments = list(islice(client.experiments.list(project_id), MOST + 1))
    iterations = chain.from_iterable(client.iterations.list(each.id) for each in experiments)
    resources = chain.from_iterable(client.resources.list(each.id) for each in experiments)
    return _joined(
        count(experiments, "experiment"),
        count(iterations, "iteration"),
        of_resources(resources),
        count(client.models.list(project_id), "model"),
    )


def of_experiment(client: Client, experiment_id: str) -> str:
    iterations = count(client.iterations.list(experiment_id), "iteration")
    return _joined(iterations, of_resources(client.resources.list(experiment_id)))


def of_model(client: Client, model_id: str) -> str:
    return count(client.modelversions.list(model_id), "version")


def of_resources(resources: Iterable[Resource]) -> str:
    some = list(islice(resources, MOST + 1))
    return f"{count(some, 'resource')} of {size(sum(each.size_bytes for each in some[:MOST]))}" if some else ""


def count(things: Iterable[object], noun: str) -> str:
    """Format a count: "1 model", "3 models", "more than 1,000 models"; empty for none."""
    number = sum(1 for _ in islice(things, MOST + 1))
    if number > MOST:
        return f"more than {MOST:,} {noun}s"
    return "" if number == 0 else f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))
