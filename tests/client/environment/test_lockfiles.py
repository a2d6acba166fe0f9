"""Lock files of every kind: captured, recognised by their content, restored and installed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary.environment.lockfile import kind_of
from tests.client.environment.lock_samples import INSTANTIATE, LOGIN, SAMPLES, Sample
from tests.support import transports
from tests.support.transports import FakeServer, client_of

if TYPE_CHECKING:
    from deardiary.environment.restore import Restored
    from tests.client.environment.conftest import Repository

MASK = "***@"
EVERY = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
JULIA = SAMPLES["julia 2"]
JULIA_TEXT, JULIA_PROJECT = JULIA.with_login(""), str(JULIA.project)


def fields_of(sample: Sample, login: str = "") -> dict[str, Any]:
    """The fields that a client sends in a snapshot."""
    texts = {"manifest_toml": sample.with_login(login), "project_toml": sample.project}
    return {"python_version": "3.11.7", **texts}


def restore(directory: Path, fields: dict[str, Any], **options: Any) -> Restored:
    server = FakeServer()
    server.answers = {"GET /iterations/i1/snapshot": (200, transports.iteration(**fields))}
    return deardiary.restore("i1", directory, client=client_of(server), **options)


def contents(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir() if path.is_file()}


@EVERY
def test_a_lock_file_is_recognised_by_its_content_and_read(sample: Sample) -> None:
    text = sample.with_login("")
    kind = kind_of(text)
    assert kind.name == sample.name
    assert kind.versions(text) == sample.versions


@pytest.mark.parametrize("text", ["", "\n" * 20_000, "{", "# by hand\n", "\0", "version: 6\n" + "\n" * 20_000])
def test_any_other_text_is_a_list_of_requirements(text: str) -> None:
    assert kind_of(text).name == ("Pipfile.lock" if text == "{" else "requirements.txt")


@EVERY
def test_a_lock_file_comes_back_under_its_name_and_twice_is_harmless(sample: Sample, tmp_path: Path) -> None:
    for _ in range(2):
        restored = restore(tmp_path / "again", fields_of(sample))
        assert contents(tmp_path / "again") == files_of(sample)
        assert {path.name for path in restored.files} == files_of(sample).keys()
        assert restored.command == sample.command


def files_of(sample: Sample, login: str = "") -> dict[str, str]:
    project = {} if sample.project is None else {sample.project_name: sample.project}
    return {**project, sample.name: sample.with_login(login)}


@EVERY
def test_a_file_that_is_there_and_differs_is_never_replaced(sample: Sample, tmp_path: Path) -> None:
    for name in files_of(sample):
        (tmp_path / name).write_text("mine\n")
        with pytest.raises(FileExistsError, match=f"{name} is there and says something else"):
            restore(tmp_path, fields_of(sample))
        assert contents(tmp_path) == {name: "mine\n"}
        (tmp_path / name).unlink()


def project_of(repository: Repository, sample: Sample, login: str = "") -> None:
    """Turn the repository into a project of the sample."""
    (repository.path / "pyproject.toml").unlink()
    for name, text in files_of(sample, login).items():
        repository.write(name, text)


@EVERY
def test_a_lock_file_is_captured_without_its_credentials(repository: Repository, sample: Sample) -> None:
    project_of(repository, sample, LOGIN)
    found = deardiary.capture_environment(repository.path)
    assert (found.manifest_toml, found.project_toml) == (sample.with_login(MASK), sample.project)
    assert found.julia_version == (sample.versions.get("julia") if sample.name == "Manifest.toml" else None)
    assert "sesame" not in repr(found)
    assert any(line.startswith(f"{sample.name}, line ") for line in found.redacted)


@EVERY
def test_nothing_is_installed_until_credentials_are_filled_in(sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=rf"{sample.name}, line \d+: replace \*\*\* in the URL"):
        restore(tmp_path, fields_of(sample, MASK), install=True)
    (tmp_path / sample.name).write_text(sample.with_login(LOGIN))
    assert restore(tmp_path, fields_of(sample, MASK)).command == sample.command
    assert (tmp_path / sample.name).read_text() == sample.with_login(LOGIN)


def test_the_token_of_a_conda_channel_is_replaced(repository: Repository, tmp_path: Path) -> None:
    token = "ab-12345678-1234-1234-1234-123456789012"
    text = SAMPLES["pixi 6"].with_login("").replace("conda.example/", f"conda.example/t/{token}/")
    repository.write("pixi.lock", text)
    found = deardiary.capture_environment(repository.path).manifest_toml
    assert found == text.replace(token, "***")
    restored = restore(tmp_path / "again", {"manifest_toml": found})
    assert any(remark.startswith("pixi.lock, line 5: replace ***") for remark in restored.remarks)


TOOL = """\
#!/bin/sh
echo "${0##*/}" "$@" >> "$CALLED"
case "$*" in "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;; esac
"""


@EVERY
def test_install_runs_the_command_of_the_tool(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = {"julia", "Rscript", "uv", "poetry", "pdm", "pipenv", "pixi", "conda-lock", "python3.11"}
    for name in tools:
        program(tmp_path / "bin" / name, TOOL)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("CALLED", str(tmp_path / "called"))
    restored = restore(tmp_path / "again", fields_of(sample), install=True)
    called = (tmp_path / "called").read_text().splitlines()
    assert called == [" ".join([Path(first).name, *rest]) for first, *rest in restored.commands]
    assert restored.command == sample.command


def program(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)


# A capture uses the first lock file that exists, in this order.
ORDER = ("uv", "pylock", "poetry", "pdm", "pipenv", "pixi 6", "conda-lock", "pip", "julia 2", "renv")


def test_lock_files_are_looked_for_in_the_documented_order(repository: Repository) -> None:
    (repository.path / "pyproject.toml").unlink()
    repository.write("Project.toml", JULIA_PROJECT)
    for sample in map(SAMPLES.__getitem__, ORDER):
        repository.write(sample.name, sample.with_login(""))
    for sample in map(SAMPLES.__getitem__, ORDER):
        assert deardiary.capture_environment(repository.path, diff=False).manifest_toml == sample.with_login("")
        (repository.path / sample.name).unlink()
    documented = (Path(__file__).parents[3] / "docs" / "environment.md").read_text()
    names = [f"`{SAMPLES[key].name}`" for key in ORDER]
    assert ", ".join(names[:-2]) in documented


@dataclasses.dataclass
class Case:
    """The files of a folder, and those that a capture uses as project and lock file."""

    files: dict[str, str]
    project: str | None = None
    lock: str | None = None
    start: str = "."


CASES = {
    "Julia": Case({"Project.toml": "p", "Manifest.toml": JULIA_TEXT}, "Project.toml", "Manifest.toml"),
    "Julia's other names": Case(
        {
            "JuliaProject.toml": "p",
            "Project.toml": "q",
            "JuliaManifest.toml": JULIA_TEXT,
            "Manifest.toml": SAMPLES["julia 1"].with_login(""),
        },
        "JuliaProject.toml",
        "JuliaManifest.toml",
    ),
    "mixed names": Case({"JuliaProject.toml": "p", "Manifest.toml": JULIA_TEXT}, "JuliaProject.toml", "Manifest.toml"),
    "a project of Python goes first": Case(
        {"pyproject.toml": "p", "Project.toml": "q", "Manifest.toml": JULIA_TEXT}, "pyproject.toml"
    ),
    "one of Python above goes first": Case(
        {"pyproject.toml": "p", "julia/Project.toml": "q", "julia/Manifest.toml": JULIA_TEXT},
        "pyproject.toml",
        start="julia",
    ),
    "Julia above": Case(
        {"Project.toml": "p", "Manifest.toml": JULIA_TEXT, "src/train.py": ""},
        "Project.toml",
        "Manifest.toml",
        start="src",
    ),
    "a manifest alone": Case({"Manifest.toml": JULIA_TEXT}),
    "a project alone": Case({"Project.toml": JULIA_PROJECT}),
    "a manifest of another tool": Case({"Project.toml": "p", "Manifest.toml": '[package]\nname = "x"\n'}),
    "R": Case({"renv.lock": SAMPLES["renv"].with_login("")}, None, "renv.lock"),
    "pixi with a pixi.toml": Case(
        {"pixi.toml": "p", "pyproject.toml": "q", "pixi.lock": SAMPLES["pixi 6"].with_login("")},
        "pixi.toml",
        "pixi.lock",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_project_is_recognised_by_its_files(repository: Repository, case: Case) -> None:
    (repository.path / "pyproject.toml").unlink()
    for name, text in case.files.items():
        repository.write(name, text)
    found = deardiary.capture_environment(repository.path / case.start, diff=False)
    assert found.project_toml == (case.files[case.project] if case.project else None)
    assert found.manifest_toml is not None
    if case.lock:
        assert found.manifest_toml == case.files[case.lock]
    else:
        assert kind_of(found.manifest_toml).name == "pylock.toml"
        assert 'created-by = "deardiary"' in found.manifest_toml
        assert found.fields().keys().isdisjoint({"julia_version"})


def test_a_julia_project_goes_back_under_the_names_of_the_checkout(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository.path / "pyproject.toml").unlink()
    repository.write("models/JuliaProject.toml", JULIA_PROJECT)
    repository.write("models/src/train.py", "\n")
    repository.write(".gitignore", "*Manifest.toml\n")
    repository.commit()
    repository.write("models/JuliaManifest.toml", JULIA_TEXT)
    fields = deardiary.capture_environment(repository.path / "models/src").fields()
    assert fields["manifest_toml"] == JULIA_TEXT
    monkeypatch.chdir(repository.path)
    for _ in range(2):
        restored = restore(tmp_path / "again", fields | {"entrypoint": "models/src/train.py"})
        assert restored.project == tmp_path / "again/models"
        assert set(contents(restored.project)) == {"JuliaProject.toml", "Manifest.toml"}
    (restored.project / "Manifest.toml").rename(restored.project / "JuliaManifest.toml")
    assert (
        restored.project / "JuliaManifest.toml"
        in restore(tmp_path / "again", fields | {"entrypoint": "models/src/train.py"}).files
    )


@pytest.mark.parametrize(
    "manifest", [None, "", "# This file is machine-generated - editing it directly is not advised\n"]
)
def test_a_julia_project_without_packages_is_still_one_of_julia(manifest: str | None, tmp_path: Path) -> None:
    restored = restore(tmp_path / "again", {"project_toml": JULIA_PROJECT, "manifest_toml": manifest})
    names = {"Project.toml"} | ({"Manifest.toml"} if manifest is not None else set())
    assert set(contents(tmp_path / "again")) == names
    assert restored.command == (INSTANTIATE if manifest is not None else "")
