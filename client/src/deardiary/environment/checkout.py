"""Check a commit out into a directory, from a local repository."""

import re
from pathlib import Path

from deardiary.environment import git
from deardiary.environment.git import GitFailed

_SHA = re.compile(r"^[0-9a-f]{40,64}\Z")
_SECONDS = 600.0  # a checkout writes every file


def at_commit(directory: Path, sha: str, remarks: list[str]) -> bool:
    """Check the commit out. True if the directory has it now, or had it before.

    FileExistsError for a checkout with another commit and changes of its own, which would be lost.
    """
    if not _SHA.match(sha):  # any user who may write to the iteration chooses this text
        return False
    if is_top(directory):
        return _move(directory, sha, remarks)
    if directory.exists() and any(directory.iterdir()):
        remarks.append(f"{directory} is not empty and no repository: commit {sha} is not checked out there")
        return False
    return _add(directory, sha, remarks)


def is_top(directory: Path) -> bool:
    if not directory.is_dir():
        return False
    try:
        return Path(git.ask(directory, "rev-parse", "--show-toplevel")).resolve() == directory.resolve()
    except GitFailed:
        return False


def _move(directory: Path, sha: str, remarks: list[str]) -> bool:
    if not _has(directory, sha):
        remarks.append(f"commit {sha} is not in the repository {directory}: fetch it, then restore again")
        return False
    if git.ask(directory, "rev-parse", "HEAD") == sha:
        return True
    if git.ask(directory, "status", "--porcelain"):
        raise FileExistsError(f"{directory} has changes that are not committed: restore into a new directory")
    git.ask(directory, "checkout", "--quiet", "--detach", sha, seconds=_SECONDS)
    return True


def _add(directory: Path, sha: str, remarks: list[str]) -> bool:
    """A worktree of the working directory's repository, which may be the only one with the commit."""
    here = Path.cwd()
    if not _has(here, sha):
        remarks.append(
            f"commit {sha} is not at hand: run this in a clone of its repository, or clone it and check it out"
        )
        return False
    git.ask(here, "worktree", "add", "--quiet", "--force", "--detach", str(directory.absolute()), sha, seconds=_SECONDS)
    remarks.append(
        f"{directory} is a worktree of {here}: `git worktree remove {directory}` when it is not needed any more"
    )
    return True


def _has(directory: Path, sha: str) -> bool:
    try:
        git.ask(directory, "cat-file", "-e", f"{sha}^{{commit}}")
    except GitFailed:
        return False
    return True
