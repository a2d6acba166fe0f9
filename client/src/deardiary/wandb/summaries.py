"""Values by key or attribute: the last value of each metric, and values set by the program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any


class Values(MutableMapping[str, Any]):
    """Values by key; each is an attribute too."""

    def __init__(self) -> None:
        object.__setattr__(self, "_values", {})

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__.lower()} has no {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __repr__(self) -> str:
        return repr(self._values)


class Summary(Values):
    """What the program logged last, by key. A value that is set is logged: see `Run.set_summary`."""

    def __init__(self, record: Callable[[str, Any], object]) -> None:
        object.__setattr__(self, "_record", record)
        super().__init__()

    def note(self, values: dict[str, Any]) -> None:
        """Remember what was logged."""
        self._values.update(values)

    def __setitem__(self, key: str, value: Any) -> None:
        self._record(key, value)
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._values[key]
