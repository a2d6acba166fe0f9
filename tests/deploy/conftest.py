"""One deployment for all tests here, which run together and in order: they are the life of a stage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deploy.rehearsal import Checkout, Deployed, Deployment, found, running_cloud


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with running_cloud() as endpoint:
        checkout = Checkout.made(tmp_path_factory.mktemp("checkout"), endpoint)
        printed = checkout.infra("deploy", "--stage", "dev")
        (package,) = (checkout.folder / ".chalice" / "deployments").glob("*.zip")
        url = found(r"\nurl: (\S+)", printed)
        server = Deployed(url, found(r"password: (\S+)", printed))
        yield Deployment(checkout, printed, package, url, server)
        server.transport.close()
