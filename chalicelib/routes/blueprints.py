"""All modules with routes, and the app that imports them.

Lambda starts a process for few requests, so the deployed app imports a module at the first request for its paths.
`index.MODULES` says which. Where that is empty, as in the sources, the app imports all modules at once.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from chalice.app import Blueprint, Chalice

from chalicelib import config
from chalicelib.routes import index
from chalicelib.routes.http.endpoint import Routes
from chalicelib.routes.http.face import Face

# In the order of the OpenAPI document. A new module needs no other entry.
MODULES = (
    "health",
    "auth",
    "preferences",
    "token",
    "identity",
    "user",
    "subject",
    "permission",
    "group",
    "project",
    "view",
    "share",
    "experiment",
    "iteration",
    "bulk",
    "study",
    "change",
    "parameter",
    "input",
    "metric",
    "series",
    "log",
    "alert",
    "alertrule",
    "command",
    "output",
    "tag",
    "resource",
    "artifact",
    "snapshot",
    "model",
    "modelversion",
    "alias",
    "search",
    "activity",
    "trash",
    "upkeep",
    "openapi",
    "pages.docs",
    "pages.ui",
    "pages.oidc",
    "mlflow.door",
)


# The function that captures SageMaker jobs exists only where the settings name a project for them.
CAPTURE = "capture"


class App(Chalice):
    """A Chalice app that registers a module's routes when the module is imported."""

    def __init__(self) -> None:
        # Chalice's own handler would swallow the warnings of the client, whose logger has the same name.
        super().__init__(app_name="deardiary", configure_logs=False)
        self._registered: set[str] = set()
        if not index.MODULES:
            self._register(wanted())

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Answer an event of the API Gateway."""
        wanted = index.MODULES.get(event["requestContext"]["resourcePath"], ())
        if not self._registered.issuperset(wanted):
            self._register(wanted)
        return super().__call__(event, context)

    def _register(self, modules: Iterable[str]) -> None:
        # Almost all that an import creates stays: the collector would search it in vain, for 7 % of a cold start.
        gc.disable()
        for module in modules:
            if module not in self._registered:
                self.register_blueprint(load(module))
                self._registered.add(module)
        # Later collections skip these objects.
        gc.freeze()
        gc.enable()


def wanted() -> tuple[str, ...]:
    """All modules that the settings ask for."""
    return (*MODULES, CAPTURE) if config.settings().capture_sagemaker else MODULES


def full_name(module: str) -> str:
    return f"{__package__}.{module}"


def load(module: str) -> Blueprint:
    """The blueprint of one module, which is imported at the first call."""
    blueprint: Blueprint = import_module(full_name(module)).routes
    return blueprint


def load_all() -> list[Blueprint]:
    """The blueprints of all modules, in the order of `MODULES`."""
    return [load(module) for module in MODULES]


def faces() -> tuple[Face, ...]:
    """All faces, each with all its operations."""
    found = tuple(dict.fromkeys(routes.face for routes in load_all() if isinstance(routes, Routes)))
    for face in found:
        face.load()
    return found
