"""One request for every route of the server: its body, its sender, and the ids in its path."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from chalicelib import artifacts
from chalicelib.artifacts import Location, s3
from chalicelib.artifacts.ticket import Ticket, url_of
from chalicelib.routes.blueprints import faces
from chalicelib.services import file as files
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import upload as uploads
from chalicelib.storage import user as users
from tests.support.server import PASSWORD
from tests.support.world import DESCRIPTION, ISSUER, POINTS, PRODUCTION, World, points

OPERATIONS = [operation for face in faces() for operation in face.operations]
READ_ONLY = {"read_permission": True}
# API Gateway returns raw bytes only for this header.
BYTES = {"Accept": "application/octet-stream"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request to a route. Ids that it does not set are those of the world."""

    body: Any = None
    query: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    admin: bool = False


Asking = Callable[[World], Ask]


def _plain(_world: World) -> Ask:
    return Ask()


def _sending(**body: Any) -> Asking:
    return lambda _world: Ask(body=body)


def _as_admin(query: str = "", **body: Any) -> Asking:
    return lambda _world: Ask(body=body or None, query=query, admin=True)


def _of_colleague(**body: Any) -> Asking:
    return lambda world: Ask(body=body or None, ids={"user_id": world.colleague_id})


def _of_parent(world: World) -> Ask:
    return Ask(ids={"iteration_id": world.parent_iteration_id})


def _untag(level: str) -> Asking:
    return lambda world: Ask(ids={"tag_id": world.tag_ids[level]})


