"""The installed client has at most 1,000,000 bytes."""

from __future__ import annotations

from pathlib import Path

CLIENT = Path(__file__).parents[2] / "client"
SOURCE = CLIENT / "src"
MOST_BYTES = 1_000_000
# A line of the list of installed files: a comma, "sha256=", the hash, a comma and the size follow the path.
_RECORD_BYTES = 60
# The fields of the metadata beside the README, such as the extras, and the files that pip and the build add.
_OTHER_BYTES = 4_000


def _files() -> list[Path]:
    return [path for path in SOURCE.glob("deardiary/**/*") if path.suffix == ".py" or path.name == "py.typed"]


def installed_bytes() -> int:
    """The bytes of an installation from pip without compiled files, to within a few hundred."""
    files = _files()
    records = sum(len(path.relative_to(SOURCE).as_posix()) + _RECORD_BYTES for path in files)
    texts = sum((CLIENT / name).stat().st_size for name in ("README.md", "LICENSE"))
    return sum(path.stat().st_size for path in files) + records + texts + _OTHER_BYTES


def test_the_installed_client_is_at_most_a_megabyte() -> None:
    assert installed_bytes() <= MOST_BYTES, (
        "the client is too large: simplify, or move what no training needs into exchange/ "
        "(`python -m benchmarks.client_import --no-peer` measures the installation)"
    )
