"""Inputs: what an iteration has read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from deardiary.api import Calls, path_of, present
from deardiary.wire.shapes import Input

Kind = Literal["dataset", "resource", "model"]


class Inputs(Calls):
    def create(
        self,
        iteration_id: str,
        kind: Kind,
        name: str = "",
        *,
        digest: str = "",
        source: str = "",
        source_type: str = "",
        context: str = "",
        resource_id: str | None = None,
        modelversion_id: str | None = None,
        description: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> Input:
        """Record that the iteration has read a dataset, a resource or a model version of its project.

        Repeating the same kind, name, digest, context and reference returns the same input. A resource or version gives
        its name and digest where the call does not.
        """
        body = present(
            kind=kind,
            name=name,
            digest=digest,
            source=source,
            source_type=source_type,
            context=context,
            resource_id=resource_id,
            modelversion_id=modelversion_id,
            description=description,
            labels=None if labels is None else dict(labels),
        )
        return self._api.post(Input, path_of("iterations", iteration_id, "inputs"), body, repeatable=True)

    def list(self, iteration_id: str) -> Iterator[Input]:
        return self._api.pages(Input, path_of("iterations", iteration_id, "inputs"))

    def delete(self, iteration_id: str, input_id: str) -> None:
        self._api.delete(path_of("iterations", iteration_id, "inputs", input_id))
