"""DearDiary's client: log machine-learning experiments to your own server.

The names below are the public interface. They are imported when they are first used, so that ``import deardiary``
costs a script next to nothing.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from deardiary.active import ActiveIteration
    from deardiary.client import Client, connect
    from deardiary.errors import ClientError
    from deardiary.http_transport import HttpTransport
    from deardiary.lifecycle import start
    from deardiary.records import Point
    from deardiary.retries import RetryingTransport
    from deardiary.shapes import (
        ApiToken,
        BatchReceipt,
        Experiment,
        ExperimentStatus,
        Iteration,
        IterationOverview,
        IterationStatus,
        Metric,
        Model,
        ModelVersion,
        Parameter,
        Project,
        Resource,
        Session,
        Snapshot,
        Stage,
        Tag,
        User,
        UserPermission,
    )
    from deardiary.transport import Request, Response, Transport
else:
    _HOMES = {
        "active": ("ActiveIteration",),
        "client": ("Client", "connect"),
        "errors": ("ClientError",),
        "http_transport": ("HttpTransport",),
        "lifecycle": ("start",),
        "records": ("Point",),
        "retries": ("RetryingTransport",),
        "shapes": (
            "ApiToken",
            "BatchReceipt",
            "Experiment",
            "ExperimentStatus",
            "Iteration",
            "IterationOverview",
            "IterationStatus",
            "Metric",
            "Model",
            "ModelVersion",
            "Parameter",
            "Project",
            "Resource",
            "Session",
            "Snapshot",
            "Stage",
            "Tag",
            "User",
            "UserPermission",
        ),
        "transport": ("Request", "Response", "Transport"),
    }
    _HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

    def __getattr__(name):
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})


__all__ = [
    "ActiveIteration",
    "ApiToken",
    "BatchReceipt",
    "Client",
    "ClientError",
    "Experiment",
    "ExperimentStatus",
    "HttpTransport",
    "Iteration",
    "IterationOverview",
    "IterationStatus",
    "Metric",
    "Model",
    "ModelVersion",
    "Parameter",
    "Point",
    "Project",
    "Request",
    "Resource",
    "Response",
    "RetryingTransport",
    "Session",
    "Snapshot",
    "Stage",
    "Tag",
    "Transport",
    "User",
    "UserPermission",
    "connect",
    "start",
]
