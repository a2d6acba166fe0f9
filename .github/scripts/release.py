"""Check a release and print its notes: `python .github/scripts/release.py vX.Y.Z DIST`.

The tag, the sdists and wheels in DIST, the dashboard and a section of CHANGELOG.md must have one version.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


def notes_of(version: str, changelog: str) -> str:
    """Return the text of the version's section, without its heading and without the links at the end of the file."""
    pattern = rf"(?ms)^## \[{re.escape(version)}\] - .*?\n(.*?)(?=^## |^\[.*\]: |\Z)"
    section = re.search(pattern, changelog)
    if section is None or not section[1].strip():
        sys.exit(f"CHANGELOG.md has no notes of version {version}")
    return section[1].strip()


def check_built(version: str, folder: Path) -> None:
    packages = ("deardiary", "deardiary_exchange")
    expected = {f"{each}-{version}{ending}" for each in packages for ending in (".tar.gz", "-py3-none-any.whl")}
    expected.add(f"deardiary-dashboard-{version}.tar.gz")
    found = {path.name for path in folder.iterdir()}
    if found != expected:
        sys.exit(f"The tag wants {', '.join(sorted(expected))}, but there is {', '.join(sorted(found)) or 'nothing'}")


def main() -> None:
    tag, folder = sys.argv[1:]
    if not tag.startswith("v"):
        sys.exit(f"A release is tagged vX.Y.Z, not {tag}")
    check_built(tag[1:], Path(folder))
    print(notes_of(tag[1:], CHANGELOG.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
