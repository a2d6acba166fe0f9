"""Installed packages as a lock file, ``pylock.toml`` of PEP 751, for projects without one.

The file that a package was installed from is known only for a package from a URL. Without a request to an index, only
name and version of the others are known.
"""

import json
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from typing import Any

MADE_BY_US = "deardiary"


def normalised(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(path: Iterable[str] | None = None) -> dict[str, str]:
    """Versions by normalised name: of this Python's packages, or of those on ``path``."""
    return {name: each.version for name, each in _distributions(path)}


def pylock() -> str:
    head = f'lock-version = "1.0"\nrequires-python = "=={platform.python_version()}"\ncreated-by = "{MADE_BY_US}"\n'
    found = sorted(dict(_distributions(None)).items())
    return head + "".join(_entry(name, distribution) for name, distribution in found)


def requirements_of(pylock_text: str, packages: Mapping[str, str]) -> str:
    """The lines of a requirements file for a lock file of DearDiary. Packages from a URL are named by their URL."""
    sources = dict(_sources(pylock_text))
    lines = [sources.get(name, f"{name}=={version}") for name, version in packages.items()]
    return "".join(f"{line}\n" for line in lines)


def _distributions(path: Iterable[str] | None) -> Iterator[tuple[str, metadata.Distribution]]:
    found = metadata.distributions() if path is None else metadata.distributions(path=list(path))
    seen = set()
    for each in found:
        try:
            name, version = each.metadata["Name"], each.version
        except (KeyError, TypeError, OSError, UnicodeError):
            continue  # remnants of an interrupted uninstallation
        if name and version and normalised(name) not in seen:  # Python imports the first
            seen.add(normalised(name))
            yield normalised(name), each


def _entry(name: str, distribution: metadata.Distribution) -> str:
    lines = ["", "[[packages]]", f"name = {_text(name)}", f"version = {_text(distribution.version)}"]
    return "\n".join([*lines, *_source(_direct_url(distribution)), ""])


def _direct_url(distribution: metadata.Distribution) -> dict[str, Any]:
    try:
        data = json.loads(distribution.read_text("direct_url.json") or "{}")
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) and isinstance(data.get("url"), str) else {}


def _source(direct: Mapping[str, Any]) -> Iterator[str]:
    """The source of a package, from the form of PEP 610 to that of PEP 751."""
    if not direct:
        return
    url, vcs, folder = direct["url"], direct.get("vcs_info"), direct.get("dir_info")
    if isinstance(vcs, dict):
        commit = str(vcs.get("commit_id", ""))
        yield f"vcs = {{ type = {_text(str(vcs.get('vcs', 'git')))}, url = {_text(url)}, commit-id = {_text(commit)} }}"
    elif isinstance(folder, dict):
        editable = "true" if folder.get("editable") else "false"
        yield f"directory = {{ path = {_text(url.removeprefix('file://'))}, editable = {editable} }}"
    else:
        hashes = direct.get("archive_info", {}).get("hashes") or {}
        pairs = ", ".join(f"{name} = {_text(str(value))}" for name, value in hashes.items())
        yield f"archive = {{ url = {_text(url)}, hashes = {{ {pairs} }} }}"


def _sources(pylock_text: str) -> Iterator[tuple[str, str]]:
    """The requirement of each package from a URL; a comment for a package from a folder of that machine."""
    entries = re.findall(
        r'^\[\[packages\]\]\nname = "([^"]+)"\n(.*?)(?=^\[\[|\Z)', pylock_text, re.DOTALL | re.MULTILINE
    )
    for name, entry in entries:
        vcs = re.search(r'^vcs = \{ type = "([^"]*)", url = "([^"]*)", commit-id = "([^"]*)"', entry, re.MULTILINE)
        archive = re.search(r'^archive = \{ url = "([^"]*)"', entry, re.MULTILINE)
        folder = re.search(r'^directory = \{ path = "([^"]*)"', entry, re.MULTILINE)
        if vcs:
            yield name, f"{name} @ {vcs[1]}+{vcs[2]}@{vcs[3]}"
        elif archive:
            yield name, f"{name} @ {archive[1]}"
        elif folder:
            yield name, f"# {name} was installed from the folder {folder[1]}"


def _text(value: str) -> str:
    """A basic string of TOML, which has the escapes of JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
