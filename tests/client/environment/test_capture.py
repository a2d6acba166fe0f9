from __future__ import annotations

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary.environment import diff, git, lockfile
from deardiary.environment.installed import requirements_of
from deardiary.environment.kinds.python import is_made_by_us
from tests.client.environment.conftest import PYPROJECT

if TYPE_CHECKING:
    from tests.client.environment.conftest import Repository


def test_a_clean_checkout_is_its_commit(repository: Repository) -> None:
    found = deardiary.capture_environment(repository.path)
    assert found.problems == ()
    assert (found.python_version, found.git_sha) == (platform.python_version(), repository.sha)
    assert (found.git_dirty, found.git_diff, found.project_toml) == (False, None, PYPROJECT)


def test_the_script_that_runs_is_the_entry_point(repository: Repository) -> None:
    script = "import deardiary; print(deardiary.capture_environment())\n"
    path = repository.write("jobs/train.py", script)
    ran = subprocess.run([sys.executable, str(path)], cwd="/", capture_output=True, text=True, check=True)  # noqa: S603
    assert "entrypoint='jobs/train.py'" in ran.stdout
    assert f"git_sha='{repository.sha}'" in ran.stdout


def test_uncommitted_changes_are_a_patch(repository: Repository) -> None:
    repository.write("train.py", "print(2)\n")
    repository.write("new.py", "print(3)\n")
    found = deardiary.capture_environment(repository.path)
    assert found.git_dirty
    assert found.git_diff is not None
    assert "-print(1)\n+print(2)\n" in found.git_diff
    assert "+++ b/new.py\n@@ -0,0 +1 @@\n+print(3)\n" in found.git_diff


@pytest.mark.parametrize(("options", "seen"), [({"untracked": False}, "changed"), ({"diff": False}, "")])
def test_the_patch_can_be_left_out(repository: Repository, options: dict[str, bool], seen: str) -> None:
    repository.write("train.py", "print('changed')\n")
    repository.write("new.py", "print('untracked')\n")
    found = deardiary.capture_environment(repository.path, **options)
    assert found.git_dirty
    assert seen in (found.git_diff or "")
    assert "untracked" not in (found.git_diff or "")


SECRETS = (
    *(".env", "app/.env.production", "prod.env", ".envrc", "server.pem", "id_ed25519", "app/.netrc"),
    *("Secrets.toml", "my-credentials.json", ".aws/config", "terraform.tfstate", "deploy.KEY"),
)


@pytest.mark.parametrize("is_tracked", [True, False])
def test_secrets_stay_where_they_are(repository: Repository, is_tracked: bool) -> None:
    if is_tracked:
        for name in SECRETS:
            repository.write(name, "KEY=before")
        repository.commit()
    for name in SECRETS:
        repository.write(name, "KEY=sesame")
    repository.write("train.py", "print(2)\n")
    found = deardiary.capture_environment(repository.path).git_diff or ""
    assert "sesame" not in found
    assert "before" not in found
    assert [name for name in SECRETS if f"# left out: {name} (may hold a secret)\n" not in found] == []
    assert "+print(2)" in found


def test_files_beyond_the_limit_are_left_out_and_named(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff, "MAX_BYTES", 3000)
    monkeypatch.setattr(diff, "MAX_UNTRACKED_BYTES", 2000)
    repository.write("big.py", "x = 1\n" * 10)
    sha = repository.commit()
    repository.write("big.py", "x = 2\n" * 1000)
    repository.write("train.py", "print(2)\n")
    repository.write("data.csv", "1,2\n" * 1000)
    repository.write("model.bin", b"\0\1")
    repository.write("latin.txt", "é".encode("latin-1"))
    (repository.path / "link").symlink_to("train.py")
    text = diff.uncommitted(repository.path, sha, limit=3000).text()
    for remark in ("big.py (too large)", "data.csv (too large)", "model.bin (binary)", "latin.txt (not UTF-8)"):
        assert f"# left out: {remark}\n" in text
    assert "# left out: link (not a file)\n" in text
    assert "+print(2)" in text
    assert len(text.encode()) < 4000


def test_many_files_left_out_are_counted(repository: Repository) -> None:
    for number in range(150):
        repository.write(f"data/{number:03}.bin", b"\0")
    text = diff.uncommitted(repository.path, repository.sha).text()
    assert text.count("# left out: ") == 101
    assert "and 50 files more" in text


def test_nothing_is_captured_of_a_folder_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = deardiary.capture_environment(tmp_path)
    assert (found.git_sha, found.git_dirty, found.git_diff) == ("", None, None)
    assert "not a git repository" in found.problems[0]
    assert found.manifest_toml is not None


