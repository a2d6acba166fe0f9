from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary.environment.restore import Restored, restore_snapshot
from deardiary.wire.form import from_json
from deardiary.wire.shapes import Snapshot
from tests.support import transports
from tests.support.transports import FakeServer, client_of

if TYPE_CHECKING:
    from tests.client.environment.conftest import Repository

LOCK = "numpy==2.0\n"
CONTENTS = {
    "plain.py": "a = 1\nb = 2\n",
    "no end.txt": "a\nb",
    "empty.py": "",
    "one-line-end.txt": "\n",
    "windows.txt": "a\r\nb\r\n",
    "patch.txt": "diff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n",
    "signs.txt": "\x0c\x0b\x85\u2028\x1b[0m\ttab\n",
    'quoted "name".txt': "q\n",
    "new\nline.txt": "n\n",
    "ünï/日本.txt": "é\n",
}


def captured(repository: Repository, **changes: Any) -> Snapshot:
    found = dataclasses.replace(deardiary.capture_environment(repository.path), **changes)
    return from_json(Snapshot, transports.iteration(**found.fields()))


def test_everything_comes_back(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write("gone.py", "x = 1\n")
    repository.write("image.png", b"\x89PNG\0\1\2")
    repository.commit()
    (repository.path / "gone.py").unlink()
    repository.write("image.png", b"\x89PNG\0\3\4" * 100)
    repository.write("train.py", "print(2)\n")
    repository.write("requirements.txt", LOCK)
    for name, content in CONTENTS.items():
        repository.write(name, content)
    (repository.path / "plain.py").chmod(0o755)
    snapshot = captured(repository)
    repository.commit()
    monkeypatch.chdir(repository.path)

    restored = restore_snapshot(snapshot, tmp_path / "again")

    assert restored.is_checked_out
    assert restored.is_patched
    there = {str(path.relative_to(repository.path)): path for path in repository.path.rglob("*") if path.is_file()}
    expected = {name: path.read_bytes() for name, path in there.items() if not name.startswith(".git")}
    found = {name: (tmp_path / "again" / name).read_bytes() for name in expected}
    assert found == expected
    assert not (tmp_path / "again" / "gone.py").exists()
    assert (tmp_path / "again" / "plain.py").stat().st_mode & 0o100
    assert restored.command == (
        f"python3.{sys.version_info.minor} -m venv .venv && "
        ".venv/bin/python -m pip install --requirement requirements.txt"
    )
    again = restore_snapshot(snapshot, tmp_path / "again")
    assert (again.is_checked_out, again.is_patched) == (True, True)


def test_without_the_repository_the_patch_is_left_as_a_file(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("train.py", "print(2)\n")
    repository.write("requirements.txt", LOCK)
    monkeypatch.chdir(tmp_path)
    snapshot = captured(repository)
    restored = restore_snapshot(snapshot, tmp_path / "again")
    assert (restored.is_checked_out, restored.is_patched) == (False, False)
    assert "is not at hand" in restored.remarks[0]
    names = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert names == ["pyproject.toml", "requirements.txt", "uncommitted.patch"]
    assert restore_snapshot(snapshot, tmp_path / "again").files == restored.files


def test_a_clean_checkout_moves_to_the_commit(repository: Repository) -> None:
    snapshot = captured(repository)
    repository.write("train.py", "print(2)\n")
    repository.commit()
    assert restore_snapshot(snapshot, repository.path).is_checked_out
    assert (repository.path / "train.py").read_text() == "print(1)\n"


def test_changes_of_ones_own_are_not_lost(repository: Repository) -> None:
    snapshot = captured(repository)
    repository.write("train.py", "print(2)\n")
    repository.commit()
    repository.write("train.py", "print(3)\n")
    with pytest.raises(FileExistsError, match="not committed"):
        restore_snapshot(snapshot, repository.path)
    assert (repository.path / "train.py").read_text() == "print(3)\n"


def test_a_file_that_says_something_else_is_not_replaced(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "requirements.txt").write_text("torch\n")
    repository.write("requirements.txt", LOCK)
    with pytest.raises(FileExistsError, match=r"requirements\.txt is there"):
        restore_snapshot(captured(repository), tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["requirements.txt"]


def test_a_patch_that_does_not_apply_is_left_as_a_file(repository: Repository) -> None:
    snapshot = captured(repository, git_diff="diff --git a/no b/no\n--- a/no\n+++ b/no\n@@ -1 +1 @@\n-a\n+b\n")
    restored = restore_snapshot(snapshot, repository.path)
    assert not restored.is_patched
    assert "do not apply" in restored.remarks[-1]
    assert (repository.path / "uncommitted.patch").exists()


def test_a_patch_writes_nothing_outside(repository: Repository, tmp_path: Path) -> None:
    for path in ("../outside.txt", "/outside.txt", ".git/hooks/pre-commit"):
        head = f"diff --git a/{path} b/{path}\nnew file mode 100755\n--- /dev/null\n+++ b/{path}\n"
        snapshot = captured(repository, git_diff=f"{head}@@ -0,0 +1 @@\n+evil\n")
        assert not restore_snapshot(snapshot, repository.path).is_patched
        (repository.path / "uncommitted.patch").unlink()
    assert not (tmp_path / "outside.txt").exists()
    assert not (repository.path / ".git/hooks/pre-commit").exists()


def test_a_commit_is_named_by_its_hash_only(repository: Repository) -> None:
    snapshot = captured(repository)
    for sha in ("--help", "main", "HEAD", "abc", "-f\n" + "a" * 40):
        named = dataclasses.replace(snapshot, git_sha=sha)
        assert not restore_snapshot(named, repository.path).is_checked_out


def test_lock_files_go_where_the_project_is(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("jobs/pyproject.toml", "# jobs\n")
    repository.write("jobs/run.py", "\n")
    repository.commit()
    environment = deardiary.capture_environment(repository.path / "jobs").fields() | {"entrypoint": "jobs/run.py"}
    monkeypatch.chdir(repository.path)
    restored = restore_snapshot(from_json(Snapshot, transports.iteration(**environment)), tmp_path / "again")
    assert restored.project == tmp_path / "again" / "jobs"
    assert (restored.project / "pylock.toml").is_file()
    assert (restored.project / "requirements.txt").is_file()


def test_an_entry_point_elsewhere_leads_nowhere(repository: Repository) -> None:
    restored = restore_snapshot(captured(repository, entrypoint="../../etc/x"), repository.path)
    assert restored.project == repository.path


def test_an_iteration_without_a_snapshot_says_so(tmp_path: Path) -> None:
    restored = restore_snapshot(from_json(Snapshot, transports.iteration()), tmp_path / "again")
    assert "has no snapshot" in restored.remarks[0]
    assert restored.command == ""


def restored_by_client(tmp_path: Path, **options: Any) -> Restored:
    server = FakeServer()
    lock = 'lock-version = "1.0"\ncreated-by = "deardiary"\n\n[[packages]]\nname = "pytest"\nversion = "0.1"\n'
    body = transports.iteration(python_version="2.7.1", git_sha="0" * 40, manifest_toml=lock)
    server.answers = {"GET /iterations/i1/snapshot": (200, body)}
    return deardiary.restore("i1", tmp_path / "again", client=client_of(server), **options)


def test_the_difference_to_the_present_environment_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Repository
) -> None:
    monkeypatch.chdir(tmp_path)
    assert restored_by_client(tmp_path).differences is None
    found = restored_by_client(tmp_path, verify=True).differences
    assert found is not None
    assert found[0].startswith("python: 2.7.1 then, ")
    assert found[1] == f"commit: {'0' * 40} then, no repository now"
    assert any(line.startswith("pytest: 0.1 then, ") for line in found)
    assert any(line.startswith("hypothesis: not there then, ") for line in found)


def test_the_environment_of_the_restored_folder_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Repository
) -> None:
    monkeypatch.chdir(tmp_path)
    packages = tmp_path / "again/.venv/lib/python2.7/site-packages/pytest-0.1.dist-info"
    packages.mkdir(parents=True)
    (packages / "METADATA").write_text("Metadata-Version: 2.1\nName: pytest\nVersion: 0.1\n")
    (tmp_path / "again/.venv/pyvenv.cfg").write_text("home = /usr\nversion = 2.7.1\n")
    found = restored_by_client(tmp_path, verify=True).differences
    assert found == (f"commit: {'0' * 40} then, no repository now",)


def test_an_installation_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError, match=r"python2\.7 -m venv \.venv failed"):
        restored_by_client(tmp_path, install=True)
