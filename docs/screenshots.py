"""Write pictures of every page of the dashboard into docs/images/: ``python -m docs.screenshots``.

With names of pages only those: ``python -m docs.screenshots experiment home``. The server runs in this process, on data
of its own.
"""

from __future__ import annotations

import math
import random
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from playwright.sync_api import expect

import deardiary
from tests.support.browser import PHONE, WIDE, Dashboard, running_browser, site_of
from tests.support.server import Server, server_on_moto

FOLDER = Path(__file__).parent / "images"
# Wide in both themes, and a phone.
LOOKS = {"": ("light", WIDE), "-dark": ("dark", WIDE), "-phone": ("light", PHONE)}
ITERATIONS, RUNNING, FAILED = 12, 2, 5
STEPS = 60


def main(*names: str) -> int:
    """Write the pictures of these pages, or of all."""
    wanted = names or tuple(PAGES)
    with tempfile.TemporaryDirectory() as root:
        settings = {"DEARDIARY_ARTIFACT_BACKEND": "filesystem", "DEARDIARY_ARTIFACT_FS_ROOT": root}
        with server_on_moto(**settings) as server, site_of(server) as site, running_browser() as browser:
            ids = log_example(server)
            tab = Dashboard(browser.new_page(locale="en-GB"), site)
            tab.sign_in(server.token())
            for name in wanted:
                _take(tab, name, ids)
            tab.page.context.close()
    print(f"{len(wanted) * len(LOOKS)} pictures in {FOLDER}")
    return 0


def _take(tab: Dashboard, name: str, ids: dict[str, str]) -> None:
    for suffix, (theme, viewport) in LOOKS.items():
        tab.show(theme, viewport)
        PAGES[name](tab, ids)
        tab.page.screenshot(path=FOLDER / f"{name}{suffix}.png")


def log_example(server: Server) -> dict[str, str]:
    """Create a project with a sweep, two iterations of which are running. Return ids by kind."""
    client, chance = server.client(), random.Random(7)  # noqa: S311 - the same pictures each time
    client.projects.create("Churn", description="Who leaves within a month")
    project = client.projects.create("Digits", description="Handwritten digits: which optimizer, and how long?")
    client.experiments.create(project.id, "augmentation")
    about = "Adam and SGD, five learning rates"
    experiment = client.experiments.create(project.id, "optimizer sweep", description=about)
    ids = [_iteration(client, experiment.id, number, chance) for number in range(ITERATIONS)]
    client.tags.create("iteration", ids[3], "best")
    model = client.models.create(project.id, "digits-classifier")
    client.modelversions.create(model.id, iteration_id=ids[3])
    compared = ",".join(ids[3:6])
    named = {"project": project.id, "experiment": experiment.id, "iteration": ids[3], "model": model.id}
    return {**named, "compared": compared}


def _iteration(client: deardiary.Client, experiment_id: str, number: int, chance: random.Random) -> str:
    rate = 10 ** -(1 + number % 5)
    begun = datetime.now(timezone.utc) - timedelta(hours=9) + timedelta(minutes=45 * number)
    iteration = client.iterations.create(experiment_id, created_date=begun)
    parameters = {"optimizer": ("adam", "sgd")[number % 2], "learning_rate": f"{rate:g}", "batch_size": "64"}
    for key, value in parameters.items():
        client.parameters.create(iteration.id, key, value)
    client.metrics.batch(iteration.id, _curves(chance, rate))
    if number < ITERATIONS - RUNNING:
        status = deardiary.IterationStatus.FAILED if number == FAILED else deardiary.IterationStatus.SUCCEEDED
        ended = begun + timedelta(minutes=chance.randint(20, 44))
        client.iterations.update(iteration.id, status_id=status, end_date=ended)
    return iteration.id


def _curves(chance: random.Random, rate: float) -> list[deardiary.Point]:
    speed = 0.4 / (1 + abs(math.log10(rate) + 3))
    return [
        deardiary.Point(key, value * (1 + chance.gauss(0, 0.02)), step=step)
        for step in range(STEPS)
        for key, value in (
            ("train/loss", 2.2 * math.exp(-speed * step) + 0.08),
            ("valid/loss", 2.2 * math.exp(-speed * step) + 0.15 + step * 0.001),
            ("valid/accuracy", 0.97 - 0.85 * math.exp(-speed * step)),
        )
    ]


def _open_charts(tab: Dashboard, path: str) -> None:
    tab.open(path)
    expect(tab.page.locator(".chart-canvas canvas").first).to_be_visible()
    expect(tab.page.locator(".is-waiting")).to_have_count(0)


def _open_home(tab: Dashboard) -> None:
    tab.open()
    expect(tab.page.get_by_text("Nothing is running")).to_be_visible()
    expect(tab.page.get_by_role("heading", name="Activity")).to_be_visible()


# What to open for each page; a new page adds its line.
PAGES: dict[str, Callable[[Dashboard, dict[str, str]], object]] = {
    "home": lambda tab, _: _open_home(tab),
    "project": lambda tab, ids: tab.open(f"/projects/{ids['project']}"),
    "experiment": lambda tab, ids: tab.open(f"/experiments/{ids['experiment']}"),
    "charts": lambda tab, ids: _open_charts(tab, f"/experiments/{ids['experiment']}/charts"),
    "iteration": lambda tab, ids: tab.open(f"/iterations/{ids['iteration']}"),
    "model": lambda tab, ids: tab.open(f"/models/{ids['model']}"),
    "compare": lambda tab, ids: tab.open("/compare", {"iterations": ids["compared"]}),
}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
