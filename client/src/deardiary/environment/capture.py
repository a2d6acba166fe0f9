"""Capture the environment of this process."""

from __future__ import annotations

import dataclasses
import logging
import platform
import sys
from os import PathLike
from pathlib import Path
from typing import Any

from deardiary.environment import git
from deardiary.environment.git import GitFailed
from deardiary.environment.kinds.kind import PYPROJECT, Kind, first_in
from deardiary.environment.redact import redact, redacted
from deardiary.wire.limits import MAX_ENTRYPOINT_CHARACTERS, MAX_SNAPSHOT_TEXT_BYTES

_log = logging.getLogger(__name__)
_MOST_LOGGED = 20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The environment of a process. An unknown value is empty or None, and ``problems`` says why.

    ``git_dirty`` is None without git's answer. ``entrypoint`` is the script's path from the root of its repository.
    ``manifest_toml`` is the lock file, without credentials, or a pylock.toml of the installed packages.
    ``julia_version`` is the version that a Julia manifest names. ``git_diff`` is a patch to ``git_sha``. ``left_out``
    names the files missing in the patch, ``redacted`` the files in which ``***`` replaces credentials.
    """

    python_version: str
    julia_version: str | None = None
    git_sha: str = ""
    git_dirty: bool | None = None
    entrypoint: str = ""
    project_toml: str | None = None
    manifest_toml: str | None = None
    git_diff: str | None = None
    problems: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    redacted: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        """The arguments of `Iterations.set_snapshot`. An unknown ``julia_version`` does not replace a stored one."""
        without = {"problems", "left_out", "redacted", *(() if self.julia_version else ("julia_version",))}
        return {each.name: getattr(self, each.name) for each in dataclasses.fields(self) if each.name not in without}


def capture_environment(
    directory: str | PathLike[str] | None = None, *, diff: bool = True, untracked: bool = True
) -> Environment:
    """Capture Python, the commit with uncommitted changes, project and lock file, and the entry point.

    ``directory`` is in the project; the default is the folder of the running script, or else the working directory.
    Without ``diff`` there is no patch; without ``untracked`` the patch has no text files that git does not track. Files
    that are likely to hold secrets are left out. ``***`` replaces credentials in URLs and tokens of known form. This
    takes some ten milliseconds, in a large repository longer, and never raises.
    """
    found: dict[str, Any] = {}
    problems: list[str] = []
    try:
        _capture(found, problems, None if directory is None else Path(directory), diff=diff, untracked=untracked)
    except Exception as error:  # noqa: BLE001 - a fault of the machine must not stop the training
        problems.append(f"{type(error).__name__}: {error}")
    return Environment(
        python_version=platform.python_version(), problems=tuple(redacted(each) for each in problems), **found
    )


def log_remarks(environment: Environment) -> None:
    """Log the files that are missing in a snapshot, and those in which ``***`` replaces a credential."""
    for level, said, names in (
        (logging.INFO, "Left out of", environment.left_out),
        (logging.WARNING, "Replaced by *** in", environment.redacted),
    ):
        if names:
            more = f" and {len(names) - _MOST_LOGGED} more" if len(names) > _MOST_LOGGED else ""
            _log.log(level, "%s the snapshot: %s%s", said, "; ".join(names[:_MOST_LOGGED]), more)


def _capture(
    found: dict[str, Any], problems: list[str], directory: Path | None, *, diff: bool, untracked: bool
) -> None:
    script = _script()
    start, root = _project_and_root([directory] if directory else _candidates(script), problems)
    found["entrypoint"] = redacted(_entrypoint(script, root))
    if root is not None:
        _capture_commit(found, problems, root, diff=diff, untracked=untracked)
    _capture_project(found, problems, start, root)


def _script() -> Path | None:
    """The file that this process was started with; None for an interactive interpreter."""
    main = sys.modules.get("__main__")
    name = getattr(main, "__vsc_ipynb_file__", None) or getattr(main, "__file__", None)
    if not name:
        return None
    path = Path(str(name)).resolve()
    return path if path.is_file() else None


def _entrypoint(script: Path | None, root: Path | None) -> str:
    if script is None:
        return "notebook" if "ipykernel" in sys.modules else ""
    inside = root is not None and script.is_relative_to(root)
    path = script.relative_to(root).as_posix() if inside and root is not None else str(script)
    return path.encode("utf-8", "replace").decode()[-MAX_ENTRYPOINT_CHARACTERS:]


def _candidates(script: Path | None) -> list[Path]:
    """Folders that may be in the project: that of the script, unless it is installed, then the working directory."""
    is_installed = script is not None and script.is_relative_to(Path(sys.prefix).resolve())
    return [Path.cwd()] if script is None or is_installed else [script.parent, Path.cwd()]


def _project_and_root(candidates: list[Path], problems: list[str]) -> tuple[Path, Path | None]:
    reasons = []
    for start in candidates:
        try:
            return start.resolve(), Path(git.ask(start, "rev-parse", "--show-toplevel")).resolve()
        except GitFailed as error:
            reasons.append(str(error))
    problems.append(reasons[0])
    return candidates[0].resolve(), None


def _capture_commit(found: dict[str, Any], problems: list[str], root: Path, *, diff: bool, untracked: bool) -> None:
    from deardiary.environment.diff import uncommitted

    try:
        found["git_sha"] = git.ask(root, "rev-parse", "--verify", "HEAD")
    except GitFailed as error:
        problems.append(str(error))
    try:
        flags = "--untracked-files=normal" if untracked else "--untracked-files=no"
        found["git_dirty"] = bool(git.ask(root, "status", "--porcelain", flags))
        if diff and found["git_dirty"]:
            patch = uncommitted(root, found.get("git_sha", ""), untracked=untracked)
            found.update(git_diff=patch.text(), left_out=tuple(patch.left_out), redacted=tuple(patch.redacted))
    except GitFailed as error:
        problems.append(str(error))


def _capture_project(found: dict[str, Any], problems: list[str], start: Path, root: Path | None) -> None:
    from deardiary.environment.kinds.julia import JULIA, version_in
    from deardiary.environment.project import find_project

    folder, kind = find_project(start, root)
    of_project: list[str] = []
    of_lock: list[str] = []
    text = None if kind is None else _lock(kind, folder, problems, of_lock)
    if text is None or kind is None:
        kind, text = None, _of_installed(of_lock)
    found["project_toml"] = _read(folder / _project_name(kind, folder), problems, of_project)
    found["manifest_toml"] = text if len(text.encode()) <= MAX_SNAPSHOT_TEXT_BYTES else None
    found["julia_version"] = version_in(text) if kind is JULIA else None
    found["redacted"] = (*found.get("redacted", ()), *of_project, *of_lock)


def _lock(kind: Kind, folder: Path, problems: list[str], remarks: list[str]) -> str | None:
    from deardiary.environment.lockfile import OTHERS

    path = folder / kind.name_in(folder)
    text = _read(path, problems, remarks)
    if text is None or kind not in OTHERS or kind.recognises(text):
        return text
    problems.append(f"{path.name} is left out: it is not a lock file of its kind")  # other tools use the name, too
    remarks.clear()
    return None


def _of_installed(remarks: list[str]) -> str:
    from deardiary.environment.installed import pylock

    return _redacted("the installed packages", pylock(), remarks)


def _project_name(kind: Kind | None, folder: Path) -> str:
    return (first_in(folder, kind.projects) if kind else None) or PYPROJECT


def _redacted(name: str, text: str, remarks: list[str]) -> str:
    text, findings = redact(text)
    remarks.extend(f"{name}, line {each.line}: {each.what}" for each in findings)
    return text


def _read(path: Path, problems: list[str], remarks: list[str]) -> str | None:
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SNAPSHOT_TEXT_BYTES + 1)
        if len(content) > MAX_SNAPSHOT_TEXT_BYTES:
            problems.append(f"{path.name} is left out: it is longer than 4 MiB")
            return None
        return _redacted(path.name, content.decode("utf-8"), remarks)
    except (OSError, ValueError) as error:
        problems.append(f"{path.name} is left out: {error}")
        return None
