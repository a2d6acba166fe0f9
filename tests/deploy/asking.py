"""Every operation of the server, asked once, in two worlds."""

from __future__ import annotations

from collections.abc import Set

from chalicelib.routes.blueprints import faces
from tests.support.asks import ASKS, MLFLOW
from tests.support.server import Server
from tests.support.world import World, make_world

# The requests that end or remove an object with contents: the deepest object first, so that one world is enough.
LAST = (
    "PATCH /iterations/{iteration_id}",
    "PATCH /experiments/{experiment_id}",
    "DELETE /iterations/{iteration_id}",
    "DELETE /experiments/{experiment_id}",
    "DELETE /models/{model_id}",
    "DELETE /projects/{project_id}/permissions/{user_id}",
    "DELETE /projects/{project_id}",
    "DELETE /users/{user_id}",
    f"DELETE {MLFLOW}/registered-models/delete",
    "DELETE /api/3.0/mlflow/workspaces/{workspace}",
)


def ask_all(server: Server) -> dict[str, int | str]:
    """The status of each operation, or the whole answer if it is an error.

    The operations for MLflow have a world of their own: they remove the same objects as the others.
    """
    mlflow = {f"{each.method} {each.path}" for face in faces() if face.name == "mlflow" for each in face.operations}
    return _ask_in_one_world(server, ASKS.keys() - mlflow) | _ask_in_one_world(server, mlflow)


def _ask_in_one_world(server: Server, routes: Set[str]) -> dict[str, int | str]:
    world = make_world(server)
    first = [route for route in ASKS if route in routes and not route.startswith("DELETE ") and route not in LAST]
    leaves = [route for route in ASKS if route in routes and route not in (*first, *LAST)]
    last = [route for route in LAST if route in routes]
    got = {route: ask(server, world, route) for route in first}
    # `POST /trash` has restored it; `DELETE /trash` purges it.
    server.call("DELETE", f"/models/{world.ids['object_id']}", token=world.token)
    return got | {route: ask(server, world, route) for route in (*leaves, *last)}


def ask(server: Server, world: World, route: str) -> int | str:
    asked = ASKS[route](world)
    method, _, path = route.partition(" ")
    token = server.token() if asked.admin else world.token
    whole = path.format(**world.ids | asked.ids) + asked.query
    reply = server.call(method, whole, asked.body, token=token, headers=asked.headers)
    return reply.status if reply.status < 400 else f"{reply.status} {reply.body}"
