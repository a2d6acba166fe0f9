"""Search over all projects that the caller may read: names, tags, and the beginnings of ids.

A page reads its projects one after the other: their experiments, models and tags. If the text can be the beginning of
an id, it adds two small queries for each experiment. Names of iterations are searched in the newest iterations of the
newest experiments only, which bounds the cost of a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain
from typing import TypeVar

from chalicelib.aws.threads import in_threads
from chalicelib.paging import Page, decode_cursor, encode_cursor
from chalicelib.services import project as projects
from chalicelib.services.actor import Actor
from chalicelib.storage import experiment, iteration, model, resource, tag
from chalicelib.storage.reads import newest
from deardiary.wire.names import name_of
from deardiary.wire.shapes import Experiment, Project, SearchResult

T = TypeVar("T")

# An id begins with its time: fewer than six characters would match everything created within months.
_ID_PREFIX = re.compile("[0-9a-v]{6,24}")
_PROJECTS_PER_PAGE = 25
_PER_QUERY = 1000

# Names of iterations: of each project these experiments, of each experiment these iterations and results.
MOST_EXPERIMENTS, MOST_ITERATIONS, MOST_NAMED = 10, 200, 20
SHORTEST_NAME = 3


def search(actor: Actor, text: str, limit: int, cursor: str | None) -> Page[SearchResult]:
    """The objects that match the text, project by project. An empty page may have a next page."""
    start, project_id, after = ("", "", "") if cursor is None else decode_cursor(cursor, 3)
    page = projects.list_projects(actor, _PROJECTS_PER_PAGE, start or None, None)
    found: list[SearchResult] = []
    for project in page.data:
        if project.id < project_id:
            continue
        here = [each for each in _of_project(project, text) if project.id != project_id or each.id > after]
        found += here[: limit - len(found)]
        if len(found) == limit:
            return Page(found, encode_cursor(start, project.id, found[-1].id))
    return Page(found, None if page.next_cursor is None else encode_cursor(page.next_cursor, "", ""))


def _of_project(project: Project, text: str) -> list[SearchResult]:
    """The matching objects of one project, each once, in the order of ids."""
    experiments = _all(lambda cursor: experiment.list_experiments_of_project(project.id, _PER_QUERY, cursor, None))
    models = _all(lambda cursor: model.list_models_of_project(project.id, _PER_QUERY, cursor, None))
    tags = tag.read_tags_of_project(project.id)
    named = [
        ("project", project.id, project.name, None),
        *(("experiment", each.id, each.name, each.id) for each in experiments),
        *(("model", each.id, each.name, None) for each in models),
    ]
    found = [
        SearchResult(kind=kind, id=id_, name=name, project_id=project.id, experiment_id=experiment_id)
        for kind, id_, name, experiment_id in named
        if _matches(id_, [name, *tags.get(id_, [])], text)
    ]
    if _ID_PREFIX.fullmatch(text):
        found += chain.from_iterable(in_threads(lambda each: _within(each, text), experiments))
    if len(text) >= SHORTEST_NAME:
        newest_ones = experiments[-MOST_EXPERIMENTS:]
        found += chain.from_iterable(in_threads(lambda each: _named_iterations(each, text), newest_ones))
    once = {each.id: each for each in found}
    return sorted(once.values(), key=lambda each: each.id)


def _within(owner: Experiment, prefix: str) -> list[SearchResult]:
    """The iterations and resources of one experiment whose ids begin with the prefix."""
    named = [
        *(("iteration", each.id, each.name) for each in iteration.find_iterations_by_id_prefix(owner.id, prefix)),
        *(("resource", each.id, each.name) for each in resource.find_resources_by_id_prefix(owner, prefix)),
    ]
    return [
        SearchResult(kind=kind, id=id_, name=name, project_id=owner.project_id, experiment_id=owner.id)
        for kind, id_, name in named
    ]


def _named_iterations(owner: Experiment, text: str) -> list[SearchResult]:
    """The newest iterations of one experiment with the text in their names."""
    rows, _ = newest.newest_iterations(owner.id, MOST_ITERATIONS)
    named = [(row.id, row.name or name_of(row.id)) for row in rows]
    return [
        SearchResult(kind="iteration", id=id_, name=name, project_id=owner.project_id, experiment_id=owner.id)
        for id_, name in named
        if text.casefold() in name.casefold()
    ][:MOST_NAMED]


def _matches(own_id: str, words: Iterable[str], text: str) -> bool:
    if _ID_PREFIX.fullmatch(text) and own_id.startswith(text):
        return True
    return any(text.casefold() in word.casefold() for word in words)


def _all(list_page: Callable[[str | None], Page[T]]) -> list[T]:
    found: list[T] = []
    cursor: str | None = None
    while True:
        page = list_page(cursor)
        found += page.data
        cursor = page.next_cursor
        if cursor is None:
            return found
