"""Julia's Manifest.toml, formats 1 and 2."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from deardiary.environment.kinds.kind import Kind, NotComparable, Present

_PROJECTS = ("JuliaProject.toml", "Project.toml")  # in the order of Base.project_names
_MANIFESTS = ("JuliaManifest.toml", "Manifest.toml")  # in the order of Base.manifest_names
_UUID = r'"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"'
_HEAD = re.compile(
    r"\A\s*# This file is machine-generated - editing it directly is not advised|^manifest_format = ", re.MULTILINE
)
_ENTRY_WITH_UUID = re.compile(rf"^\[\[(?:deps\.)?\w+\]\]\r?\n(?:[\w-]+ = .*\n)*?uuid = {_UUID}", re.MULTILINE)
_PROJECT = re.compile(rf"^\w+ = {_UUID}", re.MULTILINE)
_PYTHON_PROJECT = re.compile(r"^\[(?:project|build-system|tool)\b", re.MULTILINE)
_JULIA_VERSION = re.compile(r'^julia_version = "([\w.+-]{1,64})"', re.MULTILINE)
_ENTRY = re.compile(r'^\[\[(?:deps\.)?"?([^\]".]+)"?\]\]')
_VERSION = re.compile(r'^version = "([^"]+)"')
_SECONDS = 300.0  # Julia may compile Pkg first
# A line for each package: its name, whether it is in a depot, and its version.
_LIST = """
using Pkg
println("julia\\ttrue\\t", VERSION)
for package in values(Pkg.dependencies())
    is_there = package.source !== nothing && ispath(package.source)
    println(package.name, "\\t", is_there, "\\t", something(package.version, ""))
end
"""


def is_project(text: str) -> bool:
    """Whether a project file's text is that of a Project.toml."""
    return bool(_PROJECT.search(text)) and not _PYTHON_PROJECT.search(text)


def version_in(text: str) -> str | None:
    """The version of Julia that wrote a Manifest.toml; format 1 does not tell."""
    found = _JULIA_VERSION.search(text)
    return found[1] if found else None


def _recognises(text: str) -> bool:
    return bool(_HEAD.search(text) or _ENTRY_WITH_UUID.search(text))


def _versions(text: str) -> dict[str, str]:
    """The versions of packages, and of Julia. A standard library has that of Julia, and often none in the file."""
    julia = version_in(text)
    return _joined([*([("julia", julia)] if julia else []), *_entries(text)])


def _entries(text: str) -> Iterator[tuple[str, str]]:
    name = ""
    for line in text.splitlines():
        if line.lstrip().startswith("["):
            entry = _ENTRY.match(line)
            name = entry[1] if entry else ""
        version = _VERSION.match(line)
        if name and version:
            yield name, version[1]


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By name; of different packages that share a name, all versions."""
    versions: dict[str, list[str]] = {}
    for name, version in pairs:
        versions.setdefault(name, []).append(version)
    return {name: ", ".join(sorted(found)) for name, found in versions.items()}


def _present(project: Path, locked: Mapping[str, str]) -> Present:
    """The packages that ``julia`` finds in its depots, or else what the manifest in the folder says."""
    program = shutil.which("julia")
    manifest = project / JULIA.name_in(project)
    if program:
        return Present(versions=_found_by(program, project, locked), source=f"what {program} finds for {project}")
    try:
        there = dict(_entries(manifest.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise NotComparable(f"julia is not found, and {manifest} cannot be read: {error}") from error
    return Present(versions=there, source=f"{manifest}, not with what is installed: julia is not found")


def _found_by(program: str, project: Path, locked: Mapping[str, str]) -> dict[str, str]:
    """Run Julia with its standard library alone: a package named Pkg in a restored manifest must not run here."""
    command = (program, f"--project={project}", "--startup-file=no", "-e", _LIST)
    environment = {**os.environ, "JULIA_LOAD_PATH": "@stdlib", "JULIA_PKG_OFFLINE": "true"}
    try:
        ran = subprocess.run(  # noqa: S603 - the program is on the user's PATH
            command, env=environment, capture_output=True, text=True, check=True, timeout=_SECONDS
        )
    except subprocess.CalledProcessError as error:
        raise NotComparable(f"julia failed: {error.stderr.strip()[:500]}") from error
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise NotComparable(f"julia failed: {error}") from error
    return _installed(ran.stdout, locked)


def _installed(output: str, locked: Mapping[str, str]) -> dict[str, str]:
    """A package without a version comes with Julia, whose own version is compared."""
    lines = (line.split("\t") for line in output.splitlines() if line.count("\t") == len(("name", "is_there")))
    return _joined((name, version or locked.get(name, "")) for name, is_there, version in lines if is_there == "true")


JULIA = Kind(
    names=_MANIFESTS,
    projects=_PROJECTS,
    needs_project=True,
    recognises=_recognises,
    commands=(("julia", "--project=.", "-e", "using Pkg; Pkg.instantiate()"),),
    versions=_versions,
    present=_present,
)
