"""An iteration while its work is being done."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import secrets
from datetime import datetime, timezone
from typing import TYPE_CHECKING, SupportsIndex

from deardiary import outcome, registry
from deardiary.records import Point, Record
from deardiary.shapes import Iteration, IterationStatus, ModelVersion, Resource
from deardiary.sink import DirectSink, Sink
from deardiary.steps import StepCounter
from deardiary.values import Number, as_floats, as_step, as_tags, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike
    from types import TracebackType

    from deardiary.client import Client


class ActiveIteration:
    """A running iteration, to log into; several threads may share it.

    As a context manager it ends SUCCEEDED after a clean exit, KILLED after KeyboardInterrupt, and FAILED with the
    traceback after any other exception, which goes on unchanged. Every call may raise `ClientError`, and RuntimeError
    once the iteration has ended.
    """

    def __init__(
        self, client: Client, iteration: Iteration, *, sink: Sink, steps: StepCounter | None, owns_client: bool
    ) -> None:
        """Without ``steps`` the server counts them. ``owns_client``: disconnect when the iteration ends."""
        self._client = client
        self._iteration = iteration
        self._sink = sink
        self._owns_client = owns_client
        self._steps = steps
        self._ended = False

    @property
    def id(self) -> str:
        return self._iteration.id

    @property
    def experiment_id(self) -> str:
        return self._iteration.experiment_id

    @property
    def client(self) -> Client:
        return self._client

    def log(
        self, metrics: Mapping[str, Number], step: SupportsIndex | None = None, *, recorded_at: datetime | None = None
    ) -> None:
        """Record one value for each key, at ``step``, or at the next step of each key when that is not given.

        Values are what `values.as_floats` takes; a value that is not one number raises TypeError or ValueError and
        nothing of the call is recorded. ``recorded_at`` defaults to now.
        """
        values, given = as_floats(metrics), as_step(step)
        at = recorded_at or datetime.now(timezone.utc)
        steps = self._steps.assign(values, given) if self._steps else dict.fromkeys(values, given)
        points = tuple(Point(key, value, steps[key], at) for key, value in values.items())
        self.write(Record(iteration_id=self.id, points=points))

    def write(self, record: Record) -> None:
        self._check_running()
        self._sink.write(record)

    def log_parameters(self, parameters: Mapping[str, object]) -> None:
        """Record settings, as text made by ``str``. A key that is there with another value is a 409 CONFLICT."""
        self.write(Record(iteration_id=self.id, parameters=as_texts(parameters)))

    def add_tag(self, tag: str) -> None:
        self.add_tags([tag])

    def add_tags(self, tags: Iterable[str]) -> None:
        self.write(Record(iteration_id=self.id, tags=as_tags(tags)))

    def log_resource(self, path: str | PathLike[str], name: str | None = None, description: str = "") -> Resource:
        """Store a file; it is there, checked, when this returns."""
        self._check_running()
        return self._client.resources.upload(
            self.experiment_id, path, name, iteration_id=self.id, description=description
        )

    def register_model(self, name: str, resource: str | PathLike[str], description: str = "") -> ModelVersion:
        """A new version of the project's model of that name, which is made if there is none.

        ``resource`` names a resource of this iteration, the latest if there are several, or else a file to upload.
        """
        self._check_running()
        return registry.register(self._client, self._iteration, name, resource, description)

    def child(
        self,
        *,
        parameters: Mapping[str, object] | None = None,
        tags: Iterable[str] = (),
        notes: str = "",
        id_key: str | None = None,
    ) -> ActiveIteration:
        """A new iteration of the same experiment, with this one as its parent."""
        first = Record(iteration_id="", parameters=as_texts(parameters or {}), tags=as_tags(tags))
        return begin(self._client, self.experiment_id, first, notes=notes, parent_id=self.id, id_key=id_key)

    def finish(self, status: IterationStatus = IterationStatus.SUCCEEDED, error_message: str = "") -> None:
        """End the iteration, which locks it; again is no error and changes nothing."""
        if self._ended:
            return
        self._sink.close()
        self._client.iterations.update(self.id, status_id=status, error_message=error_message or None)
        self._ended = True
        if self._owns_client:
            self._client.disconnect()

    def __enter__(self) -> ActiveIteration:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.finish(outcome.status_of(error), outcome.message_of(error))
        except Exception:
            if error is None:
                raise
            # The user's own exception is on its way out, and what went wrong after it must not take its place.
            logging.getLogger(__name__).warning("The end of iteration %s was not recorded", self.id, exc_info=True)

    def _check_running(self) -> None:
        if self._ended:
            raise RuntimeError(f"Iteration {self.id} has ended; nothing more can be logged into it")


def begin(
    client: Client,
    experiment_id: str,
    first: Record,
    *,
    notes: str = "",
    parent_id: str | None = None,
    id_key: str | None = None,
    owns_client: bool = False,
) -> ActiveIteration:
    """A new iteration with the parameters and tags of ``first``; one that cannot take them is left FAILED."""
    iteration = client.iterations.create(
        experiment_id,
        notes=notes,
        parent_iteration_id=parent_id,
        id_key=id_key or secrets.token_hex(16),  # so that a lost answer is asked for again, and makes no second one
    )
    # Under a key of the user's, another process may have logged before: where its series stand, the server knows.
    steps = None if id_key else StepCounter()
    active = ActiveIteration(
        client, iteration, sink=DirectSink(client.iterations), steps=steps, owns_client=owns_client
    )
    with contextlib.ExitStack() as failed:
        failed.push(active)
        active.write(dataclasses.replace(first, iteration_id=iteration.id))
        failed.pop_all()
    return active
