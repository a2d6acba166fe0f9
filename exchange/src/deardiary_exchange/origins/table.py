"""The trackers that ``deardiary import`` reads. Each module is imported when it is named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from deardiary_exchange.origins.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``artifacts``: the folder that has the artifacts now. ``step_factor``: what steps are multiplied by."""

    artifacts: Path | None = None
    step_factor: int = 1


@dataclass(frozen=True, slots=True)
class Named:
    """``about``: what the location is. ``usual``: where the tracker keeps its runs by default."""

    about: str
    usual: Callable[[], str | None]
    open: Callable[[str, Options], Origin]


def _mlflow(location: str, options: Options) -> Origin:
    from deardiary_exchange.origins import mlflow

    return mlflow.open_origin(location, options.artifacts)


def _wandb(location: str, options: Options) -> Origin:
    from deardiary_exchange.origins.wandb.offline import Offline

    return Offline(Path(location))


def _wandb_api(location: str, options: Options) -> Origin:
    from deardiary_exchange.origins.wandb.server import Server

    return Server(location)


def _tensorboard(location: str, options: Options) -> Origin:
    from deardiary_exchange.origins.tensorboard import TensorBoard

    return TensorBoard(Path(location))


def _trackio(location: str, options: Options) -> Origin:
    from deardiary_exchange.origins.trackio import Trackio

    return Trackio(Path(location))


def _goodseed(location: str, options: Options) -> Origin:
    from deardiary_exchange.origins.goodseed import GoodSeed

    return GoodSeed(Path(location), options.step_factor)


def _neptune(location: str, options: Options) -> Origin:
    from deardiary_exchange.origins.neptune import Neptune

    return Neptune(Path(location), options.artifacts, options.step_factor)


def _aim(location: str, options: Options) -> Origin:
    from deardiary_exchange.origins.aim import Aim

    return Aim(Path(location), options.artifacts)


def _deardiary_jl(location: str, options: Options) -> Origin:
    from deardiary_exchange.origins.deardiary_jl import DearDiaryJl

    return DearDiaryJl(Path(location))


def _wandb_project() -> str | None:
    entity, project = os.environ.get("WANDB_ENTITY"), os.environ.get("WANDB_PROJECT")
    return f"{entity}/{project}" if entity and project else None


def _of(variable: str, *folder: str) -> Callable[[], str]:
    return lambda: os.environ.get(variable) or str(Path.home().joinpath(*folder))


ORIGINS = {
    "mlflow": Named(
        "a folder mlruns, a SQLite file, or the address of a server",
        lambda: os.environ.get("MLFLOW_TRACKING_URI"),
        _mlflow,
    ),
    "wandb": Named("a folder wandb with offline runs", lambda: "wandb", _wandb),
    "wandb-api": Named("ENTITY/PROJECT of W&B, or the address of a project", _wandb_project, _wandb_api),
    "tensorboard": Named("a log directory", lambda: None, _tensorboard),
    "trackio": Named(
        "Trackio's folder, or its file of a project", _of("TRACKIO_DIR", ".cache", "huggingface", "trackio"), _trackio
    ),
    "goodseed": Named("GoodSeed's folder, or its file of a run", _of("GOODSEED_HOME", ".goodseed"), _goodseed),
    "neptune": Named("a folder that neptune-exporter wrote", lambda: "exports", _neptune),
    "aim": Named("a folder with Aim's .aim", lambda: ".", _aim),
    "deardiary-jl": Named(
        "a file of DearDiary.jl", lambda: os.environ.get("DEARDIARY_DB_FILE") or "deardiary.db", _deardiary_jl
    ),
}
