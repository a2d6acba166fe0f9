"""A folder of an export, on this machine or on S3. A file appears whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pyarrow import dataset, fs

from deardiary import settings
from deardiary.transfer.paths import checked_name, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow

_BLOCK_BYTES = 1 << 20
_UNFINISHED = ".unfinished"


def kept_of(command: str, project_id: str) -> Path:
    """Where a command keeps what it has read of a project. ValueError for an id that leads elsewhere."""
    return path_of(project_id, settings.spool_folder().parent / command)


class Sink(io.RawIOBase):
    """Writes to a stream, and counts and hashes what it writes."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream
        self._found = hashlib.sha256()
        self.size_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._stream.write(data)
        self._found.update(data)
        count = memoryview(data).nbytes
        self.size_bytes += count
        return count

    @property
    def content_hash(self) -> str:
        return self._found.hexdigest()


class Folder:
    """``place`` is a path, or ``s3://bucket/prefix``. ValueError for another URL.

    Credentials, region and endpoint of S3 come from where the AWS SDK finds them.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.is_local = not place.startswith("s3://")
        if self.is_local and "://" in place:
            raise ValueError(f"{place} is neither a folder nor s3://bucket/prefix")
        if self.is_local:
            self._files: fs.FileSystem = fs.LocalFileSystem()
            self._root = str(Path(place).absolute())
        else:
            self._root = place.removeprefix("s3://").strip("/")
            self._files = _s3(self._root.partition("/")[0])

    def path(self, name: str) -> str:
        """The path of a file. ValueError if it leads out of the folder: a hostile server or export may have named it.

        A link counts as what it leads to.
        """
        checked_name(name)
        path = f"{self._root}/{name}"
        if self.is_local and not Path(path).resolve().is_relative_to(Path(self._root).resolve()):
            raise ValueError(f"{path} leads out of the folder")
        return path

    def local_path(self, name: str) -> Path | None:
        """The path of a file if the folder is on this machine."""
        return Path(self.path(name)) if self.is_local else None

    @contextmanager
    def write(self, name: str) -> Iterator[Sink]:
        """Write a file, which appears when the block ends without an error."""
        target = self.path(name)
        if not self.is_local:
            yield from self._upload(target)
            return
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        path = Path(f"{target}.{secrets.token_hex(4)}{_UNFINISHED}")
        try:
            with path.open("wb") as stream:
                yield Sink(stream)
                stream.flush()
                os.fsync(stream.fileno())
            path.replace(target)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _upload(self, target: str) -> Iterator[Sink]:
        """S3 shows an object when its upload is complete. pyarrow completes one that failed, so remove that."""
        stream = self._files.open_output_stream(target)
        try:
            yield Sink(stream)
        except BaseException:
            with suppress(OSError):
                stream.close()
                self._files.delete_file(target)
            raise
        stream.close()

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading, with seek. FileNotFoundError without it."""
        return self._files.open_input_file(self.path(name))  # type: ignore[no-any-return]

    def dataset(self, names: Sequence[str], schema: pyarrow.Schema) -> dataset.Dataset:
        """These Parquet files as one table, of which a query reads what it needs."""
        return dataset.dataset([*map(self.path, names)], schema=schema, format="parquet", filesystem=self._files)

    def read(self, name: str) -> bytes | None:
        """The content of a file; None without it."""
        with suppress(FileNotFoundError), self.open(name) as stream:
            return stream.read()
        return None

    def read_json(self, name: str) -> Any:
        content = self.read(name)
        return None if content is None else json.loads(content)

    def write_json(self, name: str, value: Any) -> None:
        with self.write(name) as sink:
            sink.write(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode())

    def size(self, name: str) -> int | None:
        """The size of a file in bytes; None without it."""
        (info,) = self._files.get_file_info([self.path(name)])
        return info.size if info.type == fs.FileType.File else None

    def names(self, below: str = "") -> list[str]:
        """The names of all files below a folder, sorted; not those that a killed process left unfinished."""
        selector = fs.FileSelector(self.path(below) if below else self._root, recursive=True, allow_not_found=True)
        found = [each.path for each in self._files.get_file_info(selector) if each.type == fs.FileType.File]
        start = len(self._root) + 1
        return sorted(each[start:] for each in found if not each.endswith(_UNFINISHED))

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._files.delete_file(self.path(name))

    def remove_unfinished(self) -> None:
        """Remove what killed processes left; no other export into this folder may run."""
        if self.is_local:
            for path in Path(self._root).rglob(f"*{_UNFINISHED}"):
                path.unlink(missing_ok=True)

    def hash_of(self, name: str) -> str:
        """The SHA-256 of a file in hex."""
        found = hashlib.sha256()
        with self.open(name) as stream:
            while block := stream.read(_BLOCK_BYTES):
                found.update(block)
        return found.hexdigest()


def _s3(bucket: str) -> fs.S3FileSystem:
    """The S3 of the AWS SDK's variables; without a region that of the bucket."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    scheme, _, host = endpoint.rstrip("/").rpartition("://")
    if not host:
        return fs.S3FileSystem(region=region or fs.resolve_s3_region(bucket))
    return fs.S3FileSystem(region=region or "us-east-1", endpoint_override=host, scheme=scheme or "https")
