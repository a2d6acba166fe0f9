"""Every route of the server, asked once, in one world."""

from __future__ import annotations

from tests.support.asks import ASKS
from tests.support.server import Server
from tests.support.world import World, make_world

# What ends a thing, and what removes one: the deepest first, so that one world is enough.
LAST = (
    "PATCH /iterations/{iteration_id}",
    "PATCH /experiments/{experiment_id}",
    "DELETE /iterations/{iteration_id}",
    "DELETE /experiments/{experiment_id}",
    "DELETE /models/{model_id}",
    "DELETE /projects/{project_id}/permissions/{user_id}",
    "DELETE /projects/{project_id}",
    "DELETE /users/{user_id}",
)


def ask_all(server: Server) -> dict[str, int | str]:
    """The status of each, or the whole answer where it is a refusal."""
    world = make_world(server)
    first = [route for route in ASKS if not route.startswith("DELETE ") and route not in LAST]
    leaves = [route for route in ASKS if route not in (*first, *LAST)]
    got = {route: ask(server, world, route) for route in first}
    # It was restored above; it is purged below.
    server.call("DELETE", f"/models/{world.ids['object_id']}", token=world.token)
    return got | {route: ask(server, world, route) for route in (*leaves, *LAST)}


def ask(server: Server, world: World, route: str) -> int | str:
    asked = ASKS[route](world)
    method, _, path = route.partition(" ")
    token = server.token() if asked.admin else world.token
    whole = path.format(**world.ids | asked.ids) + asked.query
    reply = server.call(method, whole, asked.body, token=token, headers=asked.headers)
    return reply.status if reply.status < 400 else f"{reply.status} {reply.body}"
