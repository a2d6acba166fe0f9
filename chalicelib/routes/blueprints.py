"""All routes, in the order in which the OpenAPI document has them."""

from __future__ import annotations

from chalicelib.routes import (
    artifact,
    auth,
    experiment,
    health,
    iteration,
    log,
    metric,
    model,
    modelversion,
    openapi,
    parameter,
    permission,
    project,
    resource,
    search,
    series,
    snapshot,
    tag,
    token,
    upkeep,
    user,
)

BLUEPRINTS = tuple(
    noun.routes
    for noun in (
        health,
        auth,
        token,
        user,
        permission,
        project,
        experiment,
        iteration,
        parameter,
        metric,
        series,
        log,
        tag,
        resource,
        artifact,
        snapshot,
        model,
        modelversion,
        search,
        upkeep,
        openapi,
    )
)
