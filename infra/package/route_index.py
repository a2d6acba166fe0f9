"""Print the source of `chalicelib/routes/index.py` for a project: `python -m infra.package.route_index PROJECT`.

A process of its own: the server's code reads its settings when it is imported.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from pprint import pformat

REPOSITORY = Path(__file__).parents[2]
INDEX = Path("chalicelib/routes/index.py")


def write(project: Path, root: Path) -> None:
    """Fill in the index in the unpacked package at `root`, if the project has one."""
    if (project / INDEX).exists():
        command = [sys.executable, "-m", "infra.package.route_index", str(project)]
        done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
        (root / INDEX).write_text(done.stdout)


def modules_by_path() -> dict[str, tuple[str, ...]]:
    """The modules that serve each path. A path of two modules needs both: a preflight names the methods of both."""
    from chalicelib.routes import blueprints

    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for module in blueprints.MODULES:
        for path in getattr(blueprints.load(module), "paths", ()):
            found[path][module] = None
    return {path: tuple(modules) for path, modules in found.items()}


def main(project: str) -> None:
    sys.path.insert(0, project)
    print(f'"""The modules that serve each path."""\n\nMODULES = {pformat(modules_by_path(), sort_dicts=False)}')


if __name__ == "__main__":
    main(sys.argv[1])
