"""Artifacts: the files of runs and of logged models, by paths. Their bytes go directly to the artifact store.

A path is `<experiment>/<run>/artifacts/<file>` or `<experiment>/models/<logged model>/artifacts/<file>`, after
`workspaces/<project>/` if the request names a project.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from msgspec import Meta

from chalicelib.errors import InvalidPayload, NotFound, NotSupported
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import scope
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Body, Query, Required
from chalicelib.services import file as service
from chalicelib.services.access import Need
from chalicelib.services.file import Entry, Tree
from deardiary.wire import limits

operations = Operations("/2.0/mlflow-artifacts")

_WORKSPACES = "workspaces"
# MLflow's id of its first experiment, whatever the id of the experiment is here.
_DEFAULT_EXPERIMENT = "0"
# API Gateway puts it in place of each byte that is not UTF-8, in a body that it takes for text.
_REPLACED = "\N{REPLACEMENT CHARACTER}".encode()


class ListQuery(Query):
    path: str = ""


class NewUpload(Body):
    path: Required
    num_parts: Annotated[int, Meta(ge=1)] = 1


class SentPart(Body):
    part_number: Annotated[int, Meta(ge=1, le=limits.MAX_PARTS)]
    etag: str


class FinishedUpload(Body):
    path: Required
    upload_id: Required
    parts: list[SentPart]


class AbortedUpload(Body):
    path: Required
    upload_id: Required


class Place(NamedTuple):
    """A path below the files of a run or a logged model."""

    tree: Tree
    path: str


@operations.get("/artifacts", query=ListQuery)
def list_artifacts(call: Call[None, ListQuery]) -> Answer[dict[str, Any]]:
    # Clients name the folder itself "." when they download all files.
    path = "/".join(part for part in call.query.path.split("/") if part != ".")
    place = _place(call, path, Need.READ)
    return ok({"files": [_file(entry) for entry in service.list_folder(place.tree, place.path)]})


@operations.get("/artifacts/{path+}")
def download_artifact(call: Call[None, None], path: str) -> Answer[None]:
    place = _place(call, path, Need.READ)
    return _redirect(302, service.request_download(place.tree, place.path, call.site).url)


@operations.put_bytes("/artifacts/{path+}")
def upload_artifact(call: Call[bytes, None], path: str) -> Answer[dict[str, Any]]:
    place = _place(call, path, Need.CREATE)
    if _is_whole(call):
        service.put_file(call.actor, place.tree, place.path, call.body)
        return ok({})
    return _redirect(307, service.request_put(call.actor, place.tree, place.path))


@operations.delete("/artifacts/{path+}")
def delete_artifacts(call: Call[None, None], path: str) -> Answer[dict[str, Any]]:
    place = _place(call, path, Need.DELETE)
    service.delete_files(place.tree, place.path)
    return ok({})


@operations.get("/presigned/{path+}")
def presign_download(call: Call[None, None], path: str) -> Answer[dict[str, Any]]:
    place = _place(call, path, Need.READ)
    resource = service.find_file(place.tree, place.path)
    if not service.is_read_in_one_piece(resource):
        raise NotSupported("The bytes of this file come in pieces through the server")
    download = service.sign_download(place.tree, resource, call.site)
    # API Gateway sends raw bytes only for this header; S3 ignores it.
    headers = {"Accept": "application/octet-stream"}
    return ok({"url": download.url, "headers": headers, "file_size": resource.size_bytes})


@operations.post("/mpu/create/{path+}", body=NewUpload)
def create_upload(call: Call[NewUpload, None], path: str) -> Answer[dict[str, Any]]:
    place = _place(call, _below(path, call.body.path), Need.CREATE)
    signed = service.begin_parts(call.actor, place.tree, place.path, call.body.num_parts)
    credentials = [
        {"url": url, "part_number": number, "headers": {}} for number, url in enumerate(signed.urls, start=1)
    ]
    return ok({"upload_id": signed.token, "credentials": credentials})


@operations.post("/mpu/complete/{path+}", body=FinishedUpload)
def complete_upload(call: Call[FinishedUpload, None], path: str) -> Answer[dict[str, Any]]:
    place = _place(call, _below(path, call.body.path), Need.CREATE)
    etags = {part.part_number: part.etag for part in call.body.parts}
    service.complete_parts(place.tree, place.path, call.body.upload_id, etags)
    return ok({})


@operations.post("/mpu/abort/{path+}", body=AbortedUpload)
def abort_upload(call: Call[AbortedUpload, None], path: str) -> Answer[dict[str, Any]]:
    place = _place(call, _below(path, call.body.path), Need.CREATE)
    service.abort_parts(place.tree, place.path, call.body.upload_id)
    return ok({})


def _place(call: Call[Any, Any], path: str, need: Need) -> Place:
    """Find the run or the logged model of a path, check the permission, and split off its own path."""
    service.check_safe(path.rstrip("/"))
    match _without_workspace(call, path.rstrip("/").split("/")):
        case [experiment_id, "models", model_id, "artifacts", *rest]:
            tree = service.tree_of_model(call.actor, experiment_id, model_id, need)
        case [experiment_id, run_id, "artifacts", *rest]:
            tree = service.tree_of_iteration(call.actor, run_id, need)
        case _:
            raise _no_such(path)
    if experiment_id not in (tree.experiment.id, _DEFAULT_EXPERIMENT):
        raise _no_such(path)
    scope.check_project(call, tree.project_id, lambda: _no_such(path))
    return Place(tree, "/".join(rest))


def _without_workspace(call: Call[Any, Any], parts: list[str]) -> list[str]:
    if parts[0] != _WORKSPACES:
        return parts
    if len(parts) < 2 or scope.workspace(call) not in (None, parts[1]):
        raise InvalidPayload("The path is in another workspace than the request", field="path")
    return parts[2:]


def _below(folder: str, local_path: str) -> str:
    """The path of a file in the folder. Older clients send the whole path of their own file."""
    return f"{folder.rstrip('/')}/{local_path.replace(chr(92), '/').rpartition('/')[2]}"


def _is_whole(call: Call[bytes, Any]) -> bool:
    """False if the body is only a part of the file, or damaged on the way, or larger than Lambda would accept."""
    declared = call.headers.get("content-length")
    whole = _REPLACED not in call.body if declared is None else declared == str(len(call.body))
    return whole and len(call.body) <= limits.MAX_BODY_BYTES


def _redirect(status: int, url: str) -> Answer[Any]:
    return Answer(status, None, {"Location": url})


def _file(entry: Entry) -> dict[str, Any]:
    size = {} if entry.is_folder else {"file_size": entry.size_bytes}
    return {"path": entry.name, "is_dir": entry.is_folder, **size}


def _no_such(path: str) -> NotFound:
    return NotFound("There is no run or logged model with this path", kind="file", id=path)
