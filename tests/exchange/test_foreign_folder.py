"""Exports and servers from elsewhere: names that lead out of the folder of an export are refused."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pyarrow
import pytest
from pyarrow import parquet

import deardiary
from deardiary.http.transport import Request, Response
from deardiary_exchange.export import export_project
from deardiary_exchange.folder import Folder, kept_of
from deardiary_exchange.imported import import_folder
from tests.support.server import URL, Server, server_on_moto

SECRET = b"of this machine only"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture
def project_id(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    client = server.client()
    project = client.projects.create(request.node.name)
    experiment = client.experiments.create(project.id, "e")
    iteration = client.iterations.create(experiment.id)
    own = tmp_path / "own.txt"
    own.write_bytes(b"own")
    client.resources.upload(experiment.id, own, "own.txt", iteration_id=iteration.id)
    return str(project.id)


def _leads_out(place: Path, secret: Path, _stored: Path) -> str:
    return f"../{secret.relative_to(place.parent)}"


def _is_absolute(_place: Path, secret: Path, _stored: Path) -> str:
    return str(secret)


def _is_link(place: Path, secret: Path, stored: Path) -> str:
    stored.unlink()
    stored.symlink_to(secret)
    return str(stored.relative_to(place))


def _is_below_link(place: Path, secret: Path, _stored: Path) -> str:
    (place / "files" / "more").symlink_to(secret.parent)
    return f"files/more/{secret.name}"


@pytest.mark.parametrize("forge", [_leads_out, _is_absolute, _is_link, _is_below_link])
def test_an_import_reads_only_files_of_its_folder(
    server: Server, tmp_path: Path, project_id: str, forge: Callable[[Path, Path, Path], str]
) -> None:
    client, place, secret = server.client(), tmp_path / "export", tmp_path / "home" / "secret"
    secret.parent.mkdir()
    secret.write_bytes(SECRET)
    export_project(client, project_id, Folder(str(place)))
    (stored,) = [each for each in (place / "files").rglob("*") if each.is_file()]
    named = forge(place, secret, stored)
    for table in (place / "resources").glob("*.parquet"):
        rows = parquet.read_table(table)
        # Without a hash the importer reads the bytes to compute one.
        forged = [{**row, "file": named, "content_hash": "", "size_bytes": 0} for row in rows.to_pylist()]
        parquet.write_table(pyarrow.Table.from_pylist(forged, rows.schema), table)
    with pytest.raises(ValueError, match="leads out of"):
        list(import_folder(client, Folder(str(place)), f"copy of {project_id}", progress=lambda _done, _total: None))
    copy = next(client.projects.list(name=f"copy of {project_id}"), None)
    experiments = [] if copy is None else list(client.experiments.list(copy.id))
    assert [each.size_bytes for of in experiments for each in client.resources.list(of.id)] == []


class Hostile:
    """A server that calls one object by another id."""

    def __init__(self, server: Server, own: str, said: str) -> None:
        self._inner, self._own, self._said = server.transport, own, said

    def send(self, request: Request) -> Response:
        answer = self._inner.send(replace(request, url=request.url.replace(quote(self._said, safe=""), self._own)))
        if "json" not in answer.headers.get("content-type", ""):
            return answer
        return replace(answer, stream=io.BytesIO(answer.read().replace(self._own.encode(), self._said.encode())))

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def test_an_export_writes_only_into_its_folder(server: Server, tmp_path: Path, project_id: str) -> None:
    experiment = next(server.client().experiments.list(project_id))
    iteration = next(server.client().iterations.list(experiment.id))
    hostile = Hostile(server, iteration.id, "../../outside")
    client = deardiary.connect(URL, token=server.token(), transport=hostile)
    with pytest.raises(ValueError, match="leads out of"):
        export_project(client, project_id, Folder(str(tmp_path / "export")))
    assert [each.name for each in tmp_path.rglob("outside*")] == []


def test_the_id_of_a_project_names_no_other_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path / "data"))
    for command in ("sql", "deardiary-replicas"):
        assert kept_of(command, "0pgm96tb05q1n4e8b6t0c9ag") == tmp_path / "data" / command / "0pgm96tb05q1n4e8b6t0c9ag"
        with pytest.raises(ValueError, match="leads out of"):
            kept_of(command, "../../outside")
