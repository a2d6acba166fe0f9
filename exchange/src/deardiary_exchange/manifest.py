"""The manifest of an export: what the folder has, with hashes, so that anyone can check it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyarrow import parquet

from deardiary_exchange.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deardiary.wire.shapes import Project
    from deardiary_exchange.folder import Folder

NAME = "manifest.json"
NOT_EXPORTED = (
    "members and their permissions",
    "saved views",
    "commands",
    "logged models of MLflow that are no model versions",
    "records of studies",
    "the trash",
)


class NotAnExport(ValueError):
    """The folder has no complete export of a version that is known here."""


def record_name(part: str) -> str:
    return f"parts/{part}.json"


def records(folder: Folder, project_id: str, *, has_files: bool) -> dict[str, Any]:
    """The records of complete parts, by name. NotAnExport if the folder has another project, or other contents."""
    begun = folder.read_json("parts/of.json")
    if begun is None:
        if folder.names():
            raise NotAnExport(f"{folder.place} has files that are no export; name an empty folder")
        folder.write_json(
            "parts/of.json", {"project_id": project_id, "schema_version": SCHEMA_VERSION, "has_files": has_files}
        )
        return {}
    if begun["project_id"] != project_id:
        raise NotAnExport(f"{folder.place} has an export of another project, {begun['project_id']}")
    if begun["schema_version"] != SCHEMA_VERSION:
        raise NotAnExport(f"{folder.place} has an export of another version, {begun['schema_version']}")
    if begun.get("has_files", True) != has_files:
        raise NotAnExport(f"{folder.place} belongs to `deardiary {'replicate' if has_files else 'export'}`")
    return records_of_parts(folder)


def records_of_parts(folder: Folder) -> dict[str, Any]:
    names = [name for name in folder.names("parts") if name != "parts/of.json"]
    return {name.removeprefix("parts/").removesuffix(".json"): folder.read_json(name) for name in names}


def write(folder: Folder, project: Project, parts: dict[str, Any], files: int | None) -> None:
    """Write the manifest; ``files`` is None for an export without files."""
    tables: dict[str, list[Any]] = {}
    for record in parts.values():
        for name, each in record["tables"].items():
            tables.setdefault(name, []).append(each)
    ordered = {name: sorted(each, key=lambda one: str(one["path"])) for name, each in tables.items()}
    found = {
        "format": "deardiary",
        "schema_version": SCHEMA_VERSION,
        "project": {"id": project.id, "name": project.name},
        "tables": ordered,
        "files": files,
        "not_exported": list(NOT_EXPORTED),
    }
    folder.write_json(NAME, found)


def read(folder: Folder, *, needs_files: bool = True) -> dict[str, Any]:
    """The manifest. NotAnExport without one of this version, or without the files that are needed."""
    found = folder.read_json(NAME)
    if found is None and not folder.names():
        raise NotAnExport(f"{folder.place} is empty, or does not exist")
    if not isinstance(found, dict) or found.get("format") != "deardiary":
        raise NotAnExport(f"{folder.place} has no manifest.json of a complete export; run `deardiary export` again")
    if found["schema_version"] != SCHEMA_VERSION:
        raise NotAnExport(
            f"{folder.place} is of version {found['schema_version']}; this program reads {SCHEMA_VERSION}"
        )
    if needs_files and found["files"] is None:
        raise NotAnExport(f"{folder.place} has tables without files: it belongs to `deardiary replicate`")
    return found


def paths_of(found: dict[str, Any], table: str) -> list[str]:
    """The paths of a table's files."""
    return [each["path"] for each in found["tables"].get(table, ())]


def faults(folder: Folder, progress: Callable[[int, int], None]) -> Iterator[str]:
    """Check every file against its hash; a sentence for each that is missing or damaged."""
    found = read(folder)
    tables = [each for of in found["tables"].values() for each in of]
    wanted = {each["path"]: (each["size_bytes"], each["content_hash"]) for each in tables}
    yield from _wrong(folder, wanted, progress)
    wanted = {}
    for path in paths_of(found, "resources"):
        if folder.size(path) is not None:
            wanted |= _files_in(folder, path)
    yield from _wrong(folder, wanted, progress)


def _files_in(folder: Folder, path: str) -> dict[str, tuple[int, str]]:
    """The files that a table of resources names."""
    with folder.open(path) as stream:
        rows = parquet.read_table(stream, columns=["file", "size_bytes", "content_hash"]).to_pylist()
    return {row["file"]: (row["size_bytes"], row["content_hash"]) for row in rows if row["file"] is not None}


def _wrong(folder: Folder, wanted: dict[str, tuple[int, str]], progress: Callable[[int, int], None]) -> Iterator[str]:
    for number, (path, (size_bytes, content_hash)) in enumerate(sorted(wanted.items()), 1):
        size = folder.size(path)
        if size is None:
            yield f"{path} is missing"
        elif size != size_bytes:
            yield f"{path} has {size} bytes in place of {size_bytes}"
        elif content_hash and folder.hash_of(path) != content_hash:
            yield f"{path} is damaged: its SHA-256 is another one"
        progress(number, len(wanted))
