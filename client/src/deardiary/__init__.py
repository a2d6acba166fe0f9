"""DearDiary's client: log machine-learning experiments to your own server.

The names below are the public interface. They are imported when they are first used, so that ``import deardiary``
costs a script next to nothing.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from deardiary import sagemaker as sagemaker
    from deardiary.active import ActiveIteration
    from deardiary.client import Client, connect
    from deardiary.environment.capture import Environment, capture_environment
    from deardiary.environment.restore import Restored, restore
    from deardiary.errors import ClientError
    from deardiary.http_transport import HttpTransport
    from deardiary.lifecycle import start
    from deardiary.records import Point
    from deardiary.retries import RetryingTransport
    from deardiary.shapes import (
        ApiToken,
        BatchReceipt,
        Curve,
        Experiment,
        ExperimentStatus,
        Iteration,
        IterationOverview,
        IterationStatus,
        Metric,
        MetricSummary,
        Model,
        ModelVersion,
        Parameter,
        Project,
        Resource,
        SearchResult,
        Session,
        Snapshot,
        Stage,
        Tag,
        User,
        UserName,
        UserPermission,
    )
    from deardiary.syncing import Synced, sync
    from deardiary.tracking import track
    from deardiary.transport import Request, Response, Transport
else:
    _HOMES = {
        "active": ("ActiveIteration",),
        "client": ("Client", "connect"),
        "environment.capture": ("Environment", "capture_environment"),
        "environment.restore": ("Restored", "restore"),
        "errors": ("ClientError",),
        "http_transport": ("HttpTransport",),
        "lifecycle": ("start",),
        "records": ("Point",),
        "retries": ("RetryingTransport",),
        "shapes": (
            "ApiToken",
            "BatchReceipt",
            "Curve",
            "Experiment",
            "ExperimentStatus",
            "Iteration",
            "IterationOverview",
            "IterationStatus",
            "Metric",
            "MetricSummary",
            "Model",
            "ModelVersion",
            "Parameter",
            "Project",
            "Resource",
            "SearchResult",
            "Session",
            "Snapshot",
            "Stage",
            "Tag",
            "User",
            "UserName",
            "UserPermission",
        ),
        "syncing": ("Synced", "sync"),
        "tracking": ("track",),
        "transport": ("Request", "Response", "Transport"),
    }
    _HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

    def __getattr__(name):
        from importlib import import_module

        if name == "sagemaker":
            return import_module(f"{__name__}.sagemaker")
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
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
    "Curve",
    "Environment",
    "Experiment",
    "ExperimentStatus",
    "HttpTransport",
    "Iteration",
    "IterationOverview",
    "IterationStatus",
    "Metric",
    "MetricSummary",
    "Model",
    "ModelVersion",
    "Parameter",
    "Point",
    "Project",
    "Request",
    "Resource",
    "Response",
    "Restored",
    "RetryingTransport",
    "SearchResult",
    "Session",
    "Snapshot",
    "Stage",
    "Synced",
    "Tag",
    "Transport",
    "User",
    "UserName",
    "UserPermission",
    "capture_environment",
    "connect",
    "restore",
    "start",
    "sync",
    "track",
]
