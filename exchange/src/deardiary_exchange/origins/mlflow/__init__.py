"""Runs of MLflow: of a folder ``mlruns``, a SQLite file or a server."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from deardiary_exchange.origins.mlflow.database import SqliteStore
from deardiary_exchange.origins.mlflow.folder import FolderStore
from deardiary_exchange.origins.mlflow.form import Mlflow, path_of
from deardiary_exchange.origins.mlflow.server import ServerStore
from deardiary_exchange.origins.origin import OriginFailed


def open_origin(location: str, artifacts: Path | None = None) -> Mlflow:
    """What MLFLOW_TRACKING_URI names, or the path of a folder or of a SQLite file. OriginFailed if it is none."""
    if urlsplit(location).scheme in ("http", "https"):
        return Mlflow(ServerStore(location))
    path = Path(path_of(location.removeprefix("sqlite:///")) or "")
    if path.is_dir():
        return Mlflow(FolderStore(path, artifacts))
    if path.is_file():
        return Mlflow(SqliteStore(path, artifacts))
    raise OriginFailed(f"{location} is no folder, no SQLite file and no http(s) address of MLflow")
