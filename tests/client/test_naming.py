from __future__ import annotations

import pytest

from deardiary import Conflict
from tests.support.transports import FakeServer, client_of, experiment, page, project


def test_an_existing_object_is_found() -> None:
    server = FakeServer()
    server.answers = {"GET /projects": (200, page(project(id="old"), project(id="new")))}
    assert client_of(server).projects.find_or_create("Iris").id == "old"


def test_a_missing_object_is_created_once_by_concurrent_callers() -> None:
    server = FakeServer()
    server.answers = {
        "GET /projects/p1/experiments": (200, page()),
        "POST /projects/p1/experiments": (201, experiment()),
    }

    assert client_of(server).experiments.find_or_create("p1", "sweep").id == "e1"
    assert server.bodies("POST /projects/p1/experiments") == [
        {"name": "sweep", "description": "", "id_key": "name:sweep"}
    ]


def test_a_name_that_another_process_takes_meanwhile_is_found() -> None:
    server = FakeServer()
    listed = iter([page(), page(experiment())])
    refusal = {"code": "CONFLICT", "message": "taken", "details": {"field": "name"}}
    server.answers = {
        "GET /projects/p1/experiments": lambda _: (200, next(listed)),
        "POST /projects/p1/experiments": (409, refusal),
    }
    assert client_of(server).experiments.find_or_create("p1", "sweep").id == "e1"


def test_a_conflict_over_a_name_that_nothing_has_is_reported() -> None:
    server = FakeServer()
    refusal = {"code": "CONFLICT", "message": "taken", "details": {"field": "name"}}
    server.answers = {"GET /projects/p1/experiments": (200, page()), "POST /projects/p1/experiments": (409, refusal)}
    with pytest.raises(Conflict, match="taken"):
        client_of(server).experiments.find_or_create("p1", "sweep")


def test_a_renamed_project_does_not_answer_to_its_old_name() -> None:
    server = FakeServer()
    answers = iter([project(id="renamed", name="Tulips"), project(id="new")])
    server.answers = {"GET /projects": (200, page()), "POST /projects": lambda _: (200, next(answers))}

    assert client_of(server).projects.find_or_create("Iris").id == "new"
    assert "id_key" not in server.bodies("POST /projects")[1]


def test_a_long_name_makes_a_key_of_the_allowed_length() -> None:
    name = "é" * 255
    server = FakeServer()
    server.answers = {"GET /projects": (200, page()), "POST /projects": (201, project(name=name))}
    client_of(server).projects.find_or_create(name)
    assert len(server.bodies("POST /projects")[0]["id_key"]) <= 128
