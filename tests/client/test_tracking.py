from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import ActiveIteration, IterationStatus
from tests.support.transports import FakeServer, client_of, experiment, iteration, page, project, taken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from deardiary import Client


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.answers = {
        "GET /projects": (200, page(project())),
        "GET /projects/p1/experiments": (200, page(experiment())),
        "POST /experiments/e1/iterations": (201, iteration()),
        "POST /iterations/i1/log": taken,
        "PATCH /iterations/i1": (200, iteration()),
    }
    return server


@pytest.fixture
def client(server: FakeServer) -> Client:
    return client_of(server)


def statuses(server: FakeServer) -> list[int]:
    return [body["status_id"] for body in server.bodies("PATCH /iterations/i1")]


def test_every_call_is_an_iteration(server: FakeServer, client: Client) -> None:
    @deardiary.track("Iris", "sweep", tags=["t"], client=client)
    def double(number: int) -> int:
        """Return the double."""
        return number * 2

    assert (double(2), double(3), double.__name__, double.__doc__) == (4, 6, "double", "Return the double.")
    assert statuses(server) == [IterationStatus.SUCCEEDED] * 2


def test_a_function_that_asks_for_the_iteration_gets_it(server: FakeServer, client: Client) -> None:
    @deardiary.track("Iris", "sweep", client=client)
    def train(rate: float, iteration: ActiveIteration | None = None) -> None:
        assert iteration is not None
        iteration.log({"rate": rate})

    train(0.5)
    assert server.bodies("POST /iterations/i1/log")[0]["metrics"]["rate"]["value"] == [0.5]


def test_a_failure_is_recorded_and_goes_on(server: FakeServer, client: Client) -> None:
    @deardiary.track("Iris", "sweep", client=client)
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert statuses(server) == [IterationStatus.FAILED]


def test_a_coroutine_is_an_iteration_until_it_is_done(server: FakeServer, client: Client) -> None:
    @deardiary.track("Iris", "sweep", client=client)
    async def train() -> int:
        assert statuses(server) == []
        await asyncio.sleep(0)
        return 7

    assert asyncio.run(train()) == 7
    assert statuses(server) == [IterationStatus.SUCCEEDED]


def test_a_generator_is_an_iteration_until_it_is_done(server: FakeServer, client: Client) -> None:
    @deardiary.track("Iris", "sweep", client=client)
    def epochs(iteration: ActiveIteration | None = None) -> Iterator[int]:
        assert iteration is not None
        for epoch in range(3):
            iteration.log({"epoch": epoch})
            yield epoch

    @deardiary.track("Iris", "sweep", client=client)
    def fail() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    assert list(epochs()) == [0, 1, 2]
    assert statuses(server) == [IterationStatus.SUCCEEDED]
    with pytest.raises(ZeroDivisionError):
        list(fail())
    begun = epochs()
    assert next(begun) == 0
    begun.close()  # type: ignore[attr-defined]
    assert statuses(server) == [IterationStatus.SUCCEEDED, IterationStatus.FAILED, IterationStatus.SUCCEEDED]


def test_an_asynchronous_generator_is_an_iteration_until_it_is_done(server: FakeServer, client: Client) -> None:
    @deardiary.track("Iris", "sweep", client=client)
    async def epochs() -> AsyncIterator[int]:
        assert statuses(server) == []
        yield 1

    async def read() -> list[int]:
        return [each async for each in epochs()]

    assert asyncio.run(read()) == [1]
    assert statuses(server) == [IterationStatus.SUCCEEDED]


def test_parentheses_are_asked_for() -> None:
    with pytest.raises(TypeError, match="parentheses"):
        deardiary.track(print)  # type: ignore[arg-type]
