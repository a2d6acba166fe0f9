"""Uncommitted changes as one patch for ``git apply``: tracked files, then untracked text files.

The patch has a maximum size. It leaves out files that do not fit, untracked binary files, and files that are likely to
hold credentials. In the others ``***`` replaces tokens and logins in URLs. Lines at the top, which ``git apply``
ignores, name both kinds of files.
"""

import mmap
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from deardiary.environment import git
from deardiary.environment.git import GitFailed
from deardiary.environment.redact import redact, summary
from deardiary.environment.secret import credential_in, is_secret, pathspecs
from deardiary.wire.limits import KIB, MAX_SNAPSHOT_TEXT_BYTES

MAX_BYTES = MAX_SNAPSHOT_TEXT_BYTES - 64 * KIB  # the rest is for the lines at the top
MAX_UNTRACKED_BYTES = 2**20  # of one file: a longer one is more often data than code
MAX_UNTRACKED = 1000
_MAX_NAMED = 100
_NO_LIMIT = 2**60
_START = b"diff --git "
_BINARY = "\nGIT binary patch\n"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # exists in every repository


class Patch:
    def __init__(self, limit: int = MAX_BYTES) -> None:
        self._pieces: list[str] = []
        self._room = limit
        self.left_out: list[str] = []
        self.redacted: list[str] = []

    def add(self, name: str, piece: str) -> None:
        piece, findings = (piece, []) if _BINARY in piece else redact(piece)
        size = len(piece.encode())
        if size > self._room:
            self.leave_out(name, "too large")
            return
        self._pieces.append(piece)
        self._room -= size
        if findings:
            self.redacted.append(f"{_printable(name)} ({summary(findings)})")

    def leave_out(self, name: str, why: str) -> None:
        self.left_out.append(f"{_printable(name)} ({why})")

    def text(self) -> str:
        left_out = (f"# left out: {each}\n" for each in _first(self.left_out))
        redacted = (f"# redacted: {each}\n" for each in _first(self.redacted))
        return "".join([*left_out, *redacted, *self._pieces])


def _first(names: list[str]) -> list[str]:
    more = len(names) - _MAX_NAMED
    return [*names[:_MAX_NAMED], *([f"and {more} files more"] if more > 0 else [])]


def uncommitted(root: Path, head: str, *, untracked: bool = True, limit: int = MAX_BYTES) -> Patch:
    """The patch from ``head`` (empty: no commit yet) to the files of the repository at ``root``.

    GitFailed if git cannot name the changed files.
    """
    patch = Patch(limit)
    for name in _names(root, "diff", "--name-only", "-z", head or EMPTY_TREE, "--"):
        if is_secret(name):
            patch.leave_out(name, "may hold a secret")
    _add_tracked(patch, root, head or EMPTY_TREE)
    if untracked:
        _add_untracked(patch, root)
    return patch


def _names(root: Path, *arguments: str) -> list[str]:
    return [name for name in git.ask(root, *arguments).split("\0") if name]


def _add_tracked(patch: Patch, root: Path, head: str) -> None:
    options = ("--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=dirty")
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/")
    lines = _lines(git.stream(root, "diff", *options, *prefixes, head, "--", *pathspecs(), limit=_NO_LIMIT))
    try:
        for name, piece in _files(lines):
            _add_piece(patch, root, name, piece)
    except GitFailed as error:
        patch.left_out.append(f"the rest of the changes ({error})")


def _add_piece(patch: Patch, root: Path, name: str, piece: bytes | None) -> None:
    if piece is None:
        patch.leave_out(name, "too large")
        return
    credential = credential_in(piece) or _credential_in_file(root / name)
    if credential:
        patch.leave_out(name, f"holds {credential}")
        return
    try:
        patch.add(name, piece.decode())
    except UnicodeDecodeError:
        patch.leave_out(name, "not UTF-8")


def _credential_in_file(path: Path) -> str | None:
    """Inspect the whole file: a patch may show only lines from the middle of a key."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return credential_in(content)
    except (OSError, ValueError):  # deleted, a broken link, or empty
        return None


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield whole lines. A line over the limit of a file comes in pieces; its file is left out anyway."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line + b"\n" for line in whole)
        if len(rest) > MAX_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest


def _files(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes | None]]:
    """Each file's name, and its part of git's patch, or None if that part is too long.

    No line within a part begins like the next part: each line begins with a sign, a keyword of git, or is base85.
    """
    name, part, size = "", bytearray(), 0
    for line in lines:
        if line.startswith(_START):
            if size:
                yield name, bytes(part) if size <= MAX_BYTES else None
            name, part, size = _name(line), bytearray(), 0
        size += len(line)
        if size <= MAX_BYTES:
            part += line
    if size:
        yield name, bytes(part) if size <= MAX_BYTES else None


def _name(line: bytes) -> str:
    """The name in ``diff --git a/NAME b/NAME``, in which both are equal."""
    both = line[len(_START) :].strip()
    return both[len(both) // 2 + 1 :].decode("utf-8", "replace").strip('"').removeprefix("b/")


def _add_untracked(patch: Patch, root: Path) -> None:
    names = _names(root, "ls-files", "--others", "--exclude-standard", "-z")
    for name in names[:MAX_UNTRACKED]:
        why_not, piece = _new_file(root, name)
        if why_not:
            patch.leave_out(name, why_not)
        else:
            patch.add(name, piece)
    if len(names) > MAX_UNTRACKED:
        patch.left_out.append(f"{len(names) - MAX_UNTRACKED} untracked files more")


def _new_file(root: Path, name: str) -> tuple[str, str]:
    """The reason to leave a file out, or else the patch that creates it."""
    if is_secret(name):
        return "may hold a secret", ""
    if name.endswith("/"):
        return "a repository of its own", ""
    path = root / name
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return "not a file", ""
        if found.st_size > MAX_UNTRACKED_BYTES:
            return "too large", ""
        return _patch_of(name, path.read_bytes(), is_executable=bool(found.st_mode & stat.S_IXUSR and os.name != "nt"))
    except OSError as error:
        return error.strerror or "unreadable", ""


def _patch_of(name: str, content: bytes, *, is_executable: bool) -> tuple[str, str]:
    credential = credential_in(content)
    if credential:
        return f"holds {credential}", ""
    try:
        if b"\0" in content:
            return "binary", ""
        old, new, text = _quoted(f"a/{name}"), _quoted(f"b/{name}"), content.decode()
    except UnicodeError:
        return "not UTF-8", ""
    head = f"diff --git {old} {new}\nnew file mode {'100755' if is_executable else '100644'}\n"
    return "", head + (f"--- /dev/null\n+++ {new}{_tab(name)}\n{_added(text)}" if text else "")


def _added(text: str) -> str:
    """The hunk of a new file."""
    lines = text.split("\n")
    end = "\\ No newline at end of file\n" if lines[-1] else ""
    if not lines[-1]:
        del lines[-1]
    count = "1" if len(lines) == 1 else f"1,{len(lines)}"
    return f"@@ -0,0 +{count} @@\n" + "".join(f"+{line}\n" for line in lines) + end


def _quoted(path: str) -> str:
    """A path as git writes it: in quotes if it holds quotes, backslashes or control characters."""
    path.encode()  # UnicodeEncodeError for a name that is not UTF-8
    if all(" " <= sign != "\x7f" and sign not in '"\\' for sign in path):
        return path
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    return (
        '"' + "".join(known.get(sign, sign if " " <= sign != "\x7f" else f"\\{ord(sign):03o}") for sign in path) + '"'
    )


def _tab(name: str) -> str:
    return "\t" if " " in name else ""


def _printable(name: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in name)
