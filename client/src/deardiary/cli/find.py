"""Objects by what people type: a name, a path of names, or an id."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from deardiary import settings
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from deardiary.client import Client
    from deardiary.shapes import Experiment, Model, Project, User

T = TypeVar("T")


def project(client: Client, text: str | None) -> Project:
    """By name or id; without either DEARDIARY_PROJECT."""
    wanted = text or settings.default_project()
    if wanted is None:
        raise CommandFailed("Name a project, or set DEARDIARY_PROJECT", USAGE)
    named = next(client.projects.list(name=wanted), None)
    return named or _by_id("project", wanted, client.projects.get)


def experiment(client: Client, text: str | None) -> Experiment:
    """By PROJECT/EXPERIMENT or id, or by a name in DEARDIARY_PROJECT; without any of these DEARDIARY_EXPERIMENT."""
    wanted = text or settings.default_experiment()
    if wanted is None:
        raise CommandFailed("Name an experiment as PROJECT/EXPERIMENT, or by its id", USAGE)
    for above, name in _readings(wanted):
        within = next(client.projects.list(name=above), None)
        named = within and next(client.experiments.list(within.id, name=name), None)
        if named:
            return named
    return _by_id("experiment", wanted, client.experiments.get)


def model(client: Client, text: str) -> Model:
    """By PROJECT/MODEL or id."""
    for above, name in _readings(text):
        within = next(client.projects.list(name=above), None)
        named = within and next(client.models.list(within.id, name=name), None)
        if named:
            return named
    return _by_id("model", text, client.models.get)


def user(client: Client, text: str) -> User:
    """By username or id."""
    named = next((each for each in client.users.list() if each.username == text), None)
    return named or _by_id("user", text, client.users.get)


def _readings(text: str) -> list[tuple[str, str]]:
    """The ways to read PROJECT/NAME: either of the two may have a slash in its name."""
    parts = text.split("/")
    found = [("/".join(parts[:at]), "/".join(parts[at:])) for at in range(1, len(parts))]
    default = settings.default_project()
    return [*([(default, text)] if default else []), *((above, name) for above, name in found if above and name)]


def _by_id(kind: str, text: str, get: Callable[[str], T]) -> T:
    try:
        return get(text)
    except ClientError as error:
        if error.status not in (404, 422):
            raise
        raise CommandFailed(f"There is no {kind} of the name or id {text!r}") from error
