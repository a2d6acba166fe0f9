"""Restore the environment of an iteration."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from deardiary.client import Client, connect
from deardiary.environment import git
from deardiary.environment.checkout import at_commit
from deardiary.environment.git import GitFailed
from deardiary.environment.kinds.kind import Kind
from deardiary.environment.kinds.python import REQUIREMENTS, is_made_by_us
from deardiary.environment.lockfile import kind_of
from deardiary.environment.project import folder_for
from deardiary.environment.redact import MASK, redacted
from deardiary.environment.unredact import to_fill_in, with_committed_lines
from deardiary.files import write_whole
from deardiary.wire.shapes import Snapshot

PATCH = "uncommitted.patch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The result of `restore`. ``project`` is the folder of project and lock file, ``files`` are those written.

    ``commands``, run in ``project``, rebuild the environment; ``command`` is the same as one line of shell.
    ``remarks`` name the steps left to the user. ``differences`` is None unless they were requested; then ``compared``
    names the compared packages, and ``not_compared`` those that cannot be compared, with the reason.
    """

    directory: Path
    project: Path
    files: tuple[Path, ...]
    git_sha: str
    is_checked_out: bool
    is_patched: bool
    commands: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...]
    differences: tuple[str, ...] | None = None
    compared: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        import shlex

        return " && ".join(shlex.join(each) for each in self.commands)


def restore(
    iteration_id: str,
    directory: str | PathLike[str],
    *,
    client: Client | None = None,
    install: bool = False,
    verify: bool = False,
) -> Restored:
    """Restore an iteration's commit, uncommitted changes and lock file into a directory.

    The directory is new, empty, a checkout without changes of its own, or was restored before. The commit comes from
    the repository there, or from that of the working directory. If neither has it, the changes are written beside the
    other files as ``uncommitted.patch``. ``install`` runs the commands that rebuild the environment. ``verify``
    compares the packages in the directory's ``.venv``, or else in this Python.

    FileExistsError if an existing file has other content; ClientError from the server; RuntimeError if the installation
    fails.
    """
    snapshot = _snapshot(iteration_id, client)
    restored = restore_snapshot(snapshot, Path(directory))
    if install:
        _install(restored)
    if verify:
        from deardiary.environment.verify import compare

        return replace(restored, **compare(snapshot, restored.project)._asdict())
    return restored


def _snapshot(iteration_id: str, client: Client | None) -> Snapshot:
    if client is not None:
        return client.iterations.snapshot(iteration_id)
    with connect() as own:
        return own.iterations.snapshot(iteration_id)


def restore_snapshot(snapshot: Snapshot, directory: Path) -> Restored:
    remarks: list[str] = []
    is_checked_out = at_commit(directory, snapshot.git_sha, remarks)
    diff = snapshot.git_diff or ""
    remarks.extend(f"not in the snapshot: {each}" for each in _named(diff, "# left out: "))
    remarks.extend(f"{MASK} in place of a credential: {each}" for each in _named(diff, "# redacted: "))
    is_patched = is_checked_out and bool(diff) and _patch(diff, directory)
    project = _project(snapshot, directory) if is_checked_out else directory
    texts = _texts(snapshot, project)
    if diff and not is_patched:
        texts[directory / PATCH] = diff
        remarks.append(_why_not(is_checked_out=is_checked_out))
    _write(texts)
    remarks.extend(to_fill_in(texts))
    if not texts and not snapshot.git_sha:
        remarks.append("this iteration has no snapshot: iteration.snapshot_environment() takes one")
    return Restored(
        directory=directory,
        project=project,
        files=tuple(texts),
        git_sha=snapshot.git_sha,
        is_checked_out=is_checked_out,
        is_patched=is_patched,
        commands=_commands(snapshot),
        remarks=tuple(remarks),
    )


def _patch(diff: str, directory: Path) -> bool:
    """Apply the changes. True if the checkout has them now, or had them before."""
    if "\ndiff --git " not in f"\n{diff}":
        return True  # it only names the files left out
    with tempfile.TemporaryDirectory() as folder:
        patch = Path(folder).resolve() / PATCH
        patch.write_bytes(with_committed_lines(diff, directory).encode())
        if _applies(directory, patch, "--reverse"):
            return True
        if not _applies(directory, patch):
            return False
        git.ask(directory, "apply", "--whitespace=nowarn", str(patch))
        return True


def _why_not(*, is_checked_out: bool) -> str:
    if is_checked_out:
        return f"the changes do not apply to this checkout; they are in {PATCH}"
    return f"once the commit is checked out: git apply {PATCH}"


def _applies(directory: Path, patch: Path, *options: str) -> bool:
    try:
        git.ask(directory, "apply", "--check", *options, str(patch))
    except GitFailed:
        return False
    return True


def _named(diff: str, start: str) -> list[str]:
    """The files named by the lines at the top of a patch."""
    lines = diff.split("diff --git ", 1)[0].splitlines()
    return [line.removeprefix(start) for line in lines if line.startswith(start)]


def _project(snapshot: Snapshot, directory: Path) -> Path:
    """The project's folder in the checkout, found as in the capture: from the entry point upwards."""
    start = (directory / snapshot.entrypoint).resolve().parent if snapshot.entrypoint else directory.resolve()
    root = directory.resolve()
    if not start.is_relative_to(root) or not start.is_dir():
        return directory
    return directory / folder_for(_kind(snapshot), start, root).relative_to(root)


def _kind(snapshot: Snapshot) -> Kind:
    return kind_of(snapshot.manifest_toml, snapshot.project_toml)


def _texts(snapshot: Snapshot, project: Path) -> dict[Path, str]:
    texts: dict[Path, str] = {}
    kind, lock = _kind(snapshot), snapshot.manifest_toml
    if snapshot.project_toml is not None:
        texts[project / kind.project_name_in(project, snapshot.project_toml)] = snapshot.project_toml
    if lock is not None:
        texts[project / kind.name_in(project)] = lock
        if is_made_by_us(lock):
            from deardiary.environment.installed import requirements_of

            texts[project / REQUIREMENTS.name] = requirements_of(lock, kind.versions(lock))
    return texts


def _write(texts: dict[Path, str]) -> None:
    """Write all files, or none if one exists with other content."""
    for path, text in [(path, text) for path, text in texts.items() if not _is_there(path, text)]:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())


def _is_there(path: Path, text: str) -> bool:
    if not path.exists():
        return False
    there = path.read_bytes().decode("utf-8", "replace")
    if text in (there, redacted(there)):
        return True
    raise FileExistsError(f"{path} is there and says something else: restore into a new directory")


def _commands(snapshot: Snapshot) -> tuple[tuple[str, ...], ...]:
    if snapshot.manifest_toml is None:
        return ()
    kind = REQUIREMENTS if is_made_by_us(snapshot.manifest_toml) else _kind(snapshot)
    return kind.commands_for(snapshot.python_version)


def _install(restored: Restored) -> None:
    if not restored.commands:
        raise RuntimeError("There is no lock file in the snapshot, and so nothing to install")
    missing = to_fill_in(restored.files)
    if missing:
        raise RuntimeError("; ".join([*missing, "then restore with --install again: a file filled in stays as it is"]))
    for command in restored.commands:
        try:
            # Its output goes to stderr: stdout belongs to the caller.
            subprocess.run(command, cwd=restored.project, check=True, stdout=2)  # noqa: S603 - the user asked for it
        except (OSError, subprocess.CalledProcessError) as error:
            raise RuntimeError(f"{' '.join(command)} failed in {restored.project}: {error}") from error
