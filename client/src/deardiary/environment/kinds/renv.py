"""renv.lock, of projects in R."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from deardiary.environment.kinds.kind import Kind, NotComparable, Present

_FIRST_KEY = re.compile(r'\A\s*\{\s*"(?:R|Bioconductor|Packages|Python|renv)"\s*:')
_VERSION = re.compile(r"^Version:\s*(\S+)", re.MULTILINE)
_SECONDS = 60.0
_ASK = "cat(as.character(getRversion()), .Library, sep = '\\n')"


def _versions(text: str) -> dict[str, str]:
    try:
        lock = json.loads(text)
        packages = {name: str(entry["Version"]) for name, entry in lock["Packages"].items()}
        return {"R": str(lock["R"]["Version"]), **packages}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotComparable(f"it cannot be read: {type(error).__name__} {error}") from error


def _present(project: Path, locked: Mapping[str, str]) -> Present:
    version, library = _of_r()
    minor = ".".join((version or locked["R"]).split(".")[:2])
    patterns = (f"renv/library/R-{minor}/*", f"renv/library/*/R-{minor}/*")
    folders = [folder for pattern in patterns for folder in sorted(project.glob(pattern)) if folder.is_dir()]
    if not folders:
        raise NotComparable(f"there is no library for R {minor} in {project / 'renv/library'}; --install creates it")
    found = {name: each for folder in [*([library] if library else []), *folders] for name, each in _in(folder)}
    source = f"{folders[-1]} and R's own library" if library else f"{folders[-1]}; Rscript is not found"
    return Present(versions={**found, **({"R": version} if version else {})}, source=source)


def _in(library: Path) -> Iterator[tuple[str, str]]:
    for path in library.glob("*/DESCRIPTION"):
        try:
            version = _VERSION.search(path.read_text("utf-8", "replace"))
        except OSError:
            continue
        if version:
            yield path.parent.name, version[1]


def _of_r() -> tuple[str | None, Path | None]:
    """The version of R and the library that comes with it; None without R. No file of the project is run."""
    from pathlib import Path

    program = shutil.which("Rscript")
    if program is None:
        return None, None
    command = (program, "--vanilla", "-e", _ASK)
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)  # noqa: S603
        version, library = ran.stdout.strip().split("\n")
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise NotComparable(f"Rscript failed: {error}") from error
    return version, Path(library)


RENV = Kind(
    names=("renv.lock",),
    recognises=lambda text: bool(_FIRST_KEY.match(text)),
    commands=(("Rscript", "-e", "renv::restore(library = renv::paths$library(), prompt = FALSE)"),),
    versions=_versions,
    present=_present,
)
