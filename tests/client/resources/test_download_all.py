"""The client downloads all resources of an experiment or an iteration into a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import transports
from tests.support.resources import DATA, HASH, serving_server
from tests.support.transports import FakeServer, client_of, resource

if TYPE_CHECKING:
    from pathlib import Path


def listing(*resources: dict[str, object]) -> FakeServer:
    server = serving_server(DATA)
    server.answers["GET /experiments/e1/resources"] = (200, transports.page(*resources))
    return server


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "C:\\evil", "a/../../evil"])
def test_one_name_that_leads_out_and_nothing_is_written(folder: Path, name: str) -> None:
    server = listing(resource(name="fine", state="ready"), resource(id="r2", name=name, state="ready"))
    with pytest.raises(ValueError, match="leads out"):
        client_of(server).resources.download_all("e1", folder)
    assert list(folder.iterdir()) == []


def test_all_downloads_use_the_latest_and_keep_existing_files(folder: Path) -> None:
    known = {"state": "ready", "size_bytes": len(DATA), "content_hash": HASH}
    server = listing(
        resource(id="r0", name="sub/model.bin", **known),
        resource(id="r1", name="sub/model.bin", **known),
        resource(id="r2", name="half", state="pending"),
    )
    paths = client_of(server).resources.download_all("e1", folder)
    assert [path.relative_to(folder).as_posix() for path in paths] == ["sub/model.bin"]
    assert (folder / "sub" / "model.bin").read_bytes() == DATA
    server.requests.clear()
    client_of(server).resources.download_all("e1", folder)
    assert server.names() == ["GET /experiments/e1/resources"]


def test_iterations_with_files_of_one_name_have_folders_of_their_own(folder: Path) -> None:
    known = {"name": "model.bin", "state": "ready", "size_bytes": len(DATA), "content_hash": HASH}
    owners = ("i1", "i2", None)
    server = listing(*(resource(id="r1", iteration_id=owner, **known) for owner in owners))
    paths = client_of(server).resources.download_all("e1", folder)
    names = [path.relative_to(folder).as_posix() for path in paths]
    assert names == ["i1/model.bin", "i2/model.bin", "model.bin"]
    assert [path.read_bytes() for path in paths] == [DATA] * 3
    one = listing(resource(id="r1", iteration_id="i1", **known))
    (path,) = client_of(one).resources.download_all("e1", folder, iteration_id="i1")
    assert path == folder / "model.bin"
