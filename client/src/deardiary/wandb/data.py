"""Values that are more than numbers. Each logs itself into an iteration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deardiary.media.image import as_array
from deardiary.tracking.iteration import ActiveIteration


class Value:
    """Something to log that is no number."""

    def log_into(self, iteration: ActiveIteration, key: str, step: int | None) -> None:
        raise NotImplementedError


class Image(Value):
    """A path, an array, a tensor, an image of Pillow or a figure of matplotlib. Boxes and masks are left out.

    Arrays of floats beyond 0 to 1 are scaled to their range, and those of integers are from 0 to 255, as in wandb.
    """

    def __init__(
        self,
        data_or_path: Any,
        mode: str | None = None,
        caption: str | None = None,
        **_left_out: Any,
    ) -> None:
        self.image: Any = data_or_path.image if isinstance(data_or_path, Image) else _scaled(data_or_path)
        self.caption = str(caption or "")

    def log_into(self, iteration: ActiveIteration, key: str, step: int | None) -> None:
        if hasattr(self.image, "savefig"):
            iteration.log_figure(key, self.image, step, caption=self.caption)
        else:
            iteration.log_image(key, self.image, step, caption=self.caption)


def _scaled(image: Any) -> Any:
    if not (hasattr(image, "detach") or hasattr(image, "__array_interface__")) or hasattr(image, "mode"):
        return image
    values = as_array(image)
    if values.dtype.kind != "f" or not values.size:
        return image
    low, high = values.min(), values.max()
    if low >= 0 and high <= 1:
        return image
    scaled = (values - low) / (high - low if high > low else 1)
    return scaled.transpose(1, 2, 0) if hasattr(image, "detach") and _has_channels_first(scaled) else scaled


def _has_channels_first(values: Any) -> bool:
    return bool(values.ndim == 3 and values.shape[0] <= 4)


class Histogram(Value):
    """The distribution of values, or an ``np_histogram`` of counts and edges."""

    def __init__(self, sequence: Any = None, np_histogram: Any = None, num_bins: int = 64) -> None:
        self.values, self.counted, self.bins = sequence, np_histogram, num_bins

    def log_into(self, iteration: ActiveIteration, key: str, step: int | None) -> None:
        if self.counted is None:
            iteration.log_histogram(key, self.values, step, bins=self.bins)
        else:
            counts, edges = self.counted
            iteration.log_histogram(key, None, step, counts=list(counts), edges=list(edges))


class Audio(Value):
    """A path, or an array with its ``sample_rate``."""

    def __init__(self, data_or_path: Any, sample_rate: int | None = None, caption: str | None = None) -> None:
        self.sound, self.sample_rate, self.caption = data_or_path, sample_rate, str(caption or "")

    def log_into(self, iteration: ActiveIteration, key: str, step: int | None) -> None:
        iteration.log_audio(key, self.sound, step, sample_rate=self.sample_rate, caption=self.caption)


class Video(Value):
    """A path or bytes. Frames as an array are refused: imageio writes them into a file."""

    def __init__(
        self,
        data_or_path: Any,
        caption: str | None = None,
        fps: int | None = None,
        format: str | None = None,
    ) -> None:
        self.video, self.caption, self.form = data_or_path, str(caption or ""), format

    def log_into(self, iteration: ActiveIteration, key: str, step: int | None) -> None:
        read = getattr(self.video, "read", None)
        video = read() if callable(read) else self.video
        iteration.log_video(key, video, step, caption=self.caption, form=self.form)


class Html(Value):
    """A page, as text, as a path that ends in .html, or as a file that is open."""

    def __init__(self, data: Any, inject: bool = True, caption: str | None = None) -> None:
        is_path = isinstance(data, Path) or (isinstance(data, str) and data.endswith(".html"))
        self.page = Path(data) if is_path else data.read() if hasattr(data, "read") else data
        self.caption = str(caption or "")

    def log_into(self, iteration: ActiveIteration, key: str, step: int | None) -> None:
        iteration.log_html(key, self.page, step, caption=self.caption)


class Plotly(Value):
    """A figure of plotly, or of matplotlib."""

    def __init__(self, val: Any) -> None:
        self.figure = val

    def log_into(self, iteration: ActiveIteration, key: str, step: int | None) -> None:
        iteration.log_figure(key, self.figure, step)


class Table(Value):
    """Rows with named columns. Images and other values in it become files of their own, named in their field."""

    def __init__(
        self,
        columns: Sequence[Any] | None = None,
        data: Any = None,
        rows: Any = None,
        dataframe: Any = None,
        **_left_out: Any,
    ) -> None:
        given = data if data is not None else rows
        frame = dataframe if dataframe is not None else given if hasattr(given, "itertuples") else None
        if frame is not None:
            columns = list(frame.columns) if columns is None else columns
            given = frame.itertuples(index=False, name=None)
        self.columns = [str(each) for each in (("Input", "Output", "Expected") if columns is None else columns)]
        self.data = [self._checked(row) for row in (() if given is None else given)]

    def add_data(self, *data: Any) -> None:
        self.data.append(self._checked(data))

    def add_row(self, *row: Any) -> None:
        self.add_data(*row)

    def add_column(self, name: str, data: Sequence[Any]) -> None:
        """ValueError if it has another length than the table, which may be empty."""
        if self.data and len(data) != len(self.data):
            raise ValueError(f"The column {name!r} has {len(data)} rows, the table {len(self.data)}")
        rows = self.data or [[] for _ in data]
        self.columns.append(str(name))
        self.data = [[*row, each] for row, each in zip(rows, data, strict=True)]

    def get_column(self, name: str) -> list[Any]:
        at = self.columns.index(name)
        return [row[at] for row in self.data]

    def _checked(self, row: Any) -> list[Any]:
        fields = list(row)
        if len(fields) != len(self.columns):
            raise ValueError(f"A row of this table has {len(self.columns)} fields, not {len(fields)}")
        return fields

    def log_into(self, iteration: ActiveIteration, key: str, step: int | None) -> None:
        rows = [
            {name: self._field(iteration, key, name, value) for name, value in zip(self.columns, row, strict=True)}
            for row in self.data
        ]
        iteration.log_table(key, rows or {name: [] for name in self.columns}, step)

    @staticmethod
    def _field(iteration: ActiveIteration, key: str, column: str, value: Any) -> Any:
        if not isinstance(value, Value):
            item = getattr(value, "item", None)
            return item() if callable(item) and getattr(value, "size", None) == 1 else value
        value.log_into(iteration, f"{key}/{column}", None)
        return f"media/{key}/{column}"
