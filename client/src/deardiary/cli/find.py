"""Find objects by the text that a user types: a name, a path of names, or an id."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Protocol, TypeVar

from deardiary import settings
from deardiary.cli.failure import USAGE, CommandFailed, NotThere
from deardiary.client import Client
from deardiary.entities import reference
from deardiary.entities.reference import Reference
from deardiary.errors import ClientError, NotFound
from deardiary.wire.shapes import Experiment, Iteration, Model, ModelVersion, Project, Resource, Stage, UserName


class Identified(Protocol):
    @property
    def id(self) -> str: ...


class Named(Identified, Protocol):
    @property
    def name(self) -> str: ...


SHORTEST_PREFIX, ID_LENGTH = 6, 24
_SHOWN = 5
_BY_ID = ("iteration", "resource")  # kinds that a prefix of an id finds

_WHOLE_ID = re.compile(rf"[0-9a-v]{{{ID_LENGTH}}}")

T = TypeVar("T")
N = TypeVar("N", bound=Named)


def project(client: Client, text: str | None, *, sure: bool = False) -> Project:
    """Find by name or id; without either use DEARDIARY_PROJECT.

    Of several projects of one name, return the oldest. With ``sure``, as before a deletion, raise CommandFailed.
    """
    wanted = text or settings.default_project()
    if wanted is None:
        raise CommandFailed("Name a project, or set DEARDIARY_PROJECT", USAGE)
    return _first("project", client.projects.list(name=wanted), sure=sure) or _by_id(
        "project", wanted, client.projects.get, client
    )


def experiment(client: Client, text: str | None, *, sure: bool = False) -> Experiment:
    """Find by PROJECT/EXPERIMENT, id, or a name in DEARDIARY_PROJECT; without any of these use DEARDIARY_EXPERIMENT."""
    wanted = text or settings.default_experiment()
    if wanted is None:
        raise CommandFailed("Name an experiment as PROJECT/EXPERIMENT, or by its id", USAGE)
    named = _experiment_of_path(client, wanted, sure=sure)
    if named:
        return named
    if "/" not in wanted and (owner := next(client.projects.list(name=wanted), None)):
        names = [f"{wanted}/{each.name}" for each in islice(client.experiments.list(owner.id), _SHOWN)]
        listed = f"; it has: {', '.join(names)}" if names else ", and it has none yet"
        raise CommandFailed(f"{wanted!r} is a project: name an experiment of it{listed}", USAGE)
    return _by_id("experiment", wanted, client.experiments.get, client)


def _experiment_of_path(client: Client, text: str, *, sure: bool) -> Experiment | None:
    return _of_path("experiment", client, client.experiments.list, text, sure=sure)


def _model_of_path(client: Client, text: str, *, sure: bool = False) -> Model | None:
    return _of_path("model", client, client.models.list, text, sure=sure)


def _of_path(kind: str, client: Client, list_: Callable[..., Iterator[N]], text: str, *, sure: bool) -> N | None:
    for above, name in reference.readings(text):
        within = _first("project", client.projects.list(name=above), sure=sure)
        named = within and _first(kind, list_(within.id, name=name), sure=sure)
        if named:
            return named
    return None


def model(client: Client, text: str, *, sure: bool = False) -> Model:
    """Find by PROJECT/MODEL or id."""
    return _model_of_path(client, text, sure=sure) or _by_id("model", text, client.models.get, client)


def version(client: Client, text: str, *, sure: bool = False) -> ModelVersion:
    """Find by PROJECT/MODEL/NUMBER, PROJECT/MODEL@ALIAS or id.

    Without ``sure``, PROJECT/MODEL finds the version in PRODUCTION.
    """
    named = reference.parse(text)
    if named and (owner := _model_of_path(client, named.model)):
        return _named_version(client, owner, named)
    owner = _model_of_path(client, text)
    if owner is None:
        return _by_id("model version", text, client.modelversions.get)
    if sure:
        raise CommandFailed(f"Say which version of {text}: {_versions(client, owner, text)}", USAGE)
    found = next(client.modelversions.list(owner.id, stage=Stage.PRODUCTION), None)
    if found is None:
        raise CommandFailed(f"The model {text} has no version in PRODUCTION; name one as {text}/1", USAGE)
    return found


def _named_version(client: Client, owner: Model, named: Reference) -> ModelVersion:
    try:
        if named.alias is not None:
            return client.models.get_alias(owner.id, named.alias)
        return client.modelversions.get(reference.version_id(owner.id, named.number or 0))
    except NotFound as error:
        missing = f"version {named.number}" if named.alias is None else f"alias {named.alias!r}"
        raise CommandFailed(f"The model {named.model} has no {missing}") from error


def _versions(client: Client, owner: Model, path: str) -> str:
    newest = sorted(client.modelversions.list(owner.id), key=lambda each: each.version, reverse=True)
    shown = [f"{path}/{each.version} ({each.stage_id.name})" for each in newest[:_SHOWN]]
    return ", ".join([*shown, *(["…"] if len(newest) > _SHOWN else [])]) or "it has none yet"


def _first(kind: str, named: Iterator[N], *, sure: bool) -> N | None:
    """Return the oldest, None without any. With ``sure``, raise CommandFailed if there are several."""
    found = list(islice(named, 2 if sure else 1))
    if len(found) > 1:
        ids = ", ".join(each.id for each in [*found, *named])
        raise CommandFailed(f"There are several {kind}s called {found[0].name!r}; say which by its id: {ids}", USAGE)
    return found[0] if found else None


def iteration(client: Client, text: str) -> Iteration:
    """Find by PROJECT/EXPERIMENT/NAME, by a name in DEARDIARY_EXPERIMENT or else in DEARDIARY_PROJECT, or by id.

    A prefix of the id is enough. CommandFailed if several have the name.
    """
    named = None if _WHOLE_ID.fullmatch(text) else _iteration_of_name(client, text)
    return named or _by_id("iteration", text, client.iterations.get, client)


def _iteration_of_name(client: Client, text: str) -> Iteration | None:
    """Find the iteration by name or path. CommandFailed if several in the experiment or project have the name."""
    for experiment_id, project_id, name in _owners_and_names(client, text):
        named = client.iterations.list(experiment_id, project=project_id, filter=f"name = {_quoted(name)}")
        try:
            found = _first("iteration", named, sure=True)
        except ClientError as error:
            # An older server, which knows no names, or a text that can be no name.
            if error.status != 422:
                raise
            found = None
        if found:
            return found
    return None


def _owners_and_names(client: Client, text: str) -> Iterator[tuple[str | None, str | None, str]]:
    """Yield the id of each experiment or project in which the text may name an iteration, and the name there."""
    parts = text.split("/")
    for index in range(1, len(parts)):
        within = _experiment_of_path(client, "/".join(parts[:index]), sure=True)
        if within:
            yield within.id, None, "/".join(parts[index:])
    default, above = settings.default_experiment(), settings.default_project()
    chosen = _experiment_of_path(client, default, sure=True) if default else None
    if chosen:
        yield chosen.id, None, text
    elif above and (owner := _first("project", client.projects.list(name=above), sure=True)):
        yield None, owner.id, text


def _quoted(text: str) -> str:
    """Write the text as a literal of a filter."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def whole_id(kind: str, objects: Iterable[Identified], text: str) -> str:
    """The id that begins with the text, if one of the objects has such an id. CommandFailed if several do."""
    found = [each.id for each in objects if each.id.startswith(text)]
    if len(found) > 1:
        raise CommandFailed(f"{len(found)} {kind} have ids that begin with {text}; say more", USAGE)
    return found[0] if found else text


