"""The functions of Weights & Biases' client that training scripts use, on DearDiary.

Write ``import deardiary.wandb as wandb`` in place of ``import wandb``. docs/wandb.md lists what there is, and what each
call becomes. A name that is not there raises AttributeError.
"""

from __future__ import annotations

import importlib
from typing import Any

from deardiary.wandb import state
from deardiary.wandb.active import Run
from deardiary.wandb.artifact import Artifact
from deardiary.wandb.data import Audio, Histogram, Html, Image, Plotly, Table, Video
from deardiary.wandb.errors import Error, UsageError
from deardiary.wandb.setting import Settings, init, login, setup

__all__ = [
    "Artifact",
    "Audio",
    "Error",
    "Histogram",
    "Html",
    "Image",
    "Plotly",
    "Run",
    "Settings",
    "Table",
    "UsageError",
    "Video",
    "finish",
    "init",
    "login",
    "setup",
]

# Found by `__getattr__`: they belong to the current run.
run: Any
config: Any
summary: Any

# The calls of the current run that are functions of the module too.
_OF_RUN = frozenset(
    (
        *("alert", "define_metric", "log", "log_artifact", "log_code", "log_model", "mark_preempting", "restore"),
        *("save", "unwatch", "use_artifact", "use_model", "watch"),
    )
)
_OF_STATE = frozenset(("run", "config", "summary"))
_MODULES = frozenset(("keras", "lightgbm", "plot", "sklearn", "xgboost"))


def finish(exit_code: int | None = None, quiet: bool | None = None) -> None:
    """End the current run, if there is one."""
    if state.run is not None:
        state.run.finish(exit_code)


def __getattr__(name: str) -> Any:
    if name == "run":
        return state.run
    if name in _OF_STATE:
        return getattr(state.current(f"wandb.{name}"), name)
    if name in _OF_RUN:
        return getattr(state.current(f"wandb.{name}()"), name)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"deardiary.wandb has no {name!r}: docs/wandb.md lists what there is")


def __dir__() -> list[str]:
    return sorted({*globals(), *_OF_RUN, *_OF_STATE, *_MODULES})
