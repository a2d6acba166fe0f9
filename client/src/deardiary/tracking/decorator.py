"""Run each call of a function in an iteration of its own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from deardiary.tracking.iteration import ActiveIteration
from deardiary.tracking.start import start

# Start the iteration of a call; return it and the keyword arguments for the function.
Begin = Callable[[dict[str, Any]], tuple[ActiveIteration, dict[str, Any]]]

P = ParamSpec("P")
R = TypeVar("R")


def track(
    project: str | None = None, experiment: str | None = None, **options: Any
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function: each call runs in an iteration of its own, started as by `start` with these options.

    A parameter called ``iteration`` receives the iteration, unless the caller passes one. The iteration of a generator
    ends when the generator is exhausted or closed. TypeError for ``@track`` without parentheses.
    """
    if callable(project):
        raise TypeError(
            "Write @deardiary.track(), with parentheses, also where the settings name project and experiment"
        )

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        wants = "iteration" in inspect.signature(function).parameters

        def begin(arguments: dict[str, Any]) -> tuple[ActiveIteration, dict[str, Any]]:
            iteration = start(project, experiment, **options)
            return iteration, {"iteration": iteration, **arguments} if wants else arguments

        wrap = next((wrap for is_such, wrap in _WRAPS if is_such(function)), _plain)
        return functools.wraps(function)(wrap(function, begin))

    return decorate


def _plain(function: Any, begin: Begin) -> Any:
    def run(*args: Any, **kwargs: Any) -> Any:
        iteration, given = begin(kwargs)
        with iteration:
            return function(*args, **given)

    return run


def _coroutine(function: Any, begin: Begin) -> Any:
    async def run(*args: Any, **kwargs: Any) -> Any:
        iteration, given = begin(kwargs)
        with iteration:
            return await function(*args, **given)

    return run


def _generator(function: Any, begin: Begin) -> Any:
    def run(*args: Any, **kwargs: Any) -> Any:
        iteration, given = begin(kwargs)
        with iteration, suppress(GeneratorExit):
            return (yield from function(*args, **given))

    return run


def _asynchronous_generator(function: Any, begin: Begin) -> Any:
    async def run(*args: Any, **kwargs: Any) -> Any:
        iteration, given = begin(kwargs)
        with iteration, suppress(GeneratorExit):
            async for each in function(*args, **given):
                yield each

    return run


_WRAPS: list[tuple[Callable[[Any], bool], Callable[[Any, Begin], Any]]] = [
    (inspect.isgeneratorfunction, _generator),
    (inspect.isasyncgenfunction, _asynchronous_generator),
    (inspect.iscoroutinefunction, _coroutine),
]
