"""Invariants of all stored data while no request is running.

Every row is reachable from its owner, every owner has its rows, blobs count their owners exactly, bytes belong to a
blob, and every summary matches its points. Call `check_consistency()` after concurrent requests.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from itertools import chain
from typing import Any, get_args

from pynamodb.constants import DATETIME_FORMAT

from chalicelib import ids
from chalicelib.services.points import directory, rollups
from chalicelib.storage import label, output
from chalicelib.storage.blocks import codec, content, head, lookup
from chalicelib.storage.blocks.head import Block
from chalicelib.storage.output import OutputState
from chalicelib.storage.points import rollup_codec, summary
from chalicelib.storage.points import rows as points
from chalicelib.storage.points.summary import Summary
from chalicelib.storage.table import keys
from chalicelib.storage.table.keys import Key
from deardiary.wire.times import to_milliseconds
from tests.support.table import Row, read_objects, read_table


def check_consistency() -> None:
    faults = sorted(find_faults())
    assert not faults, "\n".join(["The table and the stores do not agree:", *faults])


def find_faults() -> Iterator[str]:
    """Yield one line for each violation."""
    table = Table(read_table(), read_objects())
    for key, row in table.rows.items():
        check = CHECKS.get(row.get("kind", ""))
        found = check(table, key, row) if check else iter(["a row of no known kind"])
        found = chain(found, _owned_labels(table, key, row))
        yield from (f"{key.pk} {key.sk}: {fault}" for fault in found)
    yield from _stray_objects(table)


class Table:
    """All rows, with indexes for frequent look-ups."""

    def __init__(self, rows: dict[Key, Row], objects: dict[str, set[str]]) -> None:
        self.rows, self.objects = rows, objects
        self.refs = {key.pk: row for key, row in rows.items() if key.sk == "REF"}
        self.owners = Counter(_shares(rows))
        self.waiting = {
            row["resource_id"] for row in rows.values() if row.get("kind") == "upload" and "resource_id" in row
        }
        self.staged = {row["sha256"] for row in rows.values() if row.get("kind") == "upload" and "owner_id" in row}
        self.trashed = {row["target_id"] for row in rows.values() if row.get("kind") == "trash"}
        self.generations = {(key.pk, row.get("home")) for key, row in rows.items() if row.get("kind") == "chunk"}

    def has(self, key: Key, **wanted: Any) -> bool:
        """True if there is a row with these values."""
        row = self.rows.get(key)
        return row is not None and all(row.get(name) == value for name, value in wanted.items())

    def needs(self, key: Key, **wanted: Any) -> Iterator[str]:
        if not self.has(key, **wanted):
            yield f"there is no {key.pk} {key.sk}" + (f" with {wanted}" if wanted else "")

    def experiment_of(self, iteration_id: str) -> str:
        """The iteration's experiment; empty without a REF."""
        return str(self.refs.get(keys.iteration_partition(iteration_id), {}).get("experiment_id", ""))

    def project_of(self, experiment_id: str) -> str:
        return str(self.refs.get(keys.experiment_partition(experiment_id), {}).get("project_id", ""))

    def needs_iteration(self, experiment_id: str, iteration_id: str) -> Iterator[str]:
        return self.needs(keys.iteration(experiment_id, iteration_id))

    def needs_experiment(self, experiment_id: str) -> Iterator[str]:
        return self.needs(keys.experiment(self.project_of(experiment_id), experiment_id))


Check = Callable[[Table, Key, Row], Iterator[str]]


def _shares(rows: dict[Key, Row]) -> Iterator[Key]:
    """The blob of every share of a resource or snapshot."""
    projects = {key.pk: row["project_id"] for key, row in rows.items() if key.sk == "REF"}
    for key, row in rows.items():
        project_id = projects.get(key.pk, "")
        if row.get("kind") == "resource":
            yield keys.blob(project_id, _blob_id(row))
        elif row.get("kind") == "snapshot":
            yield from (keys.blob(project_id, sha256) for sha256 in _owned(row))


def _blob_id(row: Row) -> str:
    """The SHA-256 of a resource's bytes, or the id of the bytes while that is unknown."""
    return str(row["content_hash"] or row["uri"].rpartition("/")[2])


def _owned(row: Row) -> set[str]:
    """The hashes of the blobs in which the snapshot has a share."""
    return {text[0] for text in json.loads(row["texts"]).values()} | set(json.loads(row["coming"]))


def _user(table: Table, key: Key, row: Row) -> Iterator[str]:
    if row.get("deleting"):
        yield from table.needs(keys.deletion(row["id"]))
        return
    names = {row["username"], ids.fold_case(row["username"])}
    if not any(table.has(keys.username(name), user_id=row["id"]) for name in names):
        yield "has no username row"
    yield from table.needs(keys.user_listing(row["id"]), user_id=row["id"])
    if row["is_admin"]:
        yield from table.needs(keys.admins())


