"""The client installs from its wheel and its sdist, as docs/install.md describes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CLIENT = Path(__file__).parents[2] / "client"
PAGE = (CLIENT.parent / "docs" / "install.md").read_text()
_USE = "import deardiary; from importlib.resources import files; assert files(deardiary).joinpath('py.typed').is_file()"


def _lacking() -> str | None:
    """Name the package that a build without internet needs and this environment lacks."""
    try:
        metadata.version("build")
        recent = int(metadata.version("setuptools").partition(".")[0]) >= 77
    except metadata.PackageNotFoundError as error:
        return error.name
    return None if recent else "setuptools>=77"


def _copied(name: str, folder: Path) -> Path:
    """A copy of a package's folder, because a build leaves folders beside its sources."""
    ignored = shutil.ignore_patterns("*.egg-info", "build", "dist", "__pycache__")
    return Path(shutil.copytree(CLIENT.parent / name, folder / name, ignore=ignored))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist; the wheel is built from the unpacked sdist."""
    if lacking := _lacking():
        pytest.skip(f"building the client needs {lacking}: pip install -r requirements-dev.txt")
    folder = tmp_path_factory.mktemp("built")
    source = _copied("client", folder)
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder / "dist"), str(source))
    return folder / "dist"


def _run(*words: str) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_works_in_an_environment_of_its_own(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=False)
    python = str(tmp_path / "venv" / "bin" / "python")
    _run(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-compile", str(wheel))
    _run(python, "-I", "-c", _USE)
    assert _run(str(tmp_path / "venv" / "bin" / "deardiary"), "--version") == f"deardiary {version_of(wheel)}\n"


def test_both_packages_install_from_a_clone(built: Path, tmp_path: Path) -> None:
    """As `pip install ./client ./exchange`, but without their dependencies, which an index would give."""
    assert built.is_dir()  # or building is impossible here
    sources = [str(_copied(name, tmp_path)) for name in ("client", "exchange")]
    target = tmp_path / "installed"
    pip = (sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation", "--no-compile")
    _run(*pip, "--target", str(target), *sources)
    assert (target / "deardiary_exchange" / "py.typed").is_file()
    versions = [each.version for each in metadata.distributions(path=[str(target)])]
    assert versions == [metadata.version("deardiary")] * 2


def version_of(wheel: Path) -> str:
    return wheel.name.split("-")[1]


def test_the_page_names_the_wheel_as_it_is_built(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    assert set(re.findall(r"deardiary-[\w.]+-py3-none-any\.whl", PAGE)) == {wheel.name}
    assert set(re.findall(r"/v([\w.]+)/|@v([\w.]+)#", PAGE)) == {(version_of(wheel), ""), ("", version_of(wheel))}


def test_wheel_and_sdist_hold_every_module(built: Path) -> None:
    modules = {str(path.relative_to(CLIENT / "src")) for path in (CLIENT / "src").rglob("*.py")}
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        assert modules <= set(archive.namelist())
    with tarfile.open(sdist) as archive:
        names = {name.partition("/src/")[2] for name in archive.getnames()}
    assert modules <= names


def test_pip_can_read_the_requirements_on_the_page() -> None:
    texts = re.findall(r'pip install "(deardiary[^"]+)"', PAGE)
    parsed = [Requirement(text) for text in texts]
    folders = {"deardiary": "client", "deardiary-exchange": "exchange"}
    assert {each.name for each in parsed} == set(folders)
    assert all(str(each.url).endswith(f"#subdirectory={folders[each.name]}") for each in parsed)


def test_the_page_names_the_extras_and_the_python_that_the_package_does() -> None:
    project = (CLIENT / "pyproject.toml").read_text()
    extras = re.findall(
        r"^([\w-]+) = \[", project.partition("[project.optional-dependencies]")[2].partition("\n[")[0], re.MULTILINE
    )
    assert re.findall(r"^\| `([\w-]+)` \|", PAGE, re.MULTILINE) == extras
    (oldest,) = re.findall(r'requires-python = ">=([\d.]+)"', project)
    assert f"Python {oldest} or newer" in PAGE