def resource(client: Client, text: str) -> Resource:
    return _by_id("resource", text, client.resources.get, client)


def user(client: Client, text: str) -> UserName:
    """Find by username or id. By id, only admins find other users."""
    try:
        return client.users.find(text) or _by_id("user", text, client.users.get)
    except ClientError as error:
        if error.code != "SAME_USER_REQUIRED":
            raise
        message = f"There is no user of the name {text!r}; by id only admins find others"
        raise CommandFailed(message) from error


def _by_id(kind: str, text: str, get: Callable[[str], T], client: Client | None = None) -> T:
    """Find by id, or, with a client, by a prefix of one. CommandFailed if several ids have the prefix."""
    wanted = text
    if client and SHORTEST_PREFIX <= len(text) < ID_LENGTH:
        begin_so = [each.id for each in client.search(text) if each.kind == kind and each.id.startswith(text)]
        if len(begin_so) > 1:
            shown = ", ".join(begin_so[:_SHOWN]) + (" …" if len(begin_so) > _SHOWN else "")
            raise CommandFailed(f"{len(begin_so)} {kind}s have ids that begin with {text}; say more: {shown}", USAGE)
        wanted = begin_so[0] if begin_so else text
    try:
        return get(wanted)
    except ClientError as error:
        if error.status not in (404, 422):
            raise
        few = (
            f"; of an id give {SHORTEST_PREFIX} characters or more"
            if kind in _BY_ID and len(text) < SHORTEST_PREFIX
            else ""
        )
        raise NotThere(f"There is no {kind} of the name or id {text!r}{few}") from error
