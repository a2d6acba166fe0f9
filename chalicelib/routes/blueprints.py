"""All routes, in the order of the OpenAPI document, and all faces that they belong to."""

from __future__ import annotations

from chalicelib.routes import (
    activity,
    alias,
    artifact,
    auth,
    bulk,
    change,
    command,
    experiment,
    health,
    iteration,
    log,
    metric,
    model,
    modelversion,
    openapi,
    output,
    parameter,
    permission,
    preferences,
    project,
    resource,
    search,
    series,
    snapshot,
    tag,
    token,
    trash,
    upkeep,
    user,
    view,
)
from chalicelib.routes import input as inputs
from chalicelib.routes.http.endpoint import Routes
from chalicelib.routes.pages import docs, ui

BLUEPRINTS = tuple(
    noun.routes
    for noun in (
        health,
        auth,
        preferences,
        token,
        user,
        permission,
        project,
        view,
        experiment,
        iteration,
        bulk,
        change,
        parameter,
        inputs,
        metric,
        series,
        log,
        command,
        output,
        tag,
        resource,
        artifact,
        snapshot,
        model,
        modelversion,
        alias,
        search,
        activity,
        trash,
        upkeep,
        openapi,
        docs,
        ui,
    )
)

FACES = tuple(dict.fromkeys(routes.face for routes in BLUEPRINTS if isinstance(routes, Routes)))
