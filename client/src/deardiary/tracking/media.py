"""The calls of an iteration that log more than numbers. Each becomes a file; `deardiary.media` encodes it."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

from deardiary.tracking.steps import StepCounter
from deardiary.values import as_step, checked_text

if TYPE_CHECKING:
    from deardiary.media.encoded import Encoded


class MediaLog:
    """Images, figures, tables and other values, as files named ``media/KEY/STEP…``.

    A call encodes the value and writes it into the spool; the upload follows in the background. Without ``step`` each
    key counts its own calls, from 0. TypeError or ValueError for a value that is no such thing. Files with the same
    bytes are stored once.
    """

    _media_steps: StepCounter

    def log_image(
        self,
        key: str,
        image: Any,
        step: SupportsIndex | None = None,
        *,
        caption: str | Sequence[str] = "",
        form: str | None = None,
    ) -> None:
        """Record an image, or a list of images with a list of captions.

        ``image`` is a path, bytes, an image of Pillow, an array or a tensor: (height, width), (height, width, channels)
        or (channels, height, width) with 1 to 4 channels. Floats are from 0 to 1, integers from 0 to 255.
        ``form``, such as "png", names the form of bytes that do not tell it.
        """
        from deardiary.media import image as images

        if not isinstance(image, (list, tuple)):
            self._log_media(key, [images.encode(image, form)], step, [str(caption)], numbered=False)
            return
        captions = [caption] * len(image) if isinstance(caption, str) else [str(each) for each in caption]
        if len(captions) != len(image):
            raise ValueError(f"There are {len(image)} images, and {len(captions)} captions")
        self._log_media(key, [images.encode(each, form) for each in image], step, captions, numbered=True)

    def log_figure(self, key: str, figure: Any, step: SupportsIndex | None = None, *, caption: str = "") -> None:
        """Record a figure of matplotlib as PNG, or one of plotly as a page that loads plotly's script."""
        from deardiary.media import figure as figures

        self._log_one(key, figures.encode(figure), step, caption)

    def log_table(self, key: str, table: Any, step: SupportsIndex | None = None, *, caption: str = "") -> None:
        """Record a table as CSV: a list of dicts, a dict of lists, or a data frame of pandas, polars or arrow."""
        from deardiary.media import table as tables

        self._log_one(key, tables.encode(table), step, caption)

    def log_histogram(
        self,
        key: str,
        values: Any = None,
        step: SupportsIndex | None = None,
        *,
        counts: Sequence[float] | None = None,
        edges: Sequence[float] | None = None,
        bins: int = 64,
        caption: str = "",
    ) -> None:
        """Record how values are distributed: all of them, in ``bins``; or ``counts`` between ``edges``, one more."""
        from deardiary.media import histogram

        self._log_one(key, histogram.encode(values, counts=counts, edges=edges, bins=bins), step, caption)

    def log_text(self, key: str, text: str, step: SupportsIndex | None = None, *, caption: str = "") -> None:
        """Record a text."""
        from deardiary.media import text as texts

        self._log_one(key, texts.encode_text(text), step, caption)

    def log_json(self, key: str, value: Any, step: SupportsIndex | None = None, *, caption: str = "") -> None:
        """Record dicts, lists, numbers and texts; anything else in them as text, by ``str``."""
        from deardiary.media import text as texts

        self._log_one(key, texts.encode_json(value), step, caption)

    def log_html(self, key: str, page: str | Path, step: SupportsIndex | None = None, *, caption: str = "") -> None:
        """Record a page of HTML: its text, or the ``Path`` of its file. The dashboard shows its source."""
        from deardiary.media import text as texts

        self._log_one(key, texts.encode_html(page), step, caption)

    def log_audio(
        self,
        key: str,
        sound: Any,
        step: SupportsIndex | None = None,
        *,
        sample_rate: int | None = None,
        caption: str = "",
        form: str | None = None,
    ) -> None:
        """Record sound: a path, bytes, or an array (samples,) or (samples, channels) with its ``sample_rate`` in hertz.

        Floats are from -1 to 1; integers have 16 bits.
        """
        from deardiary.media import sound as sounds

        self._log_one(key, sounds.encode(sound, sample_rate, form), step, caption)

    def log_video(
        self,
        key: str,
        video: str | PathLike[str] | bytes,
        step: SupportsIndex | None = None,
        *,
        caption: str = "",
        form: str | None = None,
    ) -> None:
        """Record a video: a path, or bytes."""
        from deardiary.media import video as videos

        self._log_one(key, videos.encode(video, form), step, caption)

    def _log_one(self, key: str, encoded: Encoded, step: SupportsIndex | None, caption: str) -> None:
        self._log_media(key, [encoded], step, [caption], numbered=False)

    def _log_media(
        self,
        key: str,
        files: Sequence[Encoded],
        step: SupportsIndex | None,
        captions: Sequence[str],
        *,
        numbered: bool,
    ) -> None:
        from deardiary.media.naming import name_of

        given = as_step(step)
        self._check_running()
        name_of(key, given or 0, "")  # refuses the key before it counts
        checked = [checked_text("caption", each) for each in captions]
        (at,) = self._media_steps.assign([key], given)
        for index, (encoded, caption) in enumerate(zip(files, checked, strict=True)):
            self._keep_media(encoded, name_of(key, at, encoded.suffix, index if numbered else None), caption)

    def _check_running(self) -> None:
        raise NotImplementedError

    def _keep_media(self, encoded: Encoded, name: str, caption: str) -> None:
        raise NotImplementedError
