"""``deardiary import TRACKER``: bring the runs of another tracker into a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary.cli.command import Call
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.settings import default_project
from deardiary_exchange.load import Loader, Report
from deardiary_exchange.origins.origin import Origin, OriginFailed
from deardiary_exchange.origins.table import ORIGINS, Options
from deardiary_exchange.progress import Bar
from deardiary_exchange.reporting import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deardiary_exchange.runs import Experiment


def import_runs(call: Call) -> None:
    name = call.given.to or default_project()
    if not name:
        raise CommandFailed("Say which project the runs go to: --to PROJECT", USAGE)
    try:
        origin = _opened(call)
        experiments = list(origin.experiments())  # an origin that does not answer fails before the project is created
        project = call.client.projects.find_or_create(name)
        with Bar("runs") as progress:
            loaded = _loaded(origin, experiments, Loader(call.client, project.id), progress)
            report(call, loaded, progress, of_none=lambda: origin.not_taken)
    except OriginFailed as failure:
        raise CommandFailed(str(failure)) from None


def _opened(call: Call) -> Origin:
    given = call.given
    named = ORIGINS[given.place]
    location = given.location or named.usual()
    if location is None:
        raise CommandFailed(f"Say where the runs are: {named.about}", USAGE)
    try:
        return named.open(location, Options(artifacts=given.artifacts, step_factor=given.step_factor))
    except OriginFailed as failure:
        if given.location:
            raise
        raise CommandFailed(f"{failure}. Name the location: {named.about}") from None


def _loaded(origin: Origin, experiments: list[Experiment], loader: Loader, progress: Bar) -> Iterator[Report]:
    loader.load_experiments(experiments)
    yield from loader.load_files(origin.loose_files())
    for number, each in enumerate(loader.load(origin.runs()), 1):
        progress(number, 0)
        yield each
    loader.load_models(origin.models())
    yield from loader.load_versions(origin.versions(loader.iteration_id))
    yield from loader.finish()
