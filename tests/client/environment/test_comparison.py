"""``restore(verify=True)`` for lock files whose packages another tool installs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.client.environment.lock_samples import SAMPLES, Sample
from tests.client.environment.test_lockfiles import JULIA_TEXT, fields_of, program, restore

JULIA_1, JULIA_2, RENV = SAMPLES["julia 1"], SAMPLES["julia 2"], SAMPLES["renv"]
CONDA_KINDS = pytest.mark.parametrize(
    ("sample", "folder"),
    [
        (SAMPLES["conda-lock"], ".conda"),
        (SAMPLES["pixi 6"], ".pixi/envs/default"),
        (SAMPLES["pixi 7"], ".pixi/envs/default"),
    ],
    ids=["conda-lock", "pixi 6", "pixi 7"],
)


def unversioned(sample: Sample) -> dict[str, object]:
    """A snapshot of another language's client, without a version of Python."""
    return fields_of(sample) | {"python_version": ""}


@pytest.fixture
def bin_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Simulate a machine that has only the programs in this folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def julia(folder: Path, *lines: str, status: int = 0) -> None:
    """A program with the output of julia: a line for each package."""
    said = "".join(f"printf '{line}\\n'\n" for line in lines)
    program(folder / "julia", f'#!/bin/sh\necho "$JULIA_LOAD_PATH" "$1" "$2" >&2\n{said}exit {status}\n')


@pytest.mark.parametrize(
    ("found", "differences"),
    [
        (["julia\ttrue\t1.10.2", "Adapt\ttrue\t4.0.3", "Example\ttrue\t0.5.3", "Dates\ttrue\t"], ()),
        (
            ["julia\ttrue\t1.11.0", "Adapt\tfalse\t4.0.3", "Example\ttrue\t0.5.4", "Other\ttrue\t1.0.0"],
            (
                "Adapt: 4.0.3 then, not installed now",
                "Example: 0.5.3 then, 0.5.4 now",
                "julia: 1.10.2 then, 1.11.0 now",
            ),
        ),
        (["julia\ttrue\t1.10.2", "Adapt\ttrue\t", "Example\ttrue\t0.5.3", "a line of another kind"], ()),
    ],
    ids=["the same", "different", "a package that comes with Julia"],
)
def test_versions_of_a_manifest_are_compared_with_those_of_julia(
    found: list[str], differences: tuple[str, ...], bin_only: Path, tmp_path: Path
) -> None:
    julia(bin_only, *found)
    restored = restore(tmp_path / "again", unversioned(JULIA_2), verify=True)
    assert restored.differences == differences
    assert restored.compared == (
        f"3 packages of Manifest.toml with what {bin_only / 'julia'} finds for {tmp_path / 'again'}",
    )
    assert restored.not_compared == ()


@pytest.mark.parametrize(
    ("sample", "ran", "differences"),
    [
        (JULIA_1, "1.5.3", ()),
        (JULIA_1, "1.5.4", ("julia: 1.5.4 then, 1.5.3 now",)),
        (JULIA_2, "1.5.3", ("Adapt: 4.0.3 then, not installed now",)),
    ],
    ids=["format 1", "another version", "a manifest of another version"],
)
def test_the_julia_that_ran_counts_and_not_the_one_that_wrote_the_manifest(
    sample: Sample, ran: str, differences: tuple[str, ...], bin_only: Path, tmp_path: Path
) -> None:
    julia(bin_only, "julia\ttrue\t1.5.3", "Compat\ttrue\t3.23.0", "Example\ttrue\t0.5.3")
    restored = restore(tmp_path / "again", unversioned(sample) | {"julia_version": ran}, verify=True)
    assert restored.differences == differences


def test_no_package_of_the_project_is_loaded_to_compare(bin_only: Path, tmp_path: Path) -> None:
    julia(bin_only, status=3)
    restored = restore(tmp_path / "again", unversioned(JULIA_2), verify=True)
    assert restored.not_compared == (
        f"packages of Manifest.toml: julia failed: @stdlib --project={tmp_path / 'again'} --startup-file=no",
    )
    assert (restored.differences, restored.compared) == ((), ())


def test_without_julia_the_manifest_in_the_folder_is_compared(bin_only: Path, tmp_path: Path) -> None:
    restored = restore(tmp_path / "again", unversioned(JULIA_2), verify=True)
    manifest = tmp_path / "again" / "Manifest.toml"
    assert restored.differences == ("julia: 1.10.2 then, not installed now",)
    assert restored.compared == (
        f"3 packages of Manifest.toml with {manifest}, not with what is installed: julia is not found",
    )


def environment(prefix: Path, conda: dict[str, str], pip: dict[str, str]) -> None:
    """An environment in conda's form: a record for each conda package, metadata for those of pip."""
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "conda-meta" / "history").write_text("")
    for name, version in conda.items():
        (prefix / "conda-meta" / f"{name}-{version}-py312_0.json").write_text("{}")
    for name, version in pip.items():
        info = prefix / f"lib/python3.12/site-packages/{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@CONDA_KINDS