def test_a_machine_without_git_is_no_error(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = deardiary.capture_environment(repository.path)
    assert "git cannot be run" in found.problems[0]
    assert found.git_dirty is None
    assert found.project_toml == PYPROJECT


def test_git_that_hangs_is_given_up(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(git, "SECONDS", 0.1)
    with pytest.raises(git.GitFailed, match="took too long"):
        git.ask(repository.path, "status", seconds=0.1)


@pytest.mark.parametrize("damage", ["HEAD", "index"])
def test_a_broken_repository_is_no_error(repository: Repository, damage: str) -> None:
    (repository.path / ".git" / damage).write_text("nonsense")
    found = deardiary.capture_environment(repository.path)
    assert found.problems
    assert found.project_toml == PYPROJECT


def test_a_repository_without_a_commit_has_a_patch_to_nothing(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "a.py").write_text("a = 1\n")
    (tmp_path / "fresh" / "b.py").write_text("b = 1\n")
    for arguments in (["init", "--quiet"], ["add", "a.py"]):
        subprocess.run(["git", *arguments], cwd=tmp_path / "fresh", check=True)  # noqa: S603, S607
    found = deardiary.capture_environment(tmp_path / "fresh")
    assert found.git_sha == ""
    assert found.git_diff is not None
    assert "+a = 1" in found.git_diff
    assert "+b = 1" in found.git_diff


def test_whatever_goes_wrong_is_told_and_not_raised(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr("deardiary.environment.project.find_project", fail)
    assert "of all things" in deardiary.capture_environment(repository.path).problems[-1]


LOCKS = {
    "uv.lock": 'version = 1\nrequires-python = ">=3.10"\n\n[[package]]\nname = "Numpy"\nversion = "2.0"\n',
    "pylock.toml": 'lock-version = "1.0"\ncreated-by = "uv"\n\n[[packages]]\nname = "numpy"\nversion = "2.0"\n',
    "poetry.lock": "# This file is automatically @generated by Poetry 2.1 and should not be changed by hand.\n\n"
    '[[package]]\nname = "numpy"\nversion = "2.0"\n\n[metadata]\nlock-version = "2.1"\n',
    "pdm.lock": "# This file is @generated by PDM.\n# It is not intended for manual editing.\n\n[metadata]\n"
    'lock_version = "4.5.0"\n\n[[package]]\nname = "numpy"\nversion = "2.0"\n',
    "Pipfile.lock": '{"_meta": {"sources": []}, "default": {"numpy": {"version": "==2.0"}}, "develop": {}}',
    "requirements.txt": "# by hand\nnumpy==2.0 ; python_version > '3'\nscipy>=1\n-r other.txt\n",
}


def test_a_lock_file_is_taken_as_it_is_and_known_again(repository: Repository) -> None:
    for name, text in LOCKS.items():
        path = repository.write(name, text)
        found = deardiary.capture_environment(repository.path, diff=False).manifest_toml
        assert found == text
        assert lockfile.kind_of(found).name == name
        assert lockfile.kind_of(found).versions(found) == {"numpy": "2.0"}
        assert not is_made_by_us(found)
        path.unlink()


def test_an_exact_lock_file_wins_over_a_list(repository: Repository) -> None:
    repository.write("requirements.txt", LOCKS["requirements.txt"])
    repository.write("uv.lock", LOCKS["uv.lock"])
    assert deardiary.capture_environment(repository.path).manifest_toml == LOCKS["uv.lock"]


def test_the_project_is_the_nearest_above(repository: Repository) -> None:
    repository.write("services/train/pyproject.toml", "# nearer\n")
    repository.write("services/train/src/iris/train.py", "")
    assert deardiary.capture_environment(repository.path / "services/train/src").project_toml == "# nearer\n"
    assert deardiary.capture_environment(repository.path / "services").project_toml == PYPROJECT


def test_a_password_in_an_indexs_url_is_not_taken(repository: Repository) -> None:
    line = "--index-url https://{}pypi.example/simple\nnumpy==2.0\nx @ git+ssh://git@github.com/x/x\n"
    repository.write("requirements.txt", line.format("ada:sesame@"))
    assert deardiary.capture_environment(repository.path).manifest_toml == line.format("***@")


def test_a_lock_file_that_is_too_long_is_replaced_by_the_installed_packages(repository: Repository) -> None:
    repository.write("requirements.txt", "# " + "x" * 2**22)
    found = deardiary.capture_environment(repository.path)
    assert "requirements.txt is left out: it is longer than 4 MiB" in found.problems
    assert found.manifest_toml is not None
    assert is_made_by_us(found.manifest_toml)


def test_without_a_lock_file_the_installed_packages_are_recorded(repository: Repository) -> None:
    text = deardiary.capture_environment(repository.path).manifest_toml
    assert text is not None
    assert text.startswith('lock-version = "1.0"\n')
    packages = lockfile.kind_of(text).versions(text)
    assert packages["pytest"] == metadata.version("pytest")
    assert list(packages) == sorted(packages)
    assert f"pytest=={packages['pytest']}\n" in requirements_of(text, packages)


def test_a_made_lock_file_says_where_packages_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origins = {
        "from-git": '{"url": "https://h/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}',
        "from-archive": '{"url": "https://h/x.whl", "archive_info": {"hashes": {"sha256": "ff"}}}',
        "from-folder": '{"url": "file:///src/x", "dir_info": {"editable": true}}',
        "damaged": "{",
        "plain": "",
    }
    for name, origin in origins.items():
        folder = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        if origin:
            (folder / "direct_url.json").write_text(origin)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    from deardiary.environment.installed import pylock

    text = pylock()
    assert 'vcs = { type = "git", url = "https://h/x.git", commit-id = "abc" }' in text
    assert 'archive = { url = "https://h/x.whl", hashes = { sha256 = "ff" } }' in text
    assert 'directory = { path = "/src/x", editable = true }' in text
    assert requirements_of(text, lockfile.kind_of(text).versions(text)).splitlines() == [
        "damaged==1.0",
        "from-archive @ https://h/x.whl",
        "# from-folder was installed from the folder /src/x",
        "from-git @ git+https://h/x.git@abc",
        "plain==1.0",
    ]
