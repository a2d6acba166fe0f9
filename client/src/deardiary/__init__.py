"""DearDiary's client: log machine-learning experiments to your own server.

The names below are the public interface. Each is imported at its first use, so that ``import deardiary`` is fast.
"""

from typing import TYPE_CHECKING

from deardiary.__version__ import __version__ as __version__

__all__ = [
    "ActiveIteration",
    "Activity",
    "ApiToken",
    "BatchReceipt",
    "ChangedIterations",
    "Client",
    "ClientError",
    "Command",
    "Conflict",
    "ConnectionFailed",
    "Curve",
    "DependentVersion",
    "Environment",
    "Experiment",
    "ExperimentStatus",
    "FlushReceipt",
    "Forbidden",
    "Health",
    "HttpTransport",
    "Input",
    "Invalid",
    "Iteration",
    "IterationOverview",
    "IterationStatus",
    "Me",
    "Member",
    "Metric",
    "MetricSummary",
    "Model",
    "ModelVersion",
    "NotFound",
    "OutputGap",
    "OutputLine",
    "OutputPage",
    "Overloaded",
    "Parameter",
    "PendingCommand",
    "Point",
    "Project",
    "Request",
    "Resource",
    "Response",
    "Restored",
    "RetryingTransport",
    "SearchResult",
    "Session",
    "Share",
    "Snapshot",
    "Stage",
    "Synced",
    "Tag",
    "Transport",
    "Trashed",
    "Unauthorized",
    "User",
    "UserName",
    "UserPermission",
    "View",
    "capture_environment",
    "connect",
    "restore",
    "start",
    "sync",
    "track",
]

if TYPE_CHECKING:
    from deardiary import sagemaker as sagemaker
    from deardiary.client import Client, connect
    from deardiary.entities.records import Point
    from deardiary.environment.capture import Environment, capture_environment
    from deardiary.environment.restore import Restored, restore
    from deardiary.errors import (
        ClientError,
        Conflict,
        ConnectionFailed,
        Forbidden,
        Invalid,
        NotFound,
        Overloaded,
        Unauthorized,
    )
    from deardiary.http.default import HttpTransport
    from deardiary.http.retries import RetryingTransport
    from deardiary.http.transport import Request, Response, Transport
    from deardiary.sending.sync import Synced, sync
    from deardiary.tracking.decorator import track
    from deardiary.tracking.iteration import ActiveIteration
    from deardiary.tracking.start import start
    from deardiary.wire.shapes import (
        Activity,
        ApiToken,
        BatchReceipt,
        ChangedIterations,
        Command,
        Curve,
        DependentVersion,
        Experiment,
        ExperimentStatus,
        FlushReceipt,
        Health,
        Input,
        Iteration,
        IterationOverview,
        IterationStatus,
        Me,
        Member,
        Metric,
        MetricSummary,
        Model,
        ModelVersion,
        OutputGap,
        OutputLine,
        OutputPage,
        Parameter,
        PendingCommand,
        Project,
        Resource,
        SearchResult,
        Session,
        Share,
        Snapshot,
        Stage,
        Tag,
        Trashed,
        User,
        UserName,
        UserPermission,
        View,
    )
else:
    _HOMES = {
        "tracking.iteration": ("ActiveIteration",),
        "client": ("Client", "connect"),
        "environment.capture": ("Environment", "capture_environment"),
        "environment.restore": ("Restored", "restore"),
        "errors": (
            "ClientError",
            "Conflict",
            "ConnectionFailed",
            "Forbidden",
            "Invalid",
            "NotFound",
            "Overloaded",
            "Unauthorized",
        ),
        "http.default": ("HttpTransport",),
        "tracking.start": ("start",),
        "entities.records": ("Point",),
        "http.retries": ("RetryingTransport",),
        "sending.sync": ("Synced", "sync"),
        "tracking.decorator": ("track",),
        "http.transport": ("Request", "Response", "Transport"),
    }
    _HOME_OF = dict.fromkeys(__all__, "wire.shapes") | {name: home for home, names in _HOMES.items() for name in names}

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
