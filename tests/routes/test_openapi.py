"""The OpenAPI document is valid, and no request that schemathesis derives from it causes a server error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis.checks import CHECKS

import app  # noqa: F401 - registers the routes
from chalicelib.routes.openapi import document
from tests.support.server import URL, Server, server_on_moto

schema = schemathesis.openapi.from_dict(document())
CHECKED = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="module")
def known(server: Server) -> dict[str, str]:
    """Existing ids, by their names in paths."""
    client = server.client()
    project = client.projects.create("p")
    experiment = client.experiments.create(project.id, "e")
    iteration = client.iterations.create(experiment.id)
    client.metrics.create(iteration.id, "loss", 1.0)
    model = client.models.create(project.id, "m")
    return {
        "project_id": project.id,
        "experiment_id": experiment.id,
        "iteration_id": iteration.id,
        "parameter_id": client.parameters.create(iteration.id, "lr", "1").id,
        "user_id": client.users.create("somebody", "long enough").id,
        "model_id": model.id,
        "version_id": client.modelversions.create(model.id, iteration_id=iteration.id).id,
    }


def test_the_document_is_openapi(server: Server) -> None:
    served = server.call("GET", "/openapi.json", token=None)
    assert served.status == 200
    assert served.body == json.loads(json.dumps(document()))
    validate(served.body)


def test_numbers_that_stand_for_words_are_explained() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["IterationStatus"]["description"].endswith("1 RUNNING, 2 SUCCEEDED, 3 FAILED, 4 KILLED")
    assert schemas["Stage"]["description"].endswith("4 ARCHIVED")


@pytest.mark.parametrize(
    ("path", "method", "required"),
    [
        ("/projects", "post", True),
        ("/parameters/{parameter_id}", "patch", True),
        ("/experiments/{experiment_id}/iterations", "post", False),
        ("/resources/{resource_id}/upload", "post", False),
    ],
)
def test_a_body_without_required_fields_may_be_left_out(path: str, method: str, required: bool) -> None:
    assert document()["paths"][path][method]["requestBody"]["required"] is required


@schema.parametrize()
@settings(
    max_examples=4,
    deadline=timedelta(seconds=20),
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_no_request_surprises_the_server(case: Any, server: Server, known: dict[str, str]) -> None:
    if case.method.upper() != "DELETE":
        case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
    # The sign-in is throttled by design, and a change of a user would end our own token.
    arguments = case.as_transport_kwargs(base_url=URL)
    request = requests.Request(
        **{name: arguments.get(name) for name in ("method", "url", "params", "json", "data", "headers")}
    ).prepare()
    request.headers["Authorization"] = f"Bearer {server.token()}"
    case.validate_response(answer_to(server, request), checks=[CHECKS.get_one(name) for name in CHECKED])


def answer_to(server: Server, request: requests.PreparedRequest) -> schemathesis.Response:
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    path = str(request.url).removeprefix(URL)
    status, headers, content = server.transport.call(str(request.method), path, dict(request.headers), body)
    return schemathesis.Response(
        status_code=status,
        headers={name: [value] for name, value in headers.items()},
        content=content,
        request=request,
        elapsed=0.0,
        verify=False,
    )
