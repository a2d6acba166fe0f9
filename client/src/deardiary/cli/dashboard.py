"""``deardiary open``: the dashboard in a browser."""

import webbrowser
from collections.abc import Callable

from deardiary.cli import find
from deardiary.cli.command import Call, Subparsers, verb
from deardiary.cli.failure import CommandFailed, NotThere
from deardiary.cli.find import Named
from deardiary.client import Client


def add(commands: Subparsers) -> None:
    parser = verb(commands, "open", "open the dashboard in a browser", open_dashboard)
    parser.add_argument("what", nargs="?", help="a project, PROJECT/EXPERIMENT, an iteration, or an id")


def open_dashboard(call: Call) -> None:
    url = call.client.dashboard_url(_path(call.client, call.given.what) if call.given.what else "")
    if call.given.json:
        call.output.json({"url": url})
        return
    call.output.say(url)
    webbrowser.open(url)


def _path(client: Client, text: str) -> str:
    """The path of the page of the first object that has this name or id. CommandFailed if none has."""
    finders: tuple[tuple[str, Callable[[Client, str], Named]], ...] = (
        ("projects", find.project),
        ("experiments", find.experiment),
        ("iterations", find.iteration),
    )
    for kind, finder in finders:
        try:
            return f"{kind}/{finder(client, text).id}"
        except CommandFailed:
            continue
    raise NotThere(f"There is no project, experiment or iteration of the name or id {text!r}")
