"""What this server can do, as clients of MLflow ask before they sign in."""

from __future__ import annotations

from typing import Any

from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.services import file as files

operations = Operations("/3.0/mlflow")


@operations.get("/server-info", public=True)
def get_server_info(_call: Call[None, None]) -> Answer[dict[str, Any]]:
    signs = files.takes_signed_uploads()
    return ok(
        {
            "store_type": "SqlStore",
            "workspaces_enabled": True,
            "artifact_serving_enabled": True,
            "trace_archival_enabled": False,
            "multipart_uploads_enabled": signs,
            "multipart_downloads_enabled": True,
            "artifacts_presigned_only": signs,
        }
    )