def test_packages_of_conda_and_of_pip_are_compared(sample: Sample, folder: str, tmp_path: Path) -> None:
    prefix = tmp_path / "again" / folder
    by_conda = {name: version for name, version in sample.versions.items() if name != "flask-login"}
    environment(prefix, {**by_conda, "python": "3.11.7"}, {"flask_login": "0.6.3"})
    restored = restore(tmp_path / "again", fields_of(sample), verify=True)
    assert restored.differences == ()
    assert restored.compared == (f"{len(sample.versions)} packages of {sample.name} with {prefix}",)
    name = next(iter(by_conda))
    (prefix / "conda-meta" / f"{name}-{by_conda[name]}-py312_0.json").unlink()
    (prefix / "lib/python3.12/site-packages/flask_login-0.6.3.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: Flask-Login\nVersion: 0.7\n"
    )
    assert restore(tmp_path / "again", fields_of(sample), verify=True).differences == tuple(
        sorted((f"{name}: {by_conda[name]} then, not installed now", "flask-login: 0.6.3 then, 0.7 now"))
    )


@CONDA_KINDS
def test_the_conda_environment_that_runs_the_command_is_compared_if_there_is_no_other(
    sample: Sample, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(tmp_path / "base", {"python": "3.11.7"}, {})
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "base"))
    restored = restore(tmp_path / "again", fields_of(sample), verify=True)
    assert restored.compared == (f"{len(sample.versions)} packages of {sample.name} with {tmp_path / 'base'}",)
    assert len(restored.differences or ()) == len(sample.versions)


def damaged(sample: Sample, old: str, new: str) -> dict[str, object]:
    return unversioned(sample) | {"manifest_toml": sample.with_login("").replace(old, new)}


PIXI, CONDA_LOCK = SAMPLES["pixi 6"], SAMPLES["conda-lock"]
NOT_COMPARED = {
    "no environment": (unversioned(PIXI), "there is no environment in"),
    "another layout of pixi": (damaged(PIXI, "  default:", "  default: &anchor"), "it has no default environment for"),
    "no package of this platform": (damaged(PIXI, "  default:", "  other:"), "it has no default environment for"),
    "another archive": (damaged(PIXI, "_libgcc_mutex-0.1-conda_forge", "x"), "its layout is not one that"),
    "another layout of conda-lock": (
        damaged(CONDA_LOCK, "  version: '2.0'", "  version:"),
        "its layout is not one that",
    ),
    "conda-lock of another platform": (damaged(CONDA_LOCK, "  platform: ", "  platform: x-"), "it has no packages for"),
    "no library of R": (unversioned(RENV), "there is no library for R 4.4 in"),
    "another renv.lock": (damaged(RENV, '"Packages"', '"Package"'), "it cannot be read: KeyError"),
}


@pytest.mark.parametrize(("fields", "reason"), NOT_COMPARED.values(), ids=NOT_COMPARED.keys())
def test_a_part_that_cannot_be_compared_is_reported(
    fields: dict[str, object], reason: str, bin_only: Path, tmp_path: Path
) -> None:
    restored = restore(tmp_path / "again", fields, verify=True)
    assert (restored.differences, restored.compared) == ((), ())
    (said,) = restored.not_compared
    assert said.startswith("packages of ")
    assert reason in said


def test_a_julia_manifest_that_cannot_be_read_is_not_compared(bin_only: Path, tmp_path: Path) -> None:
    from deardiary.environment.kinds.julia import JULIA
    from deardiary.environment.kinds.kind import NotComparable

    with pytest.raises(NotComparable, match=r"julia is not found, and .* cannot be read"):
        JULIA.present(tmp_path, JULIA.versions(JULIA_TEXT))


def library(folder: Path, packages: dict[str, str]) -> None:
    for name, version in packages.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "DESCRIPTION").write_text(f"Package: {name}\nVersion: {version}\nTitle: Version: no\n")


@pytest.mark.parametrize("folder", ["renv/library/R-4.4/x86_64-pc-linux-gnu", "renv/library/linux-debian/R-4.4/x86_64"])
@pytest.mark.parametrize("has_r", [True, False])
def test_packages_of_r_are_compared_with_the_projects_library(
    folder: str, has_r: bool, bin_only: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    library(again / folder, {"R6": "2.5.0"})
    library(again / "renv/library/R-4.3/x86_64", {"R6": "2.5.1"})
    library(tmp_path / "system", {"MASS": "7.3-60.2"})
    if has_r:
        answer = json.dumps(f"4.4.2\n{tmp_path / 'system'}").strip('"')
        program(bin_only / "Rscript", f"#!/bin/sh\n[ \"$1\" = --vanilla ] && printf '{answer}\\n'\n")
    restored = restore(again, unversioned(RENV), verify=True)
    r6 = "R6: 2.5.1 then, 2.5.0 now"
    without = ("MASS: 7.3-60.2 then, not installed now", "R: 4.4.1 then, not installed now", r6)
    assert restored.differences == (("R: 4.4.1 then, 4.4.2 now", r6) if has_r else without)
    with_r = f"{again / folder} and R's own library" if has_r else f"{again / folder}; Rscript is not found"
    assert restored.compared == (f"3 packages of renv.lock with {with_r}",)