def _username(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Check a username. Older servers stored it under the name as written."""
    yield from table.needs(keys.user(row["user_id"]))
    written = table.rows.get(keys.user(row["user_id"]), {}).get("username", "")
    if key not in {keys.username(written), keys.username(ids.fold_case(written))}:
        yield f"is of {written!r}"


def _user_listing(table: Table, key: Key, row: Row) -> Iterator[str]:
    return table.needs(keys.user(row["user_id"]))


def _admins(table: Table, key: Key, row: Row) -> Iterator[str]:
    users = [each for each in table.rows.values() if each.get("kind") == "user" and not each.get("deleting")]
    number = sum(each["is_admin"] for each in users)
    if number != row["number"]:
        yield f"counts {row['number']} admins, there are {number}"


def _permission(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Check both rows of a permission: each requires the other."""
    same = {name: value for name, value in row.items() if name not in ("PK", "SK")}
    yield from table.needs(keys.permission(row["user_id"], row["project_id"]), **same)
    yield from table.needs(keys.member(row["project_id"], row["user_id"]), **same)
    yield from table.needs(keys.user(row["user_id"]))
    yield from table.needs(keys.project(row["project_id"]))


def _subject(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Each row of a subject requires the other. That of a removed user stays alone."""
    same = {name: row[name] for name in ("id", "user_id", "issuer", "subject")}
    if key != keys.subject(row["id"]):
        yield from table.needs(keys.user(row["user_id"]))
        yield from table.needs(keys.subject(row["id"]), **same)
    elif table.has(keys.user(row["user_id"]), deleting=None):
        yield from table.needs(keys.subject_of_user(row["user_id"], row["id"]), **same)


def _group(table: Table, key: Key, row: Row) -> Iterator[str]:
    return table.needs(keys.project(row["project_id"]))


def _known_source(table: Table, key: Key, row: Row) -> Iterator[str]:
    return table.needs(Key(key.pk, "USER"))


def _project(table: Table, key: Key, row: Row) -> Iterator[str]:
    if row.get("deleting"):
        yield from _hidden(table, row)
        return
    yield from table.needs(keys.project_listing(row["id"]), name=row["name"])
    if row.get("id_key"):
        yield from table.needs(keys.id_key(keys.user_partition(row["owner_id"]), row["id_key"]), target_id=row["id"])


def _hidden(table: Table, row: Row, *above: str | None) -> Iterator[str]:
    """Check a hidden object: it is in the trash, or a deletion of it or of an object above it is recorded."""
    if row["id"] not in table.trashed and not any(table.has(keys.deletion(str(each))) for each in (row["id"], *above)):
        yield "is hidden, and neither in the trash nor being deleted"


def _trash(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Check one of the two rows of an object in the trash: each requires the other, and the hidden object."""
    kind, its_id, project_id, experiment_id = (
        row.get(name, "") for name in ("target_kind", "target_id", "project_id", "experiment_id")
    )
    same = {name: value for name, value in row.items() if name not in ("PK", "SK")}
    own = keys.trash(project_id, experiment_id or its_id, its_id)
    yield from table.needs(keys.project_in_trash(its_id) if kind == "project" else own, **same)
    yield from table.needs(keys.trash_due(_milliseconds(row["purge_date"]), its_id), **same)
    targets = {
        "project": keys.project(its_id),
        "experiment": keys.experiment(project_id, its_id),
        "iteration": keys.iteration(experiment_id, its_id),
        "resource": keys.resource(experiment_id, its_id),
        "model": keys.model(project_id, its_id),
        "loggedmodel": keys.loggedmodel(experiment_id, its_id),
    }
    if not any(table.has(keys.deletion(each)) for each in (project_id, experiment_id)):
        yield from table.needs(targets[kind], deleting=True)


def _milliseconds(stored: str) -> int:
    return to_milliseconds(datetime.strptime(stored, DATETIME_FORMAT).replace(tzinfo=timezone.utc))


def _preferences(table: Table, key: Key, row: Row) -> Iterator[str]:
    return table.needs(Key(key.pk, "USER"))


def _captured(table: Table, key: Key, _row: Row) -> Iterator[str]:
    yield from table.needs(Key(key.pk, "PROJECT"), kind="project")


def _view(table: Table, key: Key, row: Row) -> Iterator[str]:
    yield from table.needs(keys.project(row["project_id"]))
    if key != keys.view(row["project_id"], row["id"]):
        yield "is the row of another view"


def _share(table: Table, key: Key, row: Row) -> Iterator[str]:
    yield from table.needs(keys.project(row["project_id"]))
    if key != keys.share(row["project_id"], row["id"]):
        yield "is the row of another share"


def _identity(table: Table, key: Key, row: Row) -> Iterator[str]:
    yield from table.needs(keys.project(row["project_id"]))
    if key != keys.identity(row["id"]):
        yield "is the row of another identity"


def _project_listing(table: Table, key: Key, row: Row) -> Iterator[str]:
    return table.needs(keys.project(row["project_id"]))


def _blob(table: Table, key: Key, row: Row) -> Iterator[str]:
    project_id = key.pk.removeprefix("PROJECT#")
    yield from table.needs(keys.project(project_id))
    if row["owners"] != table.owners[key]:
        yield f"counts {row['owners']} owners, there are {table.owners[key]}"
    if not row["owners"] and not _is_going(table, row["sha256"]):
        yield "has no owner, and nothing is going to remove it"
    if row.get("ready") and "leaving" not in row and not _is_stored(table, project_id, row["sha256"], row["backend"]):
        yield f"is ready, and {row['backend']} does not have its bytes"


def _is_going(table: Table, sha256: str) -> bool:
    """True if a deletion, a check of late uploads, or the next write of a snapshot will handle these bytes."""
    deletions = (key.sk for key in table.rows if key.pk == keys.DELETIONS)
    uploads = (row for key, row in table.rows.items() if key.pk == keys.UPLOADS)
    snapshots = (row for row in table.rows.values() if row.get("kind") == "snapshot")
    return (
        any(sk.startswith(f"{sha256}.") for sk in deletions)
        or any(row["sha256"] == sha256 for row in uploads)
        or any(sha256 in json.loads(row["leaving"]) for row in snapshots)
    )


def _is_stored(table: Table, project_id: str, sha256: str, backend: str) -> bool:
    if backend == "inline":
        return table.has(keys.inline_bytes(project_id, sha256, 0))
    return f"projects/{project_id}/blobs/{sha256}" in table.objects[backend]


def _bytes(table: Table, key: Key, row: Row) -> Iterator[str]:
    _, project_id, sha256 = key.pk.split("#")
    return table.needs(keys.blob(project_id, sha256))


def _experiment(table: Table, key: Key, row: Row) -> Iterator[str]:
    yield from table.needs(keys.project(row["project_id"]))
    yield from table.needs(keys.experiment_ref(row["id"]), project_id=row["project_id"])
    if row.get("id_key") and not row.get("deleting"):
        yield from table.needs(keys.id_key(key.pk, row["id_key"]), target_id=row["id"])
    if row.get("deleting"):
        yield from _hidden(table, row, row["project_id"])
    else:
        yield from table.needs(keys.experiment_name(row["project_id"], row["name"]), experiment_id=row["id"])


def _experiment_name(table: Table, key: Key, row: Row) -> Iterator[str]:
    owner_key = Key(key.pk, f"{keys.EXPERIMENT}{row['experiment_id']}")
    yield from table.needs(owner_key)
    if ids.hash_text(table.rows.get(owner_key, {}).get("name", "")) != key.sk.removeprefix("EXPERIMENTNAME#"):
        yield "the experiment has another name"


def _ref(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Check a REF: its entity exists."""
    kind, _, its_id = key.pk.partition("#")
    project_id, experiment_id = row["project_id"], str(row.get("experiment_id"))
    owner_keys = {
        "EXPERIMENT": keys.experiment(project_id, its_id),
        "ITERATION": keys.iteration(experiment_id, its_id),
        "RESOURCE": keys.resource(experiment_id, its_id),
        "MODEL": keys.model(project_id, its_id),
        "LOGGEDMODEL": keys.loggedmodel(experiment_id, its_id),
    }
    return table.needs(owner_keys[kind])


def _iteration(table: Table, key: Key, row: Row) -> Iterator[str]:
    its_id, experiment_id = row["id"], row["experiment_id"]
    yield from table.needs_experiment(experiment_id)
    yield from table.needs(keys.iteration_ref(its_id), experiment_id=experiment_id)
    yield from table.needs(keys.series(experiment_id, its_id))
    if row.get("deleting"):
        yield from _hidden(table, row, experiment_id, table.project_of(experiment_id))
        return
    for command_hash in row.get("commands", ()):
        command = table.rows.get(keys.command(its_id, command_hash))
        if command is None or "acknowledged_date" in command:
            yield f"names {command_hash} as an open command, and it is not"
    if "end_date" not in row:
        yield from table.needs(keys.running(experiment_id, its_id), experiment_id=experiment_id)
    if row.get("parent_iteration_id"):
        yield from table.needs_iteration(experiment_id, row["parent_iteration_id"])
        yield from table.needs(keys.child(row["parent_iteration_id"], its_id))
    if row.get("id_key"):
        yield from table.needs(keys.id_key(key.pk, row["id_key"]), target_id=its_id)


def _child(table: Table, key: Key, row: Row) -> Iterator[str]:
    parent_id = key.pk.removeprefix("ITERATION#")
    experiment_id = table.experiment_of(parent_id)
    yield from table.needs_iteration(experiment_id, parent_id)
    yield from table.needs(keys.iteration(experiment_id, row["child_id"]), parent_iteration_id=parent_id)


def _running(table: Table, key: Key, row: Row) -> Iterator[str]:
    owner_key = keys.iteration(row["experiment_id"], keys.iteration_of_running(key.sk))
    yield from table.needs(owner_key)
    if "end_date" in table.rows.get(owner_key, {}):
        yield "the iteration has ended"


def _beside_iteration(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Check a row in the experiment's partition whose sort key names an iteration."""
    return table.needs_iteration(key.pk.removeprefix("EXPERIMENT#"), key.sk.split("#")[1])


def _study(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Check a study, its records, appends and leases: the count of the study is that of its records."""
    yield from table.needs_experiment(key.pk.removeprefix("EXPERIMENT#"))
    kind, study_id, *_ = key.sk.split("#")
    if kind != "STUDY":
        yield from table.needs(Key(key.pk, f"STUDY#{study_id}"))
        return
    prefix = keys.study_records_prefix(study_id)
    parts = {
        int(other.sk.removeprefix(prefix)): each
        for other, each in table.rows.items()
        if other.pk == key.pk and other.sk.startswith(prefix)
    }
    following = 0
    for first, part in sorted(parts.items()):
        if first != following:
            yield f"has a gap before its record {first}"
        following = first + len(part["records"])
    if following != row["total"]:
        yield f"counts {row['total']} records, there are {following}"


def _change(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Check a change; it stays until it expires, longer than its iteration."""
    return table.needs_experiment(key.pk.removeprefix("EXPERIMENT#"))


def _input(table: Table, key: Key, row: Row) -> Iterator[str]:
    """The USE is there as long as the resource or version is."""
    yield from _beside_iteration(table, key, row)
    iteration_id, content_hash = row["iteration_id"], key.sk.split("#")[2]
    if row.get("resource_id") and keys.resource_ref(row["resource_id"]) in table.rows:
        yield from table.needs(keys.resource_use(row["resource_id"], iteration_id, content_hash))
    if row.get("modelversion_id"):
        model_id, number = ids.split_id(row["modelversion_id"])
        if keys.modelversion(model_id, number) in table.rows:
            yield from table.needs(keys.version_use(model_id, number, iteration_id, content_hash))


def _use(table: Table, key: Key, row: Row) -> Iterator[str]:
    """The input is there, and the resource or version, unless a deletion of it is under way."""
    *_, content_hash = key.sk.split("#")
    yield from table.needs(keys.iteration_input(row["experiment_id"], row["iteration_id"], content_hash))
    kind, _, its_id = key.pk.partition("#")
    going = [each.sk for each in table.rows if each.pk == keys.DELETIONS]
    if kind == "RESOURCE":
        if not any(sk.endswith(f".{its_id}") for sk in going):
            yield from table.needs(Key(key.pk, "REF"))
    elif f"{its_id}.{key.sk.split('#')[1]}" not in going:
        yield from table.needs(keys.modelversion(its_id, key.sk.split("#")[1]))


def _tag(table: Table, key: Key, row: Row) -> Iterator[str]:
    owner_id = key.sk.split("#")[1]
    _, _, partition_id = key.pk.partition("#")
    if key.pk.startswith("EXPERIMENT#"):
        return table.needs_iteration(partition_id, owner_id)
    return table.needs(Key(key.pk, "PROJECT" if owner_id == partition_id else f"EXPERIMENT#{owner_id}"))


def _owned_labels(table: Table, key: Key, row: Row) -> Iterator[str]:
    """The hash of an owner's labels is that of those in its row; without any there, it has a LABELS row."""
    if "labels_hash" in row and "labels" in row:
        if row["labels_hash"] != label.attributes(row["labels"])["labels_hash"]:
            yield "the hash of its labels is that of others"
    elif "labels_hash" in row and not row.get("deleting"):
        yield from table.needs(keys.labels(key, row["id"]))


def _labels(table: Table, key: Key, row: Row) -> Iterator[str]:
    """The owner names these labels by their hash, and has none in its own row."""
    owner_id = key.sk.removeprefix(keys.LABELS)
    kinds = ("EXPERIMENT", "ITERATION", "MODEL", "LOGGEDMODEL")
    nouns = ("PROJECT", *(f"{kind}#{owner_id}" for kind in kinds))
    owner_keys = [Key(key.pk, sk) for sk in (*nouns, f"VERSION#{owner_id.rpartition('.')[2]}")]
    (owner,) = [each for each in map(table.rows.get, owner_keys) if each and each["id"] == owner_id] or [{}]
    if owner.get("labels_hash") != label.attributes(row["labels"])["labels_hash"] or "labels" in owner:
        yield "its owner has no long labels, or others"


def _chunk(table: Table, key: Key, row: Row) -> Iterator[str]:
    iteration_id = key.pk.removeprefix("ITERATION#")
    yield from table.needs_iteration(table.experiment_of(iteration_id), iteration_id)
    packed = (each.sk for each in table.rows if each.pk == key.pk and each.sk.startswith(keys.PACKED))
    if "home" in row and row["home"] not in map(keys.generation_of_packed, packed):
        yield f"its points were moved to generation {row['home']}, of which there is no packed row"


def _command(table: Table, key: Key, row: Row) -> Iterator[str]:
    yield from table.needs_iteration(table.experiment_of(row["iteration_id"]), row["iteration_id"])
    if key != keys.command(row["iteration_id"], ids.split_id(row["id"])[-1]):
        yield "is the row of another command"


def _alert(table: Table, key: Key, row: Row) -> Iterator[str]:
    yield from table.needs_iteration(table.experiment_of(row["iteration_id"]), row["iteration_id"])
    if key != keys.alert(row["iteration_id"], ids.split_id(row["id"])[-1]):
        yield "is the row of another alert"


def _packed(table: Table, key: Key, row: Row) -> Iterator[str]:
    iteration_id = key.pk.removeprefix("ITERATION#")
    yield from table.needs_iteration(table.experiment_of(iteration_id), iteration_id)
    if (key.pk, keys.generation_of_packed(key.sk)) not in table.generations:
        yield "no chunk names its generation"


def _rollup(table: Table, key: Key, row: Row) -> Iterator[str]:
    iteration_id = key.pk.removeprefix("ITERATION#")
    yield from table.needs_iteration(table.experiment_of(iteration_id), iteration_id)
    _, axis, _ = key.sk.split("#")
    if axis not in get_args(rollups.Axis):
        yield f"is over {axis}"
    integers, values = rollup_codec.unpack_columns(bytes(row["columns"]))
    lengths = {*map(len, integers), *map(len, values)}
    if len(lengths) != 1 or max(lengths) > (directory.MOST_ROWS if axis == "chunk" else rollups.MOST):
        yield "its columns have different lengths, or too many rows"


def _output(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Lines have a chunk, or an announcement that may still get one; the mark of a dropped batch has none."""
    iteration_id = key.pk.removeprefix("ITERATION#")
    yield from table.needs_iteration(table.experiment_of(iteration_id), iteration_id)
    accepted_us = keys.time_of_output(key.sk)
    own = [each for each in table.rows if each.pk == key.pk]
    committed = any(each.sk.startswith(keys.CHUNK) and table.has(each, at=accepted_us, dropped=None) for each in own)
    experiment_id = table.experiment_of(iteration_id)
    announced = json.loads(table.rows.get(keys.series(experiment_id, iteration_id), {}).get("announced", "{}"))
    if not (row.get("dropped") or committed or any(one[0] == accepted_us for one in announced.values())):
        yield "no chunk commits it"


def _series(table: Table, key: Key, row: Row) -> Iterator[str]:
    yield from _beside_iteration(table, key, row)
    announced, marked = json.loads(row["announced"]), json.loads(row.get("recount") or "{}")
    packed = row.get("digests")
    if packed is None:
        # Of a wide iteration.
        version, apart = json.loads(row["wide"])[0], keys.summaries(keys.owner_of_series(key.sk))
        yield from table.needs(apart, version=version) if version else ()
        packed = table.rows.get(apart, {}).get("digests") if version else None
    kept = summary.unpack_summaries(packed or summary.pack_summaries({}))
    counted = {name: _summary(each) for name, each in _points(keys.owner_of_series(key.sk), announced).items()}
    for name in sorted((kept.keys() | counted.keys()) - marked.keys()):
        # Compare texts, because NaN is not equal to itself.
        if repr(kept.get(name)) != repr(counted.get(name)):
            yield f"the summary of {name!r} is {kept.get(name)}, its points give {counted.get(name)}"
    yield from _output_state(key, row, {one[0] for one in announced.values()})


def _summaries(table: Table, key: Key, row: Row) -> Iterator[str]:
    """After the end of a wide iteration its row stays, and belongs to nothing."""
    iteration_id = key.pk.removeprefix("ITERATION#")
    yield from table.needs_iteration(table.experiment_of(iteration_id), iteration_id)


def _output_state(key: Key, row: Row, announced: set[int]) -> Iterator[str]:
    state = OutputState(*json.loads(row.get("output") or "[]"))
    found = output.each_output(keys.owner_of_series(key.sk), 0, 10**16 - 1)
    kept = [one for one in found if one.accepted_us not in announced]
    kept = [one for one in kept if not state.first_us < one.accepted_us <= state.gap_us]
    if sum(one.size_bytes for one in kept) != state.size_bytes:
        yield f"its output is said to have {state.size_bytes} bytes, not {sum(one.size_bytes for one in kept)}"


_Point = tuple[int, int, int, int, float]


def _points(iteration_id: str, without: dict[str, Any]) -> dict[str, list[_Point]]:
    """The points (step, time, arrival, index in the batch, value) of each key in order, without unfinished batches."""
    found: dict[str, list[_Point]] = {}
    for key, slices in points.read_slices(iteration_id).items():
        for batches, piece in slices:
            columns = piece.columns
            rows = zip(columns.steps, columns.times, columns.values, piece.ordinals, piece.batches, strict=True)
            found.setdefault(key, []).extend(
                (step, time, batches[number].accepted_us, ordinal, value)
                for step, time, value, ordinal, number in rows
                if batches[number].hash not in without
            )
    return {key: sorted(each, key=lambda point: point[:4]) for key, each in found.items() if each}


def _summary(ordered: list[_Point]) -> Summary:
    (first_step, first_time, *_, first), (last_step, last_time, *_, last) = ordered[0], ordered[-1]
    numbers = [point[-1] for point in ordered if not math.isnan(point[-1])] or [math.nan]
    return Summary(
        first=first,
        last=last,
        min=min(numbers),
        max=max(numbers),
        count=len(ordered),
        first_step=first_step,
        first_time=first_time,
        last_step=last_step,
        last_time=last_time,
    )


def _resource(table: Table, key: Key, row: Row) -> Iterator[str]:
    its_id, experiment_id = row["id"], row["experiment_id"]
    yield from table.needs_experiment(experiment_id)
    yield from table.needs(keys.resource_ref(its_id), experiment_id=experiment_id)
    ready = {"ready": True} if row["state"] == "ready" else {}
    yield from table.needs(keys.blob(table.project_of(experiment_id), _blob_id(row)), **ready)
    if row["state"] == "pending" and its_id not in table.waiting:
        yield "waits for bytes, and nothing in UPLOADS will look at it"
    if row.get("iteration_id"):
        yield from table.needs_iteration(experiment_id, row["iteration_id"])
        if table.has(keys.iteration_ref(row["iteration_id"]), links_resources=True):
            yield from table.needs(keys.resource_link(row["iteration_id"], its_id))
    if row.get("deleting"):
        yield from _hidden(table, row, row.get("iteration_id"), experiment_id, table.project_of(experiment_id))
    elif row.get("id_key"):
        yield from table.needs(keys.resource_id_key(experiment_id, row["id_key"]), target_id=its_id)
    yield from _file_of_resource(table, row)


def _file_of_resource(table: Table, row: Row) -> Iterator[str]:
    """A resource with bytes has a row by its path, unless its iteration is of an older server."""
    owner = table.rows.get(keys.iteration(row["experiment_id"], str(row.get("iteration_id"))), {})
    if owner.get("has_files") and row["state"] == "ready" and not row.get("deleting"):
        key = keys.file(row["experiment_id"], row["iteration_id"], row["name"], row["id"])
        yield from table.needs(key, path=row["name"], size_bytes=row["size_bytes"])


def _file(table: Table, key: Key, row: Row) -> Iterator[str]:
    """A file has a resource with bytes; an arriving one has an upload, or had one that has expired."""
    experiment_id = key.pk.removeprefix("EXPERIMENT#")
    if "resource_id" in row:
        resource_key = keys.resource(experiment_id, row["resource_id"])
        yield from table.needs(resource_key, state="ready", deleting=None)
        if not str(table.rows.get(resource_key, {}).get("name")).endswith(row["path"]):
            yield "the resource has another name"


def _upload(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Check an upload. A row for late bytes needs no other row, and is removed when it is due."""
    if "resource_id" in row and not table.has(keys.deletion(f"{row['sha256']}.{row['resource_id']}")):
        yield from table.needs(keys.resource(row["experiment_id"], row["resource_id"]), state="pending")


def _loggedmodel(table: Table, key: Key, row: Row) -> Iterator[str]:
    experiment_id = row["experiment_id"]
    yield from table.needs_experiment(experiment_id)
    yield from table.needs(keys.loggedmodel_ref(row["id"]), experiment_id=experiment_id)
    if row.get("deleting"):
        yield from _hidden(table, row, experiment_id, table.project_of(experiment_id))


def _logged_points(table: Table, key: Key, row: Row) -> Iterator[str]:
    return table.needs(Key(key.pk, f"{keys.LOGGED_MODEL}{keys.owner_of_logged(key.sk)}"))


def _model(table: Table, key: Key, row: Row) -> Iterator[str]:
    yield from table.needs(keys.project(row["project_id"]))
    yield from table.needs(keys.model_ref(row["id"]), project_id=row["project_id"])
    if row.get("production") is not None:
        yield from table.needs(keys.modelversion(row["id"], f"{row['production']:09}"))
    for number in json.loads(row.get("aliases", "{}")).values():
        yield from table.needs(keys.modelversion(row["id"], f"{number:09}"))
    if row.get("deleting"):
        yield from _hidden(table, row, row["project_id"])
    else:
        yield from table.needs(keys.model_name(row["project_id"], row["name"]), model_id=row["id"])


def _model_name(table: Table, key: Key, row: Row) -> Iterator[str]:
    owner_key = Key(key.pk, f"{keys.MODEL}{row['model_id']}")
    yield from table.needs(owner_key)
    if ids.hash_text(table.rows.get(owner_key, {}).get("name", "")) != key.sk.removeprefix("MODELNAME#"):
        yield "the model has another name"


def _version(table: Table, key: Key, row: Row) -> Iterator[str]:
    model_id = row["model_id"]
    owner_key = keys.model(str(table.refs.get(key.pk, {}).get("project_id")), model_id)
    yield from table.needs(owner_key)
    owner = table.rows.get(owner_key, {})
    iteration_id = row.get("iteration_id", "")
    iteration = table.rows.get(keys.iteration(table.experiment_of(iteration_id), iteration_id), {})
    if owner.get("links_versions") and iteration and not iteration.get("deleting"):
        yield from table.needs(keys.version_link(iteration_id, row["id"]), version_id=row["id"])
    if row["version"] > owner.get("last_version", math.inf):
        yield "its number is higher than the last that the model has given"
    if row.get("id_key"):
        yield from table.needs(keys.id_key(key.pk, row["id_key"]), target_id=row["id"])


def _resource_link(table: Table, key: Key, row: Row) -> Iterator[str]:
    iteration_id, resource_id = key.pk.removeprefix("ITERATION#"), key.sk.removeprefix("RESOURCE#")
    experiment_id = table.experiment_of(iteration_id)
    yield from table.needs_iteration(experiment_id, iteration_id)
    yield from table.needs(keys.resource(experiment_id, resource_id), iteration_id=iteration_id)


def _version_link(table: Table, key: Key, row: Row) -> Iterator[str]:
    iteration_id = key.pk.removeprefix("ITERATION#")
    yield from table.needs_iteration(table.experiment_of(iteration_id), iteration_id)
    yield from table.needs(keys.modelversion(*ids.split_id(row["version_id"])), iteration_id=iteration_id)


def _id_key(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Check a creation key. A retired one belongs to a deleted entity."""
    target_id = row["target_id"]
    owner_keys = [
        keys.project(target_id),
        Key(key.pk, f"EXPERIMENT#{target_id}"),
        Key(key.pk, f"ITERATION#{target_id}"),
        Key(key.pk, f"RESOURCE#{target_id}"),
        Key(key.pk, f"VERSION#{target_id.rpartition('.')[2]}"),
    ]
    made = [table.rows[owner_key] for owner_key in owner_keys if owner_key in table.rows]
    hashes = [ids.hash_text(each.get("id_key", "")) for each in made]
    if "retired_at" not in row and hashes != [key.sk.partition("#")[2]]:
        yield f"{target_id} is not there, or was made under another key"


def _blocks(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Each block has all its columns. Each iteration in its range is in it, or open."""
    experiment_id = key.pk.removeprefix("EXPERIMENT#")
    yield from table.needs_experiment(experiment_id)
    after, stored = "", sorted(each.sk for each in table.rows if each.pk == key.pk)
    own = [sk.removeprefix(keys.ITERATION) for sk in stored if sk.startswith(keys.ITERATION)]
    for block in head.read_head(experiment_id).blocks:
        yield from _block(table, experiment_id, block)
        missing = {each for each in own if after < each <= block.last} - {
            *_ids(table, experiment_id, block),
            *block.open,
        }
        if missing:
            yield f"block {block.id} neither holds nor names {sorted(missing)}"
        after = block.last


def _block(table: Table, experiment_id: str, block: Block) -> Iterator[str]:
    """It has its columns, and its iterations as they are, but for those that are marked as changed."""
    held = _ids(table, experiment_id, block)
    if len(held) != block.rows:
        yield f"block {block.id} has no index of {block.rows} rows"
        return
    index = content.index_of(_stored_column(table, experiment_id, block, content.INDEX))
    names = {*map(content.field_column, content.FIELDS), content.TAGS}
    for kind in (lookup.PARAMETERS, lookup.METRICS):
        names |= lookup.columns_of(index, kind, None, content.PARTS)
    for name in sorted(names):
        yield from table.needs(keys.column(experiment_id, block.id, ids.hash_text(name)))
    notes = _stored_column(table, experiment_id, block, content.field_column("notes")) or [None] * len(held)
    for own_id, text in zip(held, notes, strict=True):
        iteration = table.rows.get(keys.iteration(experiment_id, own_id), {})
        as_it_is = not iteration.get("deleting") and iteration.get("notes") == text
        if not as_it_is and not table.has(keys.changed(experiment_id, own_id)):
            yield f"block {block.id} has {own_id} as it was, and no mark says so"


def _ids(table: Table, experiment_id: str, block: Block) -> list[str]:
    index = _stored_column(table, experiment_id, block, content.INDEX)
    return [] if index is None else list(index["ids"])


def _stored_column(table: Table, experiment_id: str, block: Block, name: str) -> Any:
    row = table.rows.get(keys.column(experiment_id, block.id, ids.hash_text(name)))
    return None if row is None else codec.decode(row["data"], block.rows)


def _column(table: Table, key: Key, row: Row) -> Iterator[str]:
    _, block_id, _ = key.sk.split("#")
    stored = head.read_head(key.pk.removeprefix("EXPERIMENT#"))
    if block_id not in {*(block.id for block in stored.blocks), *stored.retired}:
        yield "the head does not name its block"


def _changed(table: Table, key: Key, row: Row) -> Iterator[str]:
    """The iteration is there, or still in a block."""
    experiment_id = key.pk.removeprefix("EXPERIMENT#")
    blocks, iteration_id = head.read_head(experiment_id).blocks, keys.iteration_of_changed(key.sk)
    if not blocks or iteration_id > blocks[-1].last:
        yield from table.needs_iteration(experiment_id, iteration_id)


def _by_itself(table: Table, key: Key, row: Row) -> Iterator[str]:
    """Accept a row that needs no other: the record of a deletion, or a counter that expires."""
    return iter(())


def _stray_objects(table: Table) -> Iterator[str]:
    for backend, paths in table.objects.items():
        for path in paths:
            parts = path.split("/")
            owned = len(parts) == 4 and (table.has(keys.blob(parts[1], parts[3])) or parts[3] in table.staged)
            if not owned:
                yield f"{backend} has {path}, which no blob owns"


CHECKS: dict[str, Check] = {
    "user": _user,
    "username": _username,
    "user-listing": _user_listing,
    "admins": _admins,
    "permission": _permission,
    "subject": _subject,
    "group": _group,
    "known-source": _known_source,
    "preferences": _preferences,
    "project": _project,
    "view": _view,
    "share": _share,
    "captured": _captured,
    "identity": _identity,
    "project-listing": _project_listing,
    "blob": _blob,
    "bytes": _bytes,
    "experiment": _experiment,
    "experiment-name": _experiment_name,
    "ref": _ref,
    "iteration": _iteration,
    "file": _file,
    "child": _child,
    "resource-link": _resource_link,
    "running": _running,
    "change": _change,
    **dict.fromkeys(("study", "study-records", "study-append", "study-lease"), _study),
    "parameter": _beside_iteration,
    "input": _input,
    "use": _use,
    "snapshot": _beside_iteration,
    "series": _series,
    "summaries": _summaries,
    "tag": _tag,
    "labels": _labels,
    "chunk": _chunk,
    "rollup": _rollup,
    "command": _command,
    "alert": _alert,
    "packed": _packed,
    "output": _output,
    "resource": _resource,
    "upload": _upload,
    "logged-model": _loggedmodel,
    "logged-points": _logged_points,
    "logged-link": _beside_iteration,
    "model": _model,
    "model-name": _model_name,
    "model-version": _version,
    "version-link": _version_link,
    "id-key": _id_key,
    "trash": _trash,
    "deletion": _by_itself,
    "event": _by_itself,
    "blocks": _blocks,
    "column": _column,
    "changed": _changed,
    "packing": _by_itself,
    "attempts": _by_itself,
}
