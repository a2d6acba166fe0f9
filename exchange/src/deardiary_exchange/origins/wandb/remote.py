"""One run on W&B's server, read once into a temporary folder."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from deardiary.wire.times import parse_time, to_milliseconds
from deardiary_exchange.origins import media
from deardiary_exchange.origins.origin import number
from deardiary_exchange.origins.wandb.form import Alert, Reading, Row, Sample
from deardiary_exchange.origins.wandb.state import leaves, row_of
from deardiary_exchange.runs import File, Line, Unreadable

# Rows of one request. W&B keeps the load of the machine as samples, and gives at most so many of them.
_ROWS, _SAMPLES = 1000, 10_000
_LINES, _FILES = 5000, 200
# W&B lists the manifests of a run's artifacts among its files.
_MANIFEST = re.compile(r"artifact/\d+/wandb_manifest.*\.json")
_GONE = re.compile(r"\b404\b")


@contextmanager
def asking(about: str) -> Iterator[None]:
    """Unreadable, instead of the many errors that wandb raises: it has already waited and asked again.

    FileNotFoundError for a file that W&B no longer has.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, FileNotFoundError) or not _is_of_wandb(error):
            raise
        if _GONE.search(str(error)):
            raise FileNotFoundError(f"{about}: W&B answers: {error}") from error
        raise Unreadable(f"{about}: W&B answers: {error}") from error


def _is_of_wandb(error: Exception) -> bool:
    return isinstance(error, ValueError) or type(error).__module__.startswith(("wandb", "requests", "urllib3"))


def each_of(pages: Any) -> Iterator[Any]:
    """The items of a list of wandb, which would keep all pages that it has read."""
    for item in pages:
        if pages.index == len(pages.objects) - 1:
            pages.objects.clear()
            pages.index = -1
        yield item


def time_of(text: str) -> datetime:
    """A time of W&B, whose fractions have any number of digits."""
    return parse_time(re.sub(r"\.(\d+)", lambda found: "." + found[1][:6].ljust(6, "0"), text))


def console_of(run: Any, last: int) -> list[Any]:
    """The last lines of the console; none if the server is too old."""
    try:
        return list(run.console_logs(last=last))
    except Exception as error:
        if type(error).__name__ != "CommError":
            raise
        return []


class Remote(Reading):
    """History and samples are kept as lines of JSON, and each file only until it is taken."""

    def __init__(self, run: Any) -> None:
        super().__init__()
        self._run = run
        self._folder = Path(tempfile.mkdtemp(prefix="deardiary-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._rows, self._samples = self._folder / "history.jsonl", self._folder / "samples.jsonl"
        self._files = self._folder / "files"

    def read_history(self, take: Callable[[Row], object]) -> None:
        """Read the rows and samples of W&B, in pages."""
        count = int(self._run.history_line_count or 0)
        pages = _page_of((self._run.history_keys or {}).get("lastStep", -1), count)
        if self._spool(pages, take) < count and pages > _ROWS:
            self._spool(_ROWS, take)  # W&B leaves rows out of a page that has too many
        samples = self._run.history(stream="system", samples=_SAMPLES, pandas=False)
        if len(samples) >= _SAMPLES:
            self.damage.append(f"some of the system metrics: W&B gives at most {_SAMPLES} samples")
        with self._samples.open("w") as file:
            file.writelines(f"{json.dumps(each)}\n" for each in samples)

    def _spool(self, pages: int, take: Callable[[Row], object]) -> int:
        count = 0
        with self._rows.open("w") as file:
            rows = once(self._run.scan_history(page_size=pages), pages)
            for count, row in enumerate(rows, 1):  # noqa: B007 - the last one
                file.write(f"{json.dumps(row)}\n")
                take(Row(*row_of(row)))
        return count

    def entries(self) -> Iterator[Row | Sample | Alert]:
        for row in _read(self._rows):
            yield Row(*row_of(row))
        for sample in _read(self._samples):
            if "_timestamp" in sample:
                found = {key.removeprefix("system."): value for key, value in sample.items() if key[0] != "_"}
                yield Sample(round(float(sample["_timestamp"]) * 1000), found)

    def lines(self) -> Iterator[Line]:
        first = next(iter(console_of(self._run, last=1)), None)
        return self._written() if first is None else self._printed()

    def _printed(self) -> Iterator[Line]:
        with asking("console"):
            time_ms = 0
            for line in each_of(self._run.console_logs(per_page=_LINES)):
                time_ms = to_milliseconds(line.timestamp) if line.timestamp else time_ms
                yield Line("stderr" if line.level == "error" else "stdout", line.content.rstrip("\r"), time_ms)

    def _written(self) -> Iterator[Line]:
        """The lines of ``output.log``, which has no times: an old server gives no others."""
        try:
            path = self.path_of("output.log")
        except FileNotFoundError:
            return
        time_ms = to_milliseconds(time_of(self._run.created_at))
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                yield Line("stdout", line.rstrip("\r\n"), time_ms)

    def path_of(self, name: str) -> Path:
        with asking(f"file {name}"):
            found = next(iter(self._run.files(names=[name])), None)
            if found is None:
                raise FileNotFoundError(f"W&B does not have {name}")
            return self._downloaded(found)

    def saved(self, taken: set[str]) -> Iterator[File]:
        with asking("files"):
            for found in each_of(self._run.files(per_page=_FILES)):
                if found.name not in taken and not _MANIFEST.fullmatch(found.name):
                    yield self._saved(found)

    def _saved(self, found: Any) -> File:
        try:
            with asking(f"file {found.name}"):
                return File.of_path(found.name, self._downloaded(found), created_date=time_of(found.updated_at))
        except FileNotFoundError as error:
            return media.refused(found.name, str(error))

    def entry_of(self, artifact: Any, name: str) -> Path:
        """A file of an artifact."""
        with asking(f"artifact {artifact.name}"):
            return Path(artifact.get_entry(name).download(str(self._files), skip_cache=True))

    def release(self, path: Path | None) -> None:
        if path is not None:
            path.unlink(missing_ok=True)

    def _downloaded(self, found: Any) -> Path:
        found.download(str(self._files), replace=True).close()
        return self._files / str(found.name)


def _page_of(last_step: int, rows: int) -> int:
    """The steps of a page that has about _ROWS rows: steps may be far apart."""
    return max(_ROWS, _ROWS * (last_step + 1) // max(rows, 1))


def once(rows: Iterable[dict[str, Any]], pages: int) -> Iterator[dict[str, Any]]:
    """The rows without those that come twice: wandb reads a page from Parquet and then live, and some rows are in both.

    Both have the same values, nested or not, as integers or not.
    """
    page, seen = 0, set[str]()
    for row in rows:
        step = int(row.get("_step", 0))
        if step // pages != page:
            page, seen = step // pages, set()
        content = repr(sorted((key, _alike(value)) for key, value in leaves(row) if value is not None))
        if content not in seen:
            seen.add(content)
            yield row


def _alike(value: Any) -> str:
    found = number(value)
    return json.dumps(value, sort_keys=True) if found is None else repr(found)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as file:
        yield from map(json.loads, file)
