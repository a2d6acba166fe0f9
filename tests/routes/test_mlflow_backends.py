"""Artifacts of the MLflow face in stores behind this server, which have no URLs for bytes of unknown hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.artifacts import Artifacts, files_of
from tests.support.consistency import check_consistency
from tests.support.server import server_on_moto


@pytest.mark.parametrize("backend", ["filesystem", "inline"])
def test_stores_behind_the_server_take_the_bytes_themselves(backend: str, tmp_path: Path) -> None:
    settings = {"DEARDIARY_ARTIFACT_BACKEND": backend, "DEARDIARY_ARTIFACT_FS_ROOT": str(tmp_path)}
    with server_on_moto(**settings) as server:
        client = server.client()
        run = client.iterations.create(client.experiments.create(client.projects.create("p").id, "e").id)
        artifacts = Artifacts(server, files_of(run))
        assert artifacts.put("folder/x", b"some bytes").status == 200
        path = artifacts.call("GET", "artifacts", "folder/x").headers["location"].partition("/artifacts")[2]
        accept = {"Accept": "application/octet-stream"}
        assert server.call("GET", f"/artifacts{path}", token=None, headers=accept).body == b"some bytes"
        assert artifacts.call("GET", "presigned", "folder/x").body["file_size"] == 10
        for refused in (
            artifacts.call("POST", "mpu/create", "", {"path": "x", "num_parts": 1}),
            artifacts.put("large", b"", **{"Content-Length": "20000000"}),
        ):
            assert (refused.status, refused.body["error_code"]) == (501, "NOT_IMPLEMENTED")
        info = server.call("GET", "/api/3.0/mlflow/server-info", token=None).body
        assert info["multipart_uploads_enabled"] is info["artifacts_presigned_only"] is False
        artifacts.call("DELETE", "artifacts", "folder")
        check_consistency()
