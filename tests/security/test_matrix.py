"""The permission matrix: every route, requested by every kind of caller. A route that the table lacks fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

import pytest

from chalicelib import clock, security
from chalicelib.routes.http.shared import ALLOWED
from chalicelib.security import Claims
from chalicelib.storage.keyring import read_keyring
from tests.support.asks import ASKS, OPERATIONS
from tests.support.fresh import Fresh
from tests.support.server import Reply, Server, server_on_moto
from tests.support.world import World, make_world


class Rule(Enum):
    PUBLIC = auto()
    SIGNED_IN = auto()
    OUTSIDE_PROJECTS = auto()  # signed in, with more than a token for one project
    SESSION = auto()  # signed in with a password
    OWN = auto()  # of the caller, and not with a token for one project
    SELF_OR_ADMIN = auto()
    ADMIN = auto()
    CREATE = auto()
    READ = auto()
    UPDATE = auto()
    DELETE = auto()
    ALL_FOUR = auto()
    READ_AND_WRITE = auto()  # a write whose answer needs the permission to read too


RULES = {
    "GET /health": Rule.PUBLIC,
    "GET /openapi.json": Rule.PUBLIC,
    "GET /docs": Rule.PUBLIC,
    "GET /docs/docs.js": Rule.PUBLIC,
    "GET /docs/docs.css": Rule.PUBLIC,
    "GET /": Rule.PUBLIC,
    "GET /ui": Rule.PUBLIC,
    "GET /ui/{asset}": Rule.PUBLIC,
    "POST /auth": Rule.PUBLIC,
    # The signature of a role that a project allows is the permission.
    "POST /auth/aws": Rule.PUBLIC,
    "POST /auth/session": Rule.PUBLIC,
    "POST /auth/share": Rule.PUBLIC,
    "POST /auth/session/refresh": Rule.SESSION,
    "DELETE /auth/session": Rule.PUBLIC,
    "POST /auth/refresh": Rule.SESSION,
    "GET /auth/oidc/start": Rule.PUBLIC,
    # The provider's code and the cookie of the browser are the permission.
    "GET /auth/oidc/callback": Rule.PUBLIC,
    "POST /auth/oidc": Rule.SESSION,
    "GET /auth/me": Rule.SIGNED_IN,
    "GET /auth/me/preferences": Rule.OWN,
    "PUT /auth/me/preferences": Rule.OWN,
    "GET /auth/tokens": Rule.SESSION,
    "POST /auth/tokens": Rule.SESSION,
    "DELETE /auth/tokens/{token_id}": Rule.SESSION,
    # Those of the projects that the caller manages.
    "GET /auth/identities": Rule.SIGNED_IN,
    "POST /auth/identities": Rule.ALL_FOUR,
    "DELETE /auth/identities/{identity_id}": Rule.ALL_FOUR,
    "GET /users": Rule.ADMIN,
    "POST /users": Rule.ADMIN,
    "GET /users/{user_id}": Rule.SELF_OR_ADMIN,
    "PATCH /users/{user_id}": Rule.SELF_OR_ADMIN,
    "DELETE /users/{user_id}": Rule.SELF_OR_ADMIN,
    "GET /users/{user_id}/permissions": Rule.SELF_OR_ADMIN,
    "GET /users/{user_id}/subjects": Rule.SELF_OR_ADMIN,
    # To link a subject is to let it sign in as the user.
    "POST /users/{user_id}/subjects": Rule.ADMIN,
    "DELETE /users/{user_id}/subjects/{subject_id}": Rule.SELF_OR_ADMIN,
    "GET /projects": Rule.SIGNED_IN,
    "POST /projects": Rule.OUTSIDE_PROJECTS,
    "GET /projects/{project_id}": Rule.READ,
    "PATCH /projects/{project_id}": Rule.UPDATE,
    "DELETE /projects/{project_id}": Rule.DELETE,
    "GET /projects/{project_id}/views": Rule.READ,
    "POST /projects/{project_id}/views": Rule.CREATE,
    "GET /projects/{project_id}/views/{view_id}": Rule.READ,
    "PATCH /projects/{project_id}/views/{view_id}": Rule.UPDATE,
    "DELETE /projects/{project_id}/views/{view_id}": Rule.DELETE,
    "GET /projects/{project_id}/shares": Rule.READ,
    "POST /projects/{project_id}/shares": Rule.READ_AND_WRITE,
    "DELETE /projects/{project_id}/shares/{share_id}": Rule.UPDATE,
    "GET /projects/{project_id}/groups": Rule.READ,
    "PUT /projects/{project_id}/groups": Rule.ALL_FOUR,
    "DELETE /projects/{project_id}/groups/{group_id}": Rule.ALL_FOUR,
    "GET /projects/{project_id}/permissions": Rule.READ,
    "GET /projects/{project_id}/permissions/{user_id}": Rule.READ,
    "PUT /projects/{project_id}/permissions/{user_id}": Rule.ALL_FOUR,
    "PATCH /projects/{project_id}/permissions/{user_id}": Rule.ALL_FOUR,
    "DELETE /projects/{project_id}/permissions/{user_id}": Rule.ALL_FOUR,
    "GET /projects/{project_id}/alert-rules": Rule.READ,
    "PUT /projects/{project_id}/alert-rules": Rule.UPDATE,
    "GET /experiments/{experiment_id}/alert-rules": Rule.READ,
    "PUT /experiments/{experiment_id}/alert-rules": Rule.UPDATE,
    "GET /projects/{project_id}/experiments": Rule.READ,
    "POST /projects/{project_id}/experiments": Rule.CREATE,
    "GET /projects/{project_id}/iterations": Rule.READ,
    "GET /experiments/{experiment_id}": Rule.READ,
    "PATCH /experiments/{experiment_id}": Rule.UPDATE,
    "DELETE /experiments/{experiment_id}": Rule.DELETE,
    "GET /experiments/{experiment_id}/iterations": Rule.READ,
    "GET /experiments/{experiment_id}/iterations/changes": Rule.READ,
    "POST /experiments/{experiment_id}/iterations": Rule.CREATE,
    "GET /iterations/{iteration_id}": Rule.READ,
    "PATCH /iterations/{iteration_id}": Rule.UPDATE,
    "DELETE /iterations/{iteration_id}": Rule.DELETE,
    "GET /iterations/{iteration_id}/children": Rule.READ,
    "GET /iterations/{iteration_id}/snapshot": Rule.READ,
    "PUT /iterations/{iteration_id}/snapshot": Rule.UPDATE,
    "POST /iterations/{iteration_id}/log": Rule.CREATE,
    "GET /iterations/{iteration_id}/output": Rule.READ,
    "GET /iterations/{iteration_id}/parameters": Rule.READ,
    "POST /iterations/{iteration_id}/parameters": Rule.CREATE,
    "GET /parameters/{parameter_id}": Rule.READ,
    "PATCH /parameters/{parameter_id}": Rule.UPDATE,
    "DELETE /parameters/{parameter_id}": Rule.DELETE,
    "GET /iterations/{iteration_id}/inputs": Rule.READ,
    "POST /iterations/{iteration_id}/inputs": Rule.CREATE,
    "DELETE /iterations/{iteration_id}/inputs/{input_id}": Rule.DELETE,
    "GET /iterations/{iteration_id}/alerts": Rule.READ,
    "POST /iterations/{iteration_id}/alerts": Rule.CREATE,
    "GET /iterations/{iteration_id}/commands": Rule.READ,
    # To steer an iteration is to update it, and so is to withdraw what was asked.
    "POST /iterations/{iteration_id}/commands": Rule.UPDATE,
    "GET /iterations/{iteration_id}/commands/{command_id}": Rule.READ,
    "DELETE /iterations/{iteration_id}/commands/{command_id}": Rule.UPDATE,
    "GET /iterations/{iteration_id}/metrics": Rule.READ,
    "POST /iterations/{iteration_id}/metrics": Rule.CREATE,
    "POST /iterations/{iteration_id}/metrics/batch": Rule.CREATE,
    "GET /iterations/{iteration_id}/metrics/series": Rule.READ,
    "GET /iterations/{iteration_id}/metrics/summary": Rule.READ,
    "GET /iterations/{iteration_id}/metrics/columns": Rule.READ,
    "GET /experiments/{experiment_id}/metrics/series": Rule.READ,
    "GET /experiments/{experiment_id}/metrics/summary": Rule.READ,
    "GET /experiments/{experiment_id}/metrics/curves": Rule.READ,
    "GET /experiments/{experiment_id}/keys": Rule.READ,
    "GET /experiments/{experiment_id}/studies/{study_id}/records": Rule.READ,
    "POST /experiments/{experiment_id}/studies/{study_id}/records": Rule.CREATE,
    "GET /experiments/{experiment_id}/studies/{study_id}/leases": Rule.READ,
    "PUT /experiments/{experiment_id}/studies/{study_id}/leases/{lease_id}": Rule.CREATE,
    "DELETE /experiments/{experiment_id}/studies/{study_id}/leases/{lease_id}": Rule.CREATE,
    "POST /experiments/{experiment_id}/iterations/bulk": Rule.CREATE,
    "GET /metrics/{metric_id}": Rule.READ,
    "PATCH /metrics/{metric_id}": Rule.UPDATE,
    "DELETE /metrics/{metric_id}": Rule.DELETE,
    "GET /projects/{project_id}/tags": Rule.READ,
    "POST /projects/{project_id}/tags": Rule.CREATE,
    "DELETE /projects/{project_id}/tags/{tag_id}": Rule.DELETE,
    "GET /experiments/{experiment_id}/tags": Rule.READ,
    "POST /experiments/{experiment_id}/tags": Rule.CREATE,
    "DELETE /experiments/{experiment_id}/tags/{tag_id}": Rule.DELETE,
    "GET /iterations/{iteration_id}/tags": Rule.READ,
    "POST /iterations/{iteration_id}/tags": Rule.CREATE,
    "DELETE /iterations/{iteration_id}/tags/{tag_id}": Rule.DELETE,
    "GET /experiments/{experiment_id}/resources": Rule.READ,
    "POST /experiments/{experiment_id}/resources": Rule.CREATE,
    "POST /experiments/{experiment_id}/resources/bulk": Rule.CREATE,
    "POST /experiments/{experiment_id}/resources/complete": Rule.CREATE,
    "GET /resources/{resource_id}": Rule.READ,
    "PATCH /resources/{resource_id}": Rule.UPDATE,
    "DELETE /resources/{resource_id}": Rule.DELETE,
    "GET /resources/{resource_id}/uses": Rule.READ,
    "POST /resources/{resource_id}/upload": Rule.CREATE,
    "POST /resources/{resource_id}/complete": Rule.CREATE,
    "GET /resources/{resource_id}/download": Rule.READ,
    # The signed URL is the permission.
    "GET /artifacts": Rule.PUBLIC,
    "PUT /artifacts": Rule.PUBLIC,
    "GET /projects/{project_id}/models": Rule.READ,
    "POST /projects/{project_id}/models": Rule.CREATE,
    "GET /models/{model_id}": Rule.READ,
    "PATCH /models/{model_id}": Rule.UPDATE,
    "DELETE /models/{model_id}": Rule.DELETE,
    "GET /models/{model_id}/versions": Rule.READ,
    "GET /iterations/{iteration_id}/modelversions": Rule.READ,
    "GET /experiments/{experiment_id}/modelversions": Rule.READ,
    "POST /models/{model_id}/versions": Rule.CREATE,
    "GET /modelversions/{version_id}": Rule.READ,
    "PATCH /modelversions/{version_id}": Rule.UPDATE,
    "DELETE /modelversions/{version_id}": Rule.DELETE,
    "GET /models/{model_id}/aliases/{alias}": Rule.READ,
    "PUT /models/{model_id}/aliases/{alias}": Rule.UPDATE,
    "DELETE /models/{model_id}/aliases/{alias}": Rule.DELETE,
    "GET /modelversions/{version_id}/uses": Rule.READ,
    # Those of the projects that the caller may read and delete.
    "GET /trash": Rule.SIGNED_IN,
    "GET /projects/{project_id}/trash": Rule.READ,
    "POST /trash/{object_id}": Rule.DELETE,
    "DELETE /trash/{object_id}": Rule.DELETE,
    "GET /search": Rule.SIGNED_IN,
    "GET /activity": Rule.SIGNED_IN,
    "POST /api/2.0/mlflow/experiments/create": Rule.READ_AND_WRITE,
    "GET /api/2.0/mlflow/experiments/get-by-name": Rule.READ,
    "GET /api/2.0/mlflow/experiments/get": Rule.READ,
    "GET /api/3.0/mlflow/server-info": Rule.PUBLIC,
    "GET /api/3.0/mlflow/workspaces": Rule.SIGNED_IN,
    "POST /api/3.0/mlflow/workspaces": Rule.OUTSIDE_PROJECTS,
    "GET /api/3.0/mlflow/workspaces/{workspace}": Rule.READ,
    "PATCH /api/3.0/mlflow/workspaces/{workspace}": Rule.READ_AND_WRITE,
    "DELETE /api/3.0/mlflow/workspaces/{workspace}": Rule.READ_AND_WRITE,
    "GET /api/2.0/mlflow-artifacts/artifacts": Rule.READ,
    "GET /api/2.0/mlflow-artifacts/artifacts/{path+}": Rule.READ,
    "GET /api/2.0/mlflow-artifacts/presigned/{path+}": Rule.READ,
    "PUT /api/2.0/mlflow-artifacts/artifacts/{path+}": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow-artifacts/mpu/create/{path+}": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow-artifacts/mpu/complete/{path+}": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow-artifacts/mpu/abort/{path+}": Rule.READ_AND_WRITE,
    "DELETE /api/2.0/mlflow-artifacts/artifacts/{path+}": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/experiments/search": Rule.READ,
    "POST /api/2.0/mlflow/experiments/update": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/experiments/set-experiment-tag": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/experiments/delete-experiment-tag": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/experiments/delete": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/experiments/restore": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/runs/create": Rule.READ_AND_WRITE,
    "GET /api/2.0/mlflow/runs/get": Rule.READ,
    "POST /api/2.0/mlflow/runs/search": Rule.READ,
    "GET /api/2.0/mlflow/metrics/get-history": Rule.READ,
    "POST /api/2.0/mlflow/runs/log-metric": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/runs/log-parameter": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/runs/log-batch": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/runs/log-inputs": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/runs/log-model": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/runs/set-tag": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/runs/delete-tag": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/runs/update": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/runs/delete": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/runs/restore": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/runs/outputs": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/registered-models/create": Rule.READ_AND_WRITE,
    "GET /api/2.0/mlflow/registered-models/get": Rule.READ,
    "POST /api/2.0/mlflow/registered-models/rename": Rule.READ_AND_WRITE,
    "PATCH /api/2.0/mlflow/registered-models/update": Rule.READ_AND_WRITE,
    "GET /api/2.0/mlflow/registered-models/search": Rule.READ,
    "POST /api/2.0/mlflow/registered-models/get-latest-versions": Rule.READ,
    "GET /api/2.0/mlflow/registered-models/get-latest-versions": Rule.READ,
    "POST /api/2.0/mlflow/registered-models/set-tag": Rule.READ_AND_WRITE,
    "DELETE /api/2.0/mlflow/registered-models/delete-tag": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/registered-models/alias": Rule.READ_AND_WRITE,
    "GET /api/2.0/mlflow/registered-models/alias": Rule.READ,
    "DELETE /api/2.0/mlflow/registered-models/alias": Rule.READ_AND_WRITE,
    "DELETE /api/2.0/mlflow/registered-models/delete": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/model-versions/create": Rule.READ_AND_WRITE,
    "GET /api/2.0/mlflow/model-versions/get": Rule.READ,
    "GET /api/2.0/mlflow/model-versions/get-download-uri": Rule.READ,
    "GET /api/2.0/mlflow/model-versions/search": Rule.READ,
    "PATCH /api/2.0/mlflow/model-versions/update": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/model-versions/transition-stage": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/model-versions/set-tag": Rule.READ_AND_WRITE,
    "DELETE /api/2.0/mlflow/model-versions/delete-tag": Rule.READ_AND_WRITE,
    "DELETE /api/2.0/mlflow/model-versions/delete": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/logged-models": Rule.READ_AND_WRITE,
    "GET /api/2.0/mlflow/logged-models/{loggedmodel_id}": Rule.READ,
    "PATCH /api/2.0/mlflow/logged-models/{loggedmodel_id}": Rule.READ_AND_WRITE,
    "PATCH /api/2.0/mlflow/logged-models/{loggedmodel_id}/tags": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/logged-models/{loggedmodel_id}/params": Rule.READ_AND_WRITE,
    "POST /api/2.0/mlflow/logged-models/search": Rule.READ,
    "DELETE /api/2.0/mlflow/logged-models/{loggedmodel_id}/tags/{tag_key}": Rule.READ_AND_WRITE,
    "DELETE /api/2.0/mlflow/logged-models/{loggedmodel_id}": Rule.READ_AND_WRITE,
}

READS = {f"{each.method} {each.path}" for each in OPERATIONS if each.reads or each.method == "GET"}

OK = "allowed"
NOBODY = {"anonymous": 401, "expired token": 401, "deleted user": 401}
MEMBERS = ("create", "read", "update", "delete")
PEOPLE = ("outsider", *MEMBERS, "owner", "admin")
TOKENS = ("read-only token", "token of another project")

Expected = dict[str, int | str]


def expected(rule: Rule, *, reads: bool) -> Expected:
    """The expected outcome for each caller: the status of a refusal, or OK."""
    reader = OK if reads else 403
    match rule:
        case Rule.PUBLIC:
            return dict.fromkeys((*NOBODY, *PEOPLE, *TOKENS), OK)
        case Rule.SIGNED_IN:
            return NOBODY | dict.fromkeys((*PEOPLE, *TOKENS), OK)
        case Rule.OUTSIDE_PROJECTS | Rule.SESSION:
            return NOBODY | dict.fromkeys(PEOPLE, OK) | dict.fromkeys(TOKENS, 403)
        case Rule.OWN:
            return NOBODY | dict.fromkeys(PEOPLE, OK) | {"read-only token": reader, "token of another project": 403}
        case Rule.ADMIN:
            return NOBODY | dict.fromkeys((*PEOPLE, *TOKENS), 403) | {"admin": OK}
        case Rule.SELF_OR_ADMIN:
            strangers = dict.fromkeys(("outsider", *MEMBERS, "token of another project"), 403)
            return NOBODY | strangers | {"owner": OK, "admin": OK, "read-only token": reader}
    members = {each: OK if each == rule.name.lower() else 403 for each in MEMBERS}
    others = {"outsider": 404, "token of another project": 404, "read-only token": reader}
    return NOBODY | members | others | {"owner": OK, "admin": OK}


@dataclass(frozen=True)
class Cast:
    """Tokens of the callers that are the same in every world, and the ids of the members."""

    tokens: dict[str, str]
    members: dict[str, str]


@dataclass(frozen=True)
class Stage:
    """A world with a token for every kind of caller."""

    world: World
    tokens: dict[str, str | None]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="module")
def cast(server: Server) -> Cast:
    members = {name: server.newcomer(f"holder-of-{name}").whoami().id for name in MEMBERS}
    tokens = {name: server.token(f"holder-of-{name}") for name in MEMBERS}
    server.newcomer("outsider")
    gone = server.newcomer("gone").whoami().id
    tokens |= {"outsider": server.token("outsider"), "deleted user": server.token("gone"), "admin": server.token()}
    server.client().users.delete(gone)
    return Cast(tokens, members)


def tokens_of(server: Server, cast: Cast, world: World) -> dict[str, str | None]:
    """A token for every kind of caller, in a new project."""
    project_id = world.ids["project_id"]
    for name, user_id in cast.members.items():
        record = {f"{name}_permission": True}
        path = f"/projects/{project_id}/permissions/{user_id}"
        assert server.call("PUT", path, record, token=world.token).status == 200
    other = server.call("POST", "/projects", {"name": "another"}, token=world.token).body["id"]
    return {
        **cast.tokens,
        "anonymous": None,
        "owner": world.token,
        "expired token": expired(world.ids["user_id"]),
        "read-only token": api_token(server, world, read_only=True),
        "token of another project": api_token(server, world, project_id=other),
    }


def new_stage(server: Server, cast: Cast) -> Stage:
    world = make_world(server)
    return Stage(world, tokens_of(server, cast, world))


def api_token(server: Server, world: World, **narrowed: object) -> str:
    made = server.call("POST", "/auth/tokens", {"name": "x", **narrowed}, token=world.token)
    token: str = made.body["token"]
    return token


def expired(user_id: str) -> str:
    return security.issue_token(read_keyring(), Claims(user_id, 0), clock.now() - timedelta(days=2))[0]


def ask(server: Server, route: str, world: World, token: str | None) -> Reply:
    method, _, path = route.partition(" ")
    asked = ASKS[route](world)
    return server.call(
        method, path.format(**world.ids | asked.ids) + asked.query, asked.body, token=token, headers=asked.headers
    )


def test_every_route_has_a_rule() -> None:
    assert set(RULES) == {f"{operation.method} {operation.path}" for operation in OPERATIONS}


@pytest.fixture(scope="module")
def shared(server: Server, cast: Cast) -> Stage:
    """For reads: no test changes it."""
    return new_stage(server, cast)


@pytest.mark.parametrize("route", [route for route in RULES if route in READS])
def test_each_caller_reads_by_permission(server: Server, shared: Stage, route: str) -> None:
    wanted = expected(RULES[route], reads=True)
    got = {who: ask(server, route, shared.world, shared.tokens[who]).status for who in wanted}
    assert {who: OK if status in (200, 302) else status for who, status in got.items()} == wanted


@pytest.fixture(scope="module")
def fresh(server: Server, shared: Stage, viewers: dict[str, str]) -> Fresh:
    """The data of the shared stage: a test that changes them restores them for its next request, and for the others."""
    return Fresh(server)


@pytest.fixture
def open_stage(shared: Stage, fresh: Fresh) -> Iterator[Stage]:
    """For writes and deletions."""
    yield shared
    fresh.again()


@pytest.mark.parametrize("route", [route for route in RULES if route not in READS and not route.startswith("DELETE ")])
def test_each_caller_writes_by_permission(server: Server, open_stage: Stage, route: str) -> None:
    wanted = expected(RULES[route], reads=False)
    got = {who: ask(server, route, open_stage.world, open_stage.tokens[who]) for who in wanted}
    assert {who: OK if _is_allowed(reply) else reply.status for who, reply in got.items()} == wanted


def _is_allowed(reply: Reply) -> bool:
    """True also for a second creation of an object, or removal of a tag: a conflict, whoever the caller is."""
    if "error_code" in (reply.body or {}):
        return reply.body["error_code"] == "RESOURCE_ALREADY_EXISTS" or "No tag with name" in reply.body["message"]
    return reply.status in (200, 201, 204, 409)


@pytest.mark.parametrize("route", [route for route in RULES if route.startswith("DELETE ")])
def test_each_caller_deletes_by_permission(server: Server, open_stage: Stage, fresh: Fresh, route: str) -> None:
    stage, wanted = open_stage, expected(RULES[route], reads=False)
    refused = [who for who, what in wanted.items() if what != OK]
    got = {who: ask(server, route, stage.world, stage.tokens[who]).status for who in refused}
    assert got == {who: wanted[who] for who in refused}
    own = RULES[route] is Rule.SESSION
    for who in wanted.keys() - refused:
        status = ask(server, route, stage.world, stage.tokens[who]).status
        assert (204 if status == 200 else status) == (404 if own and who != "owner" else 204)
        fresh.again()


# What the viewer of a share may call, and with which share of the world's objects: of the iteration, of its parent, of
# both, of the experiment. Every other operation is refused.
OF_ITERATION = {"iteration", "comparison", "experiment"}
OF_EXPERIMENT = {"experiment"}
SHARED: dict[str, set[str]] = {
    "GET /experiments/{experiment_id}": OF_EXPERIMENT,
    "GET /experiments/{experiment_id}/iterations": OF_EXPERIMENT,
    "GET /experiments/{experiment_id}/keys": OF_EXPERIMENT,
    "GET /experiments/{experiment_id}/tags": OF_EXPERIMENT,
    # The world's request for these names no iteration.
    "GET /experiments/{experiment_id}/metrics/curves": OF_EXPERIMENT,
    "GET /experiments/{experiment_id}/metrics/series": OF_EXPERIMENT,
    "GET /experiments/{experiment_id}/resources": OF_EXPERIMENT,
    "GET /experiments/{experiment_id}/metrics/summary": OF_ITERATION,
    "GET /iterations/{iteration_id}": OF_ITERATION,
    "GET /iterations/{iteration_id}/parameters": OF_ITERATION,
    "GET /iterations/{iteration_id}/tags": OF_ITERATION,
    "GET /iterations/{iteration_id}/metrics": OF_ITERATION,
    "GET /iterations/{iteration_id}/metrics/columns": OF_ITERATION,
    "GET /iterations/{iteration_id}/metrics/series": OF_ITERATION,
    "GET /iterations/{iteration_id}/metrics/summary": OF_ITERATION,
    "GET /resources/{resource_id}": OF_ITERATION,
    "GET /resources/{resource_id}/download": OF_ITERATION,
}


@pytest.fixture(scope="module")
def viewers(server: Server, shared: Stage) -> dict[str, str]:
    """A token for each kind of share in the world; those of the project's other experiment and of another project."""
    ids, world = shared.world.ids, shared.world
    other = make_world(server)
    elsewhere = make_experiment(server, world)
    bodies: dict[str, dict[str, object]] = {
        "iteration": {"iteration_ids": [ids["iteration_id"]]},
        "parent": {"iteration_ids": [world.parent_iteration_id]},
        "comparison": {"iteration_ids": [world.parent_iteration_id, ids["iteration_id"]]},
        "experiment": {"experiment_id": ids["experiment_id"]},
        "other experiment": {"experiment_id": elsewhere},
    }
    tokens = {name: viewer(server, world, body) for name, body in bodies.items()}
    return tokens | {"other project": viewer(server, other, {"experiment_id": other.ids["experiment_id"]})}