def _flush() -> dict[str, Any]:
    """A flush of ten keys with a hundred points each."""
    curves = {key: points(POINTS // 10, key) for key in (f"metric_{number}" for number in range(10))}
    columns = {
        key: {name: [point[name] for point in curve] for name in ("step", "value", "recorded_at")}
        for key, curve in curves.items()
    }
    parameters = {"optimizer": "adam", "batch_size": "64"}
    return {"batch_id": "1", "parameters": parameters, "tags": ["best"], "metrics": columns}


def _ticket(world: World, method: str) -> Ask:
    """A request to the signed URL of a small file in the table."""
    project_id, data = world.ids["project_id"], b"never sent"
    location = Location(project_id, hashlib.sha256(data).hexdigest())
    if method == "GET":
        artifacts.store("inline").write(location, len(data), [data])
    ticket = Ticket(
        method=method,
        backend="inline",
        project_id=project_id,
        sha256=location.sha256,
        size_bytes=len(data),
        name="notes.txt",
        part_bytes=len(data),
        part_sha256=location.sha256,
    )
    return Ask(query="?" + urlsplit(url_of(ticket, "")).query, body=data if method == "PUT" else None)


OTHER_ROLE = "arn:aws:iam::123456789012:role/service-role/SageMaker-Execution"
MLFLOW = "/api/2.0/mlflow"


def _mlflow(body: Callable[[World], dict[str, Any]] | None = None, query: str = "") -> Asking:
    """A request of the MLflow face in the project of the world, whose ids the query may name."""

    def asking(world: World) -> Ask:
        headers = {"X-MLFLOW-WORKSPACE": world.ids["project_id"]}
        return Ask(body=body and body(world), query=query.format(**world.ids), headers=headers)

    return asking


ARTIFACTS = "/api/2.0/mlflow-artifacts"


def _artifact(path: str, body: Any = None) -> Asking:
    """A request for a file of the world's iteration, by its path."""

    def asking(world: World) -> Ask:
        return Ask(ids={"path+": f"{_files(world)}/{path}"}, body=body)

    return asking


def _workspace(body: Any) -> Asking:
    return lambda world: Ask(ids={"workspace": world.ids["project_id"]}, body=body)


def _files(world: World) -> str:
    return f"{world.ids['experiment_id']}/{world.ids['iteration_id']}/artifacts"


def _sent_upload(world: World) -> Ask:
    """Complete an upload in parts whose part is in the store."""
    account = users.find_account(world.ids["user_id"])
    assert account is not None
    actor = Actor(account.user)
    tree = files.tree_of_iteration(actor, world.ids["iteration_id"], Need.CREATE)
    token = files.begin_parts(actor, tree, "sent.bin", 1).token
    staged = uploads.find_staged(token)
    assert staged is not None
    address = s3.address_of(Location(staged.project_id, staged.id))
    sent = s3.client().upload_part(**address, UploadId=staged.upload_id, PartNumber=1, Body=b"sent")
    part = {"part_number": 1, "etag": sent["ETag"], "url": ""}
    body = {"path": "sent.bin", "upload_id": token, "parts": [part]}
    return Ask(ids={"path+": _files(world)}, body=body)


METRICS = [
    {"key": f"m{number % 10}", "value": 1 / (1 + number), "timestamp": number, "step": number} for number in range(1000)
]
TAGS_OF_RUN = [{"key": f"mlflow.{name}", "value": "train.py"} for name in ("user", "source.name", "source.type")]
DATASET = {"name": "iris", "digest": "1a2b", "source_type": "http", "source": "{}", "schema": "{}", "profile": "{}"}


def _of_experiment(**body: Any) -> Asking:
    return _mlflow(lambda world: {"experiment_id": world.ids["experiment_id"], **body})


def _of_run(**body: Any) -> Asking:
    return _mlflow(lambda world: {"run_id": world.ids["iteration_id"], **body})


def _of_model(**body: Any) -> Asking:
    return _mlflow(lambda _: {"name": "classifier", **body})


def _of_version(**body: Any) -> Asking:
    return _of_model(version="2", **body)


ASKS: dict[str, Asking] = {
    "GET /health": _plain,
    "GET /openapi.json": _plain,
    "GET /docs": _plain,
    "GET /docs/docs.js": _plain,
    "GET /docs/docs.css": _plain,
    "GET /": _plain,
    "GET /ui": _plain,
    "GET /ui/{asset}": lambda _: Ask(ids={"asset": "unbuilt.css"}),
    "POST /auth": lambda world: Ask(body={"username": world.username, "password": PASSWORD}),
    "POST /auth/aws": lambda world: Ask(body=world.signed()),
    "POST /auth/session": lambda world: Ask(body={"username": world.username, "password": PASSWORD}),
    "POST /auth/share": lambda world: Ask(body={"secret": world.share_secret}),
    "POST /auth/session/refresh": _plain,
    "DELETE /auth/session": _plain,
    "POST /auth/refresh": _plain,
    # Without a provider in the settings these lead to the dashboard, or nowhere.
    "GET /auth/oidc/start": _plain,
    "GET /auth/oidc/callback": _plain,
    "POST /auth/oidc": _plain,
    "GET /auth/me": lambda _: Ask(query="?include=permissions"),
    "GET /auth/me/preferences": _plain,
    "PUT /auth/me/preferences": _sending(theme="dark", columns=["loss", "accuracy"]),
    "GET /auth/tokens": _plain,
    "POST /auth/tokens": _sending(name="laptop", expires_in_days=90),
    "DELETE /auth/tokens/{token_id}": _plain,
    "GET /auth/identities": _plain,
    "POST /auth/identities": lambda world: Ask(body={"pattern": OTHER_ROLE, "project_id": world.ids["project_id"]}),
    "DELETE /auth/identities/{identity_id}": _plain,
    "GET /users": _as_admin("?limit=1"),
    "POST /users": lambda world: Ask(body={"username": f"{world.username}-new", "password": PASSWORD}, admin=True),
    "GET /users/{user_id}": _plain,
    "PATCH /users/{user_id}": _sending(first_name="Grace"),
    "DELETE /users/{user_id}": _as_admin(),
    "GET /users/{user_id}/permissions": _plain,
    "GET /users/{user_id}/subjects": _plain,
    "POST /users/{user_id}/subjects": lambda world: Ask(
        body={"subject": f"new-{world.username}", "issuer": ISSUER}, admin=True
    ),
    "DELETE /users/{user_id}/subjects/{subject_id}": _plain,
    "GET /projects": _plain,
    "POST /projects": _sending(name="Iris", description=DESCRIPTION, id_key="Iris"),
    "GET /projects/{project_id}": _plain,
    "PATCH /projects/{project_id}": _sending(name="Irises", description=DESCRIPTION),
    "DELETE /projects/{project_id}": _plain,
    "GET /projects/{project_id}/views": _plain,
    "POST /projects/{project_id}/views": _sending(name="failed runs", state={"filter": "status = FAILED"}),
    "GET /projects/{project_id}/views/{view_id}": _plain,
    "PATCH /projects/{project_id}/views/{view_id}": _sending(state={"columns": ["loss"]}),
    "DELETE /projects/{project_id}/views/{view_id}": _plain,
    "GET /projects/{project_id}/shares": _plain,
    "POST /projects/{project_id}/shares": lambda world: Ask(body={"iteration_ids": [world.ids["iteration_id"]]}),
    "DELETE /projects/{project_id}/shares/{share_id}": _plain,
    "GET /projects/{project_id}/groups": _plain,
    "PUT /projects/{project_id}/groups": _sending(group="vision", **READ_ONLY),
    "DELETE /projects/{project_id}/groups/{group_id}": _plain,
    "GET /projects/{project_id}/permissions": _plain,
    "GET /projects/{project_id}/permissions/{user_id}": _plain,
    "PUT /projects/{project_id}/permissions/{user_id}": _of_colleague(**READ_ONLY),
    "PATCH /projects/{project_id}/permissions/{user_id}": _of_colleague(update_permission=True),
    "DELETE /projects/{project_id}/permissions/{user_id}": _of_colleague(),
    "GET /projects/{project_id}/experiments": _plain,
    "GET /projects/{project_id}/iterations": _plain,
    "POST /projects/{project_id}/experiments": _sending(name="wider", description=DESCRIPTION, id_key="wider"),
    "GET /experiments/{experiment_id}": _plain,
    "PATCH /experiments/{experiment_id}": _sending(status_id=3),
    "DELETE /experiments/{experiment_id}": _plain,
    "GET /experiments/{experiment_id}/iterations": _plain,
    "GET /experiments/{experiment_id}/iterations/changes": _plain,
    "POST /experiments/{experiment_id}/iterations": lambda world: Ask(
        body={"parent_iteration_id": world.parent_iteration_id, "id_key": "job-1"}
    ),
    "GET /iterations/{iteration_id}": _plain,
    "PATCH /iterations/{iteration_id}": _sending(status_id=2),
    "DELETE /iterations/{iteration_id}": _plain,
    "GET /iterations/{iteration_id}/children": _of_parent,
    "GET /iterations/{iteration_id}/parameters": _plain,
    "POST /iterations/{iteration_id}/parameters": _sending(key="momentum", value="0.9"),
    "GET /parameters/{parameter_id}": _plain,
    "PATCH /parameters/{parameter_id}": _sending(value="0.01"),
    "DELETE /parameters/{parameter_id}": _plain,
    "GET /iterations/{iteration_id}/inputs": _plain,
    "POST /iterations/{iteration_id}/inputs": lambda world: Ask(
        body={"kind": "resource", "resource_id": world.ids["resource_id"], "context": "test"}
    ),
    "DELETE /iterations/{iteration_id}/inputs/{input_id}": _plain,
    "GET /projects/{project_id}/alert-rules": _plain,
    "PUT /projects/{project_id}/alert-rules": _sending(
        rules=[{"name": "diverged", "condition": "metrics.accuracy > 1e9"}]
    ),
    "GET /experiments/{experiment_id}/alert-rules": _plain,
    "PUT /experiments/{experiment_id}/alert-rules": _sending(
        rules=[{"name": "diverged", "condition": "metrics.accuracy > 1e9"}]
    ),
    "GET /iterations/{iteration_id}/alerts": _plain,
    "POST /iterations/{iteration_id}/alerts": _sending(title="diverged", text="the loss is NaN", id_key="alert-1"),
    "GET /iterations/{iteration_id}/commands": _of_parent,
    "POST /iterations/{iteration_id}/commands": _sending(kind="stop", text="diverged", id_key="stop-1"),
    "GET /iterations/{iteration_id}/commands/{command_id}": _of_parent,
    "DELETE /iterations/{iteration_id}/commands/{command_id}": _of_parent,
    "GET /iterations/{iteration_id}/metrics": _plain,
    "POST /iterations/{iteration_id}/metrics": _sending(key="loss", value=0.25),
    "POST /iterations/{iteration_id}/metrics/batch": lambda _: Ask(body={"batch_id": "1", "metrics": points(POINTS)}),
    "GET /iterations/{iteration_id}/metrics/series": lambda _: Ask(query="?key=loss&max_points=200"),
    "GET /iterations/{iteration_id}/metrics/summary": _plain,
    "GET /iterations/{iteration_id}/metrics/columns": lambda _: Ask(query="?key=loss", headers=BYTES),
    "GET /experiments/{experiment_id}/metrics/series": lambda _: Ask(query="?key=loss"),
    "GET /experiments/{experiment_id}/metrics/summary": lambda world: Ask(
        query=f"?iteration_id={world.ids['iteration_id']}"
    ),
    "GET /experiments/{experiment_id}/metrics/curves": lambda _: Ask(query="?key=loss"),
    "GET /experiments/{experiment_id}/keys": _plain,
    "POST /experiments/{experiment_id}/iterations/bulk": lambda world: Ask(
        # One, because several are changed at once, in any order.
        body={"ids": [world.ids["iteration_id"]], "add_tags": ["best"]}
    ),
    "GET /experiments/{experiment_id}/studies/{study_id}/records": _plain,
    "POST /experiments/{experiment_id}/studies/{study_id}/records": _sending(append_id="1", records=["{}"]),
    "GET /experiments/{experiment_id}/studies/{study_id}/leases": _plain,
    "PUT /experiments/{experiment_id}/studies/{study_id}/leases/{lease_id}": _sending(),
    "DELETE /experiments/{experiment_id}/studies/{study_id}/leases/{lease_id}": _plain,
    "GET /metrics/{metric_id}": _plain,
    "PATCH /metrics/{metric_id}": _sending(value=0.5),
    "DELETE /metrics/{metric_id}": _plain,
    "POST /iterations/{iteration_id}/log": lambda _: Ask(body=_flush()),
    "GET /iterations/{iteration_id}/output": _plain,
    "GET /projects/{project_id}/tags": _plain,
    "POST /projects/{project_id}/tags": _sending(value="best"),
    "DELETE /projects/{project_id}/tags/{tag_id}": _untag("projects"),
    "GET /experiments/{experiment_id}/tags": _plain,
    "POST /experiments/{experiment_id}/tags": _sending(value="best"),
    "DELETE /experiments/{experiment_id}/tags/{tag_id}": _untag("experiments"),
    "GET /iterations/{iteration_id}/tags": _plain,
    "POST /iterations/{iteration_id}/tags": _sending(value="best"),
    "DELETE /iterations/{iteration_id}/tags/{tag_id}": _untag("iterations"),
    "GET /experiments/{experiment_id}/resources": _plain,
    "POST /experiments/{experiment_id}/resources": lambda world: Ask(
        body={
            "name": "model.pkl",
            "size_bytes": 1_000_000,
            "content_hash": "0" * 64,
            "iteration_id": world.ids["iteration_id"],
        }
    ),
    "POST /experiments/{experiment_id}/resources/bulk": lambda world: Ask(
        body={
            "resources": [
                {
                    "name": "notes.txt",
                    "size_bytes": 1000,
                    "content_hash": "1" * 64,
                    "iteration_id": world.ids["iteration_id"],
                    "id_key": "notes",
                }
            ]
        }
    ),
    "POST /experiments/{experiment_id}/resources/complete": lambda world: Ask(body={"ids": [world.uploaded_id]}),
    "GET /resources/{resource_id}": _plain,
    "PATCH /resources/{resource_id}": _sending(name="best.pkl"),
    "DELETE /resources/{resource_id}": _plain,
    "GET /resources/{resource_id}/uses": _plain,
    "POST /resources/{resource_id}/upload": lambda world: Ask(ids={"resource_id": world.announced_id}),
    "POST /resources/{resource_id}/complete": lambda world: Ask(ids={"resource_id": world.uploaded_id}),
    "GET /resources/{resource_id}/download": _plain,
    "GET /artifacts": lambda world: _ticket(world, "GET"),
    "PUT /artifacts": lambda world: _ticket(world, "PUT"),
    "GET /iterations/{iteration_id}/snapshot": _plain,
    "PUT /iterations/{iteration_id}/snapshot": _sending(git_sha="1" * 40, git_diff="+ x = 2\n"),
    "GET /projects/{project_id}/models": _plain,
    "POST /projects/{project_id}/models": _sending(name="regressor", description=DESCRIPTION),
    "GET /models/{model_id}": _plain,
    "PATCH /models/{model_id}": _sending(description="A better one"),
    "DELETE /models/{model_id}": _plain,
    "GET /models/{model_id}/versions": _plain,
    "GET /iterations/{iteration_id}/modelversions": _plain,
    "GET /experiments/{experiment_id}/modelversions": _plain,
    "POST /models/{model_id}/versions": lambda world: Ask(
        body={"iteration_id": world.ids["iteration_id"], "resource_id": world.ids["resource_id"]}
    ),
    "GET /modelversions/{version_id}": _plain,
    "PATCH /modelversions/{version_id}": _sending(stage_id=PRODUCTION),
    "GET /models/{model_id}/aliases/{alias}": _plain,
    "PUT /models/{model_id}/aliases/{alias}": lambda _: Ask(ids={"alias": "challenger"}, body={"version": 1}),
    "DELETE /models/{model_id}/aliases/{alias}": _plain,
    "DELETE /modelversions/{version_id}": _plain,
    "GET /modelversions/{version_id}/uses": _plain,
    "GET /activity": _plain,
    "GET /trash": _plain,
    "GET /projects/{project_id}/trash": _plain,
    "POST /trash/{object_id}": _sending(name="taken up again"),
    "DELETE /trash/{object_id}": _plain,
    "GET /search": lambda world: Ask(query=f"?q={world.ids['iteration_id'][:10]}"),
    f"POST {MLFLOW}/experiments/create": _mlflow(lambda _: {"name": "deeper"}),
    f"GET {MLFLOW}/experiments/get-by-name": _mlflow(query="?experiment_name=sweep"),
    f"GET {MLFLOW}/experiments/get": _mlflow(query="?experiment_id={experiment_id}"),
    "GET /api/3.0/mlflow/server-info": _plain,
    "GET /api/3.0/mlflow/workspaces": _plain,
    "POST /api/3.0/mlflow/workspaces": lambda world: Ask(body={"name": f"w-{world.ids['project_id']}"}),
    "GET /api/3.0/mlflow/workspaces/{workspace}": _workspace(None),
    "PATCH /api/3.0/mlflow/workspaces/{workspace}": _workspace({"description": "moved here"}),
    f"GET {ARTIFACTS}/artifacts": lambda world: Ask(query=f"?path={_files(world)}"),
    f"GET {ARTIFACTS}/artifacts/{{path+}}": _artifact("model.pkl"),
    f"GET {ARTIFACTS}/presigned/{{path+}}": _artifact("model.pkl"),
    f"PUT {ARTIFACTS}/artifacts/{{path+}}": _artifact("small.txt", b"small"),
    f"POST {ARTIFACTS}/mpu/create/{{path+}}": _artifact("folder", {"path": "large.bin", "num_parts": 2}),
    f"POST {ARTIFACTS}/mpu/complete/{{path+}}": _sent_upload,
    f"POST {ARTIFACTS}/mpu/abort/{{path+}}": _artifact("folder", {"path": "large.bin", "upload_id": "gone"}),
    f"DELETE {ARTIFACTS}/artifacts/{{path+}}": _artifact("model.pkl"),
    "DELETE /api/3.0/mlflow/workspaces/{workspace}": _workspace(None),
    f"POST {MLFLOW}/experiments/search": _mlflow(lambda _: {"filter": "name LIKE 's%'"}),
    f"POST {MLFLOW}/experiments/update": _of_experiment(new_name="deepest"),
    f"POST {MLFLOW}/experiments/set-experiment-tag": _of_experiment(key="team", value="vision"),
    f"POST {MLFLOW}/experiments/delete-experiment-tag": _of_experiment(key="mlflow.note.content"),
    f"POST {MLFLOW}/experiments/delete": _of_experiment(),
    f"POST {MLFLOW}/experiments/restore": _of_experiment(),
    f"POST {MLFLOW}/runs/create": _of_experiment(user_id="ada", tags=TAGS_OF_RUN),
    f"GET {MLFLOW}/runs/get": _mlflow(query="?run_id={iteration_id}"),
    f"POST {MLFLOW}/runs/search": _mlflow(
        lambda world: {"experiment_ids": [world.ids["experiment_id"]], "filter": "metrics.loss < 1"}
    ),
    f"GET {MLFLOW}/metrics/get-history": _mlflow(query="?run_id={iteration_id}&metric_key=loss"),
    f"POST {MLFLOW}/runs/log-metric": _of_run(key="loss", value=0.25, timestamp=1, step=1),
    f"POST {MLFLOW}/runs/log-parameter": _of_run(key="momentum", value="0.9"),
    f"POST {MLFLOW}/runs/log-batch": _of_run(metrics=METRICS),
    f"POST {MLFLOW}/runs/log-inputs": _of_run(datasets=[{"dataset": DATASET}]),
    f"POST {MLFLOW}/runs/log-model": _of_run(
        model_json='{"artifact_path": "m", "flavors": {}, "utc_time_created": "", "run_id": ""}'
    ),
    f"POST {MLFLOW}/runs/set-tag": _of_run(key="team", value="vision"),
    f"POST {MLFLOW}/runs/delete-tag": _of_run(key="mlflow.source.git.commit"),
    f"POST {MLFLOW}/runs/update": _of_run(status="FINISHED", end_time=2_000_000_000_000),
    f"POST {MLFLOW}/runs/delete": _of_run(),
    f"POST {MLFLOW}/runs/restore": _of_run(),
    f"POST {MLFLOW}/runs/outputs": _of_run(models=[{"model_id": "m-1", "step": 1}]),
    f"POST {MLFLOW}/registered-models/create": _mlflow(lambda _: {"name": "regressor"}),
    f"GET {MLFLOW}/registered-models/get": _mlflow(query="?name=classifier"),
    f"POST {MLFLOW}/registered-models/rename": _of_model(new_name="classifier"),
    f"PATCH {MLFLOW}/registered-models/update": _of_model(description="by MLflow"),
    f"GET {MLFLOW}/registered-models/search": _mlflow(query="?filter=name+LIKE+'c%25'"),
    f"POST {MLFLOW}/registered-models/get-latest-versions": _of_model(stages=["Production"]),
    f"GET {MLFLOW}/registered-models/get-latest-versions": _mlflow(query="?name=classifier"),
    f"POST {MLFLOW}/registered-models/set-tag": _of_model(key="team", value="vision"),
    f"DELETE {MLFLOW}/registered-models/delete-tag": _of_model(key="team"),
    f"POST {MLFLOW}/registered-models/alias": _of_model(alias="challenger", version="1"),
    f"GET {MLFLOW}/registered-models/alias": _mlflow(query="?name=classifier&alias=champion"),
    f"DELETE {MLFLOW}/registered-models/alias": _of_model(alias="champion"),
    f"DELETE {MLFLOW}/registered-models/delete": _of_model(),
    f"POST {MLFLOW}/model-versions/create": _mlflow(
        lambda world: {"name": "classifier", "source": "s3://models/1", "run_id": world.ids["iteration_id"]}
    ),
    f"GET {MLFLOW}/model-versions/get": _mlflow(query="?name=classifier&version=2"),
    f"GET {MLFLOW}/model-versions/get-download-uri": _mlflow(query="?name=classifier&version=2"),
    f"GET {MLFLOW}/model-versions/search": _mlflow(query="?filter=name='classifier'"),
    f"PATCH {MLFLOW}/model-versions/update": _of_version(description="by MLflow"),
    f"POST {MLFLOW}/model-versions/transition-stage": _of_version(stage="Production"),
    f"POST {MLFLOW}/model-versions/set-tag": _of_version(key="team", value="vision"),
    f"DELETE {MLFLOW}/model-versions/delete-tag": _of_version(key="team"),
    f"DELETE {MLFLOW}/model-versions/delete": _of_version(),
    f"POST {MLFLOW}/logged-models": _mlflow(
        lambda world: {"experiment_id": world.ids["experiment_id"], "source_run_id": world.ids["iteration_id"]}
    ),
    f"GET {MLFLOW}/logged-models/{{loggedmodel_id}}": _mlflow(),
    f"PATCH {MLFLOW}/logged-models/{{loggedmodel_id}}": _mlflow(lambda _: {"status": "LOGGED_MODEL_READY"}),
    f"PATCH {MLFLOW}/logged-models/{{loggedmodel_id}}/tags": _mlflow(
        lambda _: {"tags": [{"key": "team", "value": "vision"}]}
    ),
    f"POST {MLFLOW}/logged-models/{{loggedmodel_id}}/params": _mlflow(
        lambda _: {"params": [{"key": "a", "value": "1"}]}
    ),
    f"POST {MLFLOW}/logged-models/search": _mlflow(
        lambda world: {"experiment_ids": [world.ids["experiment_id"]], "filter": "metrics.loss < 1"}
    ),
    f"DELETE {MLFLOW}/logged-models/{{loggedmodel_id}}/tags/{{tag_key}}": _mlflow(),
    f"DELETE {MLFLOW}/logged-models/{{loggedmodel_id}}": _mlflow(),
}
