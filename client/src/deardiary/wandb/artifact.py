"""Artifacts: named sets of files. Each is a model of the project, with a version for each time it is logged."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from deardiary.client import Client
from deardiary.transfer import paths
from deardiary.wandb.errors import UsageError
from deardiary.wire.shapes import ModelVersion

MANIFEST = "manifest.json"


class Artifact:
    """Files of one name and type, such as "dataset" or "model". `Run.log_artifact` stores them as a new version."""

    def __init__(
        self,
        name: str,
        type: str,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        if not name or any(mark in name for mark in ":@/\\"):
            raise ValueError(f"The name of an artifact has none of : @ / \\, and is not empty: {name!r}")
        self.name, self.type, self.description = name, type, description or ""
        self.metadata = dict(metadata or {})
        self.files: dict[str, Path] = {}
        self.references: dict[str, str] = {}

    def add_file(self, local_path: str, name: str | None = None, **_left_out: Any) -> None:
        """FileNotFoundError if there is no such file."""
        path = Path(local_path)
        if not path.is_file():
            raise FileNotFoundError(f"There is no file {path} to add to the artifact {self.name!r}")
        self.files[paths.checked_name(name or path.name)] = path

    def add_dir(self, local_path: str, name: str | None = None, **_left_out: Any) -> None:
        """Add every file below the folder."""
        folder = Path(local_path)
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no folder {folder} to add to the artifact {self.name!r}")
        self.files.update(paths.files_in(folder, name or ""))

    def add_reference(self, uri: str, name: str | None = None, **_left_out: Any) -> None:
        """Name data that stays where it is."""
        self.references[name or str(uri).rstrip("/").rpartition("/")[2]] = str(uri)

    @contextlib.contextmanager
    def new_file(self, name: str, mode: str = "w", encoding: str | None = None) -> Iterator[IO[Any]]:
        """Open a file that becomes part of the artifact."""
        path = Path(tempfile.mkdtemp(prefix="deardiary-"), Path(name).name)
        with path.open(mode, encoding=encoding) as file:
            yield file
        self.files[paths.checked_name(name)] = path

    def manifest(self) -> str:
        """The parts of the artifact, as JSON."""
        parts = {"name": self.name, "type": self.type, "metadata": self.metadata}
        return json.dumps({**parts, "files": sorted(self.files), "references": self.references}, default=str, indent=1)

    def wait(self, timeout: float | None = None) -> Artifact:
        return self


class UsedArtifact:
    """A version of an artifact that is on the server."""

    def __init__(self, client: Client, name: str, version: ModelVersion) -> None:
        self._client, self.name, self._version = client, name, version
        self.version = f"v{version.version}"

    def download(self, root: str | None = None, **_left_out: Any) -> str:
        """Download its files into a folder, by default ``artifacts/NAME-vVERSION``; return the folder's path."""
        folder = Path(root or f"artifacts/{self.name}-{self.version}")
        folder.mkdir(parents=True, exist_ok=True)
        manifest, prefix = self._manifest(folder)
        stored = {each.name: each for each in self._stored() if each.state == "ready"}
        for name in manifest["files"]:
            resource = stored.get(prefix + name)
            if resource is None:
                raise UsageError(f"The artifact {self.name!r} {self.version} has no file {name!r} on the server")
            target = paths.path_of(name, folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            self._client.resources.download(resource.id, target)
        return str(folder)

    def file(self, root: str | None = None) -> str:
        """Download its only file; return the path. UsageError if it has several."""
        folder = Path(self.download(root))
        found = sorted(self._manifest(folder)[0]["files"])
        if len(found) != 1:
            raise UsageError(f"The artifact {self.name!r} {self.version} has {len(found)} files")
        return str(paths.path_of(found[0], folder))

    def _stored(self) -> Any:
        iteration = self._client.iterations.get(self._version.iteration_id or "")
        return self._client.resources.list(iteration.experiment_id, iteration_id=iteration.id)

    def _manifest(self, folder: Path) -> tuple[dict[str, Any], str]:
        if self._version.resource_id is None:
            raise UsageError(f"The artifact {self.name!r} {self.version} has no files")
        resource = self._client.resources.get(self._version.resource_id)
        with tempfile.TemporaryDirectory(dir=folder) as name:
            path = Path(name, MANIFEST)
            self._client.resources.download(resource.id, path)
            manifest: dict[str, Any] = json.loads(path.read_text())
        return manifest, resource.name.removesuffix(MANIFEST)