def make_experiment(server: Server, world: World) -> str:
    made = server.call("POST", f"/projects/{world.ids['project_id']}/experiments", {"name": "other"}, token=world.token)
    return str(made.body["id"])


def viewer(server: Server, world: World, body: dict[str, object]) -> str:
    """Share as the world's owner, and open the link without a sign-in."""
    share = server.call("POST", f"/projects/{world.ids['project_id']}/shares", body, token=world.token)
    secret = share.body["url"].rpartition("/")[2]
    return str(server.call("POST", "/auth/share", {"secret": secret}, token=None).body["access_token"])


@pytest.mark.parametrize("route", [route for route in RULES if RULES[route] is not Rule.PUBLIC])
def test_a_share_reaches_only_what_it_shows(server: Server, shared: Stage, viewers: dict[str, str], route: str) -> None:
    got = {who: ask(server, route, shared.world, token) for who, token in viewers.items()}
    if route not in SHARED:
        assert {who: reply.status for who, reply in got.items()} == dict.fromkeys(viewers, 403)
        return
    wanted = {who: 200 if who in SHARED[route] else 404 for who in viewers}
    assert {who: reply.status for who, reply in got.items()} == wanted
    # To the viewer of another share the object does not exist, in the same words as one that never did.
    assert {reply.body["code"] for who, reply in got.items() if wanted[who] == 404} == {"NOT_FOUND"}


def test_no_share_may_call_an_unnamed_route() -> None:
    assert ALLOWED.keys() == SHARED.keys()
