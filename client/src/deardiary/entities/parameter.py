"""Parameters of an iteration."""

from __future__ import annotations

from collections.abc import Iterator

from deardiary.api import Calls, path_of
from deardiary.wire.shapes import Parameter


class Parameters(Calls):
    def create(self, iteration_id: str, key: str, value: str) -> Parameter:
        """Set a parameter. Repeating the same value changes nothing; another value raises ClientError 409 CONFLICT."""
        path = path_of("iterations", iteration_id, "parameters")
        return self._api.post(Parameter, path, {"key": key, "value": value}, repeatable=True)

    def get(self, parameter_id: str) -> Parameter:
        return self._api.get(Parameter, path_of("parameters", parameter_id))

    def list(self, iteration_id: str) -> Iterator[Parameter]:
        return self._api.pages(Parameter, path_of("iterations", iteration_id, "parameters"))

    def update(self, parameter_id: str, value: str) -> Parameter:
        return self._api.patch(Parameter, path_of("parameters", parameter_id), {"value": value})

    def delete(self, parameter_id: str) -> None:
        self._api.delete(path_of("parameters", parameter_id))
