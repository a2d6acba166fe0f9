"""Chalice's own command line with a smaller package: `python -m infra.chalice deploy --stage dev`.

Chalice's own package works as well, but it is larger, starts more slowly and differs at each build. It contains every
service of botocore, no compiled code, caches of test runs, and the current time. Chalice also continues if a dependency
could not be downloaded.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import chalice.cli
from chalice.config import Config
from chalice.deploy import deployer
from chalice.deploy.packager import (
    DependencyBuilder,
    LambdaDeploymentPackager,
    MissingDependencyError,
    PipRunner,
    SubprocessPip,
)
from chalice.utils import UI, OSUtils

from infra.package import archive, route_index
from infra.package.chalice_config import is_known

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zipfile import ZipFile


class Packager(LambdaDeploymentPackager):
    """Builds identical bytes for the same sources, requirements, Python and architecture."""

    pruned = True

    def create_deployment_package(self, project_dir: str, python_version: str) -> str:
        """The path of the package. Reuse an existing one: its name is the hash of its content."""
        name = self.deployment_package_filename(project_dir, python_version)
        if not Path(name).exists():
            super().create_deployment_package(project_dir, python_version)
            archive.write_archive(Path(name), lambda root: route_index.write(Path(project_dir), root))
        return name

    def _deployment_package_filename(self, project_dir: str, python_version: str, prefix: str = "") -> str:
        # Use another name than Chalice alone would: its package of the same sources has other content.
        return super()._deployment_package_filename(project_dir, python_version, f"{prefix}lean-")

    def _iter_app_filenames(self, project_dir: str) -> Iterator[tuple[str, str]]:
        yield from sorted(
            (each for each in super()._iter_app_filenames(project_dir) if "__pycache__" not in each[0]),
            key=lambda each: each[1],
        )

    def _hash_vendor_dir(self, vendor_dir: str, md5: Any) -> None:
        for path in _sources(vendor_dir):
            md5.update(path.read_bytes())

    def _add_vendor_files(self, zipped: ZipFile, dirname: str, prefix: str = "") -> None:
        for path in _sources(dirname):
            zipped.write(path, str(Path(prefix) / path.relative_to(dirname)))

    def _build_python_dependencies(self, python_version: str, requirements: str, site_packages_dir: str) -> None:
        """Keep the dependencies beside the packages: every change of the app needs them again."""
        kept = self._kept_dependencies(Path(requirements), python_version)
        if not kept.exists():
            fresh = Path(tempfile.mkdtemp(dir=kept.parent, prefix=".new-"))
            try:
                self._dependency_builder.build_site_packages(
                    self._RUNTIME_TO_ABI[python_version], requirements, str(fresh)
                )
            except MissingDependencyError as error:
                missing = ", ".join(sorted(each.identifier for each in error.missing))
                sys.exit(f"No wheel for {python_version} on {self._architecture}: {missing}")
            if self.pruned:
                archive.prune(fresh)
            fresh.rename(kept)
        shutil.copytree(kept, site_packages_dir, dirs_exist_ok=True)

    def _kept_dependencies(self, requirements: Path, python_version: str) -> Path:
        digest = hashlib.sha256(requirements.read_bytes() + self._architecture.encode())
        # The hash includes the rules of pruning.
        digest.update(Path(archive.__file__).read_bytes())
        for constraints in sorted(requirements.parent.glob("constraints*.txt")):
            digest.update(constraints.read_bytes())
        folder = requirements.parent / ".chalice" / "deployments"
        return folder / f"dependencies-{digest.hexdigest()[:16]}-{python_version}"


def _sources(folder: str) -> list[Path]:
    """Every file below, following links, without Python's caches; `vendor/` has a link to the client's source."""
    walked = (Path(root) / name for root, _, names in os.walk(folder, followlinks=True) for name in names)
    return sorted(path for path in walked if "__pycache__" not in path.parts)


def build(project: Path, architecture: str, *, pruned: bool = True) -> Path:
    """Build the package of a Chalice project for this Python, without deploying it."""
    tools = OSUtils()
    pip = PipRunner(pip=SubprocessPip(osutils=tools), osutils=tools)
    dependencies = DependencyBuilder(osutils=tools, pip_runner=pip, architecture=architecture)
    packager = Packager(tools, dependencies, UI(out=sys.stderr), architecture)
    packager.pruned = pruned
    return Path(packager.create_deployment_package(str(project), Config.create().lambda_python_version))


def main() -> None:
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("--stage")
    given, _ = options.parse_known_args()
    if given.stage and not is_known(given.stage):
        # Chalice would deploy an unknown stage without any settings.
        sys.exit(
            f"Stage {given.stage} is not in .chalice/config.json; `.venv/bin/python -m infra up --add-stage` adds it"
        )
    # Chalice looks this name up when it builds; it has no setting for it.
    vars(deployer)["LambdaDeploymentPackager"] = Packager
    chalice.cli.main()


if __name__ == "__main__":
    main()
