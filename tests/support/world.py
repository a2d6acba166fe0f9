"""One object of every kind, created through the API: the target of measured requests."""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from deardiary.http.transport import Request
from tests.support.server import PASSWORD, Server

DESCRIPTION = "What we want to know, how we go about it, and what we expect to come out in the end. " * 2
POINTS = 1000
PRODUCTION = 3
ISSUER = "https://id.example.org"
PRINTED = [{"stream": "stdout", "text": f"epoch {epoch}: loss {1 / (1 + epoch):.4f}"} for epoch in range(20)]
SNAPSHOT = {"python_version": "3.12.1", "git_sha": "0" * 40, "manifest_toml": "torch==2.9\n", "git_diff": "+ x = 1\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Ids by the names that they have in paths, and the member's token.

    A project of two members with a view and an experiment; in it a parent iteration and its child, which is
    `iteration_id` and holds a parameter, a batch of 1,000 points, printed lines, a tag, a snapshot and three resources:
    complete, uploaded and announced.
    The project allows a role of the AWS account.
    A model has two versions, the first in PRODUCTION; the second is `version_id`, which `alias` names. Another model is
    in the trash: `object_id`.
    The child has read the complete resource, the parent that version. The parent has a pending command. The child is
    shared under `share_secret`.
    """

    username: str
    token: str
    ids: dict[str, str]
    colleague_id: str
    parent_iteration_id: str
    uploaded_id: str
    announced_id: str
    tag_ids: dict[str, str]
    share_secret: str
    # The body of a sign-in by a role that the project allows.
    signed: Callable[[], dict[str, Any]]


def make_world(server: Server) -> World:
    """Create the world as the member, who thereby has all four permissions on the project."""
    username = f"user-{secrets.token_hex(4)}"
    maker = _Maker(server, None)
    user_id = maker.user(username)
    colleague_id = maker.user(f"{username}-colleague")
    maker = _Maker(server, server.token(username))
    project_id = maker.post("/projects", name="Iris", description=DESCRIPTION)
    maker.permit(project_id, colleague_id)
    maker.send("PUT", "/auth/me/preferences", {"theme": "dark"})
    role = f"trainer-{secrets.token_hex(4)}"
    pattern = f"arn:aws:iam::{server.account()}:role/{role}"
    experiment_id = maker.post(f"/projects/{project_id}/experiments", name="sweep", description=DESCRIPTION)
    parent_id = maker.post(f"/experiments/{experiment_id}/iterations", notes=DESCRIPTION)
    iteration_id = maker.post(f"/experiments/{experiment_id}/iterations", parent_iteration_id=parent_id)
    maker.send("POST", f"/iterations/{iteration_id}/metrics/batch", {"batch_id": "0", "metrics": points(POINTS)})
    maker.send("POST", f"/iterations/{iteration_id}/log", {"batch_id": "printed", "output": PRINTED})
    maker.send("PUT", f"/iterations/{iteration_id}/snapshot", SNAPSHOT)
    model_id = maker.post(f"/projects/{project_id}/models", name="classifier", description=DESCRIPTION)
    version_id = maker.promoted_and_next(model_id, iteration_id)
    resource_id = maker.complete(maker.uploaded(experiment_id, iteration_id))
    maker.post(f"/iterations/{parent_id}/inputs", kind="model", modelversion_id=version_id)
    owners = {"projects": project_id, "experiments": experiment_id, "iterations": iteration_id}
    share = maker.send("POST", f"/projects/{project_id}/shares", {"iteration_ids": [iteration_id]})
    return World(
        username=username,
        token=server.token(username),
        ids={
            "user_id": user_id,
            "identity_id": maker.post("/auth/identities", pattern=pattern, project_id=project_id),
            "subject_id": _Maker(server, None).post(
                f"/users/{user_id}/subjects", subject=f"account of {username}", issuer=ISSUER
            ),
            "group_id": maker.send("PUT", f"/projects/{project_id}/groups", {"group": "ml", "read_permission": True})[
                "id"
            ],
            "token_id": maker.post("/auth/tokens", name="sagemaker"),
            "project_id": project_id,
            "view_id": maker.post(f"/projects/{project_id}/views", name="best", state={"order_by": "metrics.loss"}),
            "share_id": share["id"],
            "experiment_id": experiment_id,
            "study_id": maker.study(experiment_id, "optuna"),
            "lease_id": "worker-7",  # too long to occur in another id or in a time by chance
            "iteration_id": iteration_id,
            "metric_id": maker.send("GET", f"/iterations/{iteration_id}/metrics?limit=1")["data"][0]["id"],
            "parameter_id": maker.post(f"/iterations/{iteration_id}/parameters", key="learning_rate", value="0.001"),
            "model_id": model_id,
            "version_id": version_id,
            "alias": maker.champion(model_id),
            "object_id": maker.trashed(project_id),
            "loggedmodel_id": maker.logged(experiment_id, parent_id),
            "tag_key": "framework",
            "resource_id": resource_id,
            "command_id": maker.post(f"/iterations/{parent_id}/commands", kind="checkpoint", text="before the night"),
            "input_id": maker.post(f"/iterations/{iteration_id}/inputs", kind="resource", resource_id=resource_id),
        },
        colleague_id=colleague_id,
        parent_iteration_id=parent_id,
        uploaded_id=maker.uploaded(experiment_id, iteration_id),
        signed=partial(server.signed_by, role),
        announced_id=maker.announced(experiment_id, iteration_id, b"never sent"),
        share_secret=share["url"].rpartition("/")[2],
        tag_ids={level: maker.post(f"/{level}/{owner}/tags", value="baseline") for level, owner in owners.items()},
    )


def points(number: int, key: str = "loss") -> list[dict[str, Any]]:
    """A curve like that of a training run, the same for each key: a step about every 1.5 s, a value with noise."""
    dice, time = random.Random(key), datetime(2026, 11, 23, tzinfo=timezone.utc)  # noqa: S311
    curve = []
    for step in range(number):
        time += timedelta(milliseconds=dice.randint(1400, 1600))
        value = 2.0 / (1 + step / 50) + dice.gauss(0, 0.05)
        curve.append({"key": key, "value": value, "step": step, "recorded_at": time.isoformat()})
    return curve


class _Maker:
    def __init__(self, server: Server, token: str | None) -> None:
        self._server = server
        self._token = token or server.token()

    def study(self, experiment_id: str, study_id: str) -> str:
        """Create a study with two records and a lease; return its id."""
        path = f"/experiments/{experiment_id}/studies/{study_id}"
        self.send("POST", f"{path}/records", {"append_id": "0", "records": ["one", "two"]})
        self.send("PUT", f"{path}/leases/worker-7", {})
        return study_id

    def send(self, method: str, path: str, body: Any = None) -> Any:
        reply = self._server.call(method, path, body, token=self._token)
        if reply.status >= 300:
            raise RuntimeError(f"{method} {path} answered {reply.status}: {reply.body}")
        return reply.body

    def post(self, path: str, **body: Any) -> str:
        made: str = self.send("POST", path, body)["id"]
        return made

    def user(self, username: str) -> str:
        names = {"first_name": "Ada", "last_name": "Lovelace"}
        return self.post("/users", username=username, password=PASSWORD, **names)

    def permit(self, project_id: str, user_id: str) -> None:
        record = {"read_permission": True, "create_permission": True}
        self.send("PUT", f"/projects/{project_id}/permissions/{user_id}", record)

    def promoted_and_next(self, model_id: str, iteration_id: str) -> str:
        first, second = (self.post(f"/models/{model_id}/versions", iteration_id=iteration_id) for _ in range(2))
        self.send("PATCH", f"/modelversions/{first}", {"stage_id": PRODUCTION})
        return second

    def champion(self, model_id: str) -> str:
        self.send("PUT", f"/models/{model_id}/aliases/champion", {"version": 2})
        return "champion"

    def trashed(self, project_id: str) -> str:
        model_id = self.post(f"/projects/{project_id}/models", name="given up")
        self.send("DELETE", f"/models/{model_id}")
        return model_id

    def logged(self, experiment_id: str, iteration_id: str) -> str:
        """A logged model of MLflow, with a tag."""
        tags = [{"key": "framework", "value": "torch"}]
        body = {"experiment_id": experiment_id, "source_run_id": iteration_id, "tags": tags}
        model = self.send("POST", "/api/2.0/mlflow/logged-models", body)["model"]
        return str(model["info"]["model_id"])

    def announced(self, experiment_id: str, iteration_id: str, content: bytes) -> str:
        return self.post(
            f"/experiments/{experiment_id}/resources",
            name="model.pkl",
            size_bytes=len(content),
            content_hash=hashlib.sha256(content).hexdigest(),
            iteration_id=iteration_id,
        )

    def uploaded(self, experiment_id: str, iteration_id: str) -> str:
        """A resource whose unique bytes are in the store, unchecked."""
        content = secrets.token_bytes(64)
        resource_id = self.announced(experiment_id, iteration_id, content)
        (put,) = self.send("POST", f"/resources/{resource_id}/upload")["requests"]
        self._server.transport.send(Request(method="PUT", url=put["url"], headers=put["headers"], body=content)).close()
        return resource_id

    def complete(self, resource_id: str) -> str:
        self.send("POST", f"/resources/{resource_id}/complete")
        return resource_id
