"""A function whose every call is an iteration."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from deardiary.lifecycle import start

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def track(
    project: str | None = None, experiment: str | None = None, **options: Any
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: each call of the function runs in an iteration of its own, started as by `start` with these options.

    A function with a parameter called ``iteration`` is given it there, unless the caller gives one.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        wants = "iteration" in inspect.signature(function).parameters

        def given(arguments: dict[str, Any], iteration: object) -> Any:
            return {"iteration": iteration, **arguments} if wants else arguments

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with start(project, experiment, **options) as iteration:
                return function(*args, **given(kwargs, iteration))

        @functools.wraps(function)
        async def run_async(*args: P.args, **kwargs: P.kwargs) -> Any:
            with start(project, experiment, **options) as iteration:
                return await function(*args, **given(kwargs, iteration))  # type: ignore[misc]

        return run_async if inspect.iscoroutinefunction(function) else run  # type: ignore[return-value]

    return decorate
