"""Files on their way to a server: found again by their owner, name and content."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deardiary.files import size_and_sha256
from deardiary.transfer.paths import checked_name
from deardiary.wire import limits
from deardiary_exchange import checks
from deardiary_exchange.keys import hash_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import deardiary
    from deardiary_exchange.runs import File


def key_of_file(owner: str, file: File) -> str:
    """The key of a file among all files of a load."""
    return file.key or f"{owner}/{file.name}"


class Owner:
    """Who owns files in a load: an iteration, or an experiment. ``key`` names it at every load."""

    def __init__(self, key: str, experiment_id: str, iteration_id: str | None = None) -> None:
        self.key = key
        self.experiment_id = experiment_id
        self.iteration_id = iteration_id
        self._seen: Counter[tuple[str, str]] = Counter()

    def id_key(self, name: str, content_hash: str) -> str:
        """The id_key of the next file of this name and content: the second of two equal ones has another."""
        self._seen[name, content_hash] += 1
        named = "\n".join((self.key, name, content_hash, str(self._seen[name, content_hash])))
        return f"file:{hash_of(named)}"


def store(client: deardiary.Client, owner: Owner, file: File, not_taken: list[str]) -> str | None:
    """Store a file and return its resource's id; None for one that cannot be read, which the report says."""
    try:
        name = checked_name(file.name)
        size_bytes, content_hash = _content_of(file)
    except (OSError, ValueError) as error:
        not_taken.append(f"file {file.name!r}: {error}")
        return None
    id_key = owner.id_key(name, content_hash)
    resource = client.resources.create(
        owner.experiment_id,
        name=name,
        size_bytes=size_bytes,
        content_hash=content_hash,
        description=checks.text(f"description of {name}", file.description, limits.MAX_TEXT_BYTES, not_taken),
        iteration_id=owner.iteration_id,
        content_type=file.content_type,
        id_key=id_key,
        created_date=file.created_date,
    )
    if resource.state != "ready":
        with local_copy(file) as path:
            client.resources.upload(owner.experiment_id, path, name, iteration_id=owner.iteration_id, id_key=id_key)
    return resource.id


def _content_of(file: File) -> tuple[int, str]:
    if file.size_bytes is not None and file.content_hash is not None:
        return file.size_bytes, file.content_hash
    with file.open() as stream:
        return size_and_sha256(stream)


@contextmanager
def local_copy(file: File) -> Iterator[Path]:
    """The path of the file's bytes on this machine, for the time of an upload."""
    if file.path is not None:
        yield file.path
        return
    with tempfile.TemporaryDirectory(prefix="deardiary-") as folder:
        path = Path(folder) / "content"
        with file.open() as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        yield path
