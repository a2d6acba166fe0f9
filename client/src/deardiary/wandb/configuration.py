"""The settings of a run, by name or attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deardiary.nested import flat
from deardiary.values import as_texts
from deardiary.wandb.errors import UsageError
from deardiary.wandb.summaries import Values


class Config(Values):
    """The values are those that were set; nested dicts are recorded as parameters joined by dots.

    A value is recorded when it is first set. UsageError if it is set to another one later, unless that is allowed; then
    the later value is recorded as a label ``config/KEY``, for parameters do not change.
    """

    def __init__(self, record: Callable[[dict[str, str]], object], relabel: Callable[[dict[str, str]], object]) -> None:
        object.__setattr__(self, "_record", record)
        object.__setattr__(self, "_relabel", relabel)
        super().__init__()

    def update(  # type: ignore[override]
        self,
        values: Any = (),
        allow_val_change: bool | None = None,
        **more: Any,
    ) -> None:
        """Set a dict, a namespace of argparse, a dataclass or the like."""
        given = named(values) | more
        changed = {key: value for key, value in given.items() if key in self._values and self._values[key] != value}
        if changed and not allow_val_change:
            name, value = next(iter(changed.items()))
            raise UsageError(
                f"config.{name} is {self._values[name]!r} and is to become {value!r}: give allow_val_change=True"
            )
        new = {key: value for key, value in given.items() if key not in self._values}
        # Both before the first change: a key that cannot be recorded leaves all as it was.
        texts, labels = as_texts(new), {f"config/{key}": text for key, text in as_texts(changed).items()}
        if texts:
            self._record(texts)
        if labels:
            self._relabel(labels)
        self._values.update(given)

    def setdefaults(self, values: Any) -> dict[str, Any]:
        """Set those that are not set."""
        self.update({key: value for key, value in _one_level(values).items() if key not in self._values})
        return self.as_dict()

    def as_dict(self) -> dict[str, Any]:
        return dict(self._values)

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        raise UsageError(f"config.{key} is recorded, and stays")


def named(values: Any) -> dict[str, Any]:
    """The values by their keys, as `Config.update` takes them."""
    return {str(key): value for key, value in _one_level(values).items() if not str(key).startswith("__")}


def _one_level(values: Any) -> Mapping[Any, Any]:
    """Dicts as they are, with nested ones inside; objects flattened."""
    return values if isinstance(values, Mapping) else dict(values) if values == () else flat(values)
