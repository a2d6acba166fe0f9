"""One server for each module of these tests, and a caller of its MLflow face."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.api import new_project
from tests.support.mlflow import Mlflow
from tests.support.server import Server, server_on_moto


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="module")
def mlflow(server: Server) -> Mlflow:
    """The admin, in a workspace of the module."""
    return Mlflow(server, workspace=new_project(server))
