"""Put redacted lines back: those that the commit has are restored, the others are named."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from deardiary.environment.redact import MASK, redacted

_PART = re.compile(r"^(?=diff --git )", re.MULTILINE)
_FILE = re.compile(r"^--- a/(.*?)\t?$", re.MULTILINE)
_IN_URL = re.compile(rf"://{re.escape(MASK)}@|/t/{re.escape(MASK)}/|[?&][\w-]+={re.escape(MASK)}")


def with_committed_lines(diff: str, directory: Path) -> str:
    """The patch with removed and unchanged redacted lines as they are in the checkout, so that it applies."""
    return "".join(_completed(part, directory) if MASK in part else part for part in _PART.split(diff))


def to_fill_in(files: Iterable[Path]) -> list[str]:
    """File and line of each URL without its credential."""
    return [
        f"{path.name}, line {line}: replace {MASK} in the URL by the credential, which the snapshot does not hold"
        for path in files
        if path.suffix != ".patch"
        for line in _lines_to_fill_in(path)
    ]


def _lines_to_fill_in(path: Path) -> Iterator[int]:
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, ValueError):
        return
    yield from (number for number, line in enumerate(lines, 1) if _IN_URL.search(line))


def _completed(part: str, directory: Path) -> str:
    named = _FILE.search(part)
    present = _redacted_lines(directory / named[1], directory) if named else {}
    return "\n".join(
        line[0] + present.get(line[1:], line[1:]) if line.startswith(("-", " ")) else line for line in part.split("\n")
    )


def _redacted_lines(path: Path, directory: Path) -> dict[str, str]:
    try:
        if not path.resolve().is_relative_to(directory.resolve()):
            return {}
        lines = path.read_bytes().decode("utf-8").split("\n")
    except (OSError, ValueError):
        return {}
    return {redacted(line): line for line in lines if redacted(line) != line}
