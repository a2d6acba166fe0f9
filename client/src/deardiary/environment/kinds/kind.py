"""A kind of lock file as a value: how it is recognised, named, installed and compared."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Command = tuple[str, ...]
PYPROJECT = "pyproject.toml"


class NotComparable(Exception):
    """The packages of a lock file cannot be compared with this machine's; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The packages on this machine: versions by name, and where they were found.

    ``python`` is the version in that environment, None where it has no Python of its own.
    """

    versions: Mapping[str, str]
    source: str
    python: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of lock file.

    ``names`` and ``projects`` are the names of the lock file and of the project file beside it, in the order in which
    the tool looks for them; the last is the usual one. In ``commands``, which rebuild the environment in the project's
    folder, ``{python}`` stands for a version and ``{python3.x}`` for the command of that version.
    """

    names: tuple[str, ...]
    recognises: Callable[[str], bool]  # by the text of a lock file
    commands: tuple[Command, ...]
    versions: Callable[[str], Mapping[str, str]]  # in the text of a lock file, by package; may raise NotComparable
    present: Callable[[Path, Mapping[str, str]], Present]  # in a folder, for these versions; may raise NotComparable
    projects: tuple[str, ...] = (PYPROJECT,)
    in_pyproject: re.Pattern[str] | None = None  # in the text of a pyproject.toml where `projects` are others
    needs_project: bool = False  # the lock file's name alone does not make a project of a folder
    ignored: frozenset[str] = frozenset()  # packages that are not compared

    @property
    def name(self) -> str:
        return self.names[-1]

    def commands_for(self, python: str) -> tuple[Command, ...]:
        program = "python" + ".".join(python.split(".")[:2]) if python else "python3"
        values = {"{python}": python, "{python3.x}": program}
        return tuple(tuple(values.get(each, each) for each in command) for command in self.commands)

    def name_in(self, folder: Path) -> str:
        """The name of the lock file that the tool would read in ``folder``; the usual name where there is none."""
        return first_in(folder, self.names) or self.name

    def project_name_in(self, folder: Path, text: str) -> str:
        """The name for a project file's text, as the tool would read it in ``folder``."""
        if self.in_pyproject and self.in_pyproject.search(text):
            return PYPROJECT
        return first_in(folder, self.projects) or self.projects[-1]

    def is_in(self, folder: Path) -> bool:
        has_project = not self.needs_project or first_in(folder, self.projects) is not None
        return has_project and first_in(folder, self.names) is not None


def first_in(folder: Path, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if (folder / name).is_file()), None)
