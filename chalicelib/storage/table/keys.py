"""The whole key design. One table, two string keys, no secondary index.

An entity is in the partition of its parent, so that every list is one strongly consistent Query. An entity that has
an id of its own also has a REF in a partition of its own, which names its project and experiment and never changes.

    what                  PK                  SK
    user                  USER#uid            USER                    profile, password hash, epoch, API tokens
    permission            USER#uid            PERMISSION#pid          read by every request to a project
    preferences           USER#uid            PREFERENCES             JSON that clients keep for the user
    subject of a provider SUBJECT#hash        SUBJECT                 of issuer and sub: the user that it signs in
    subject of a user     USER#uid            SUBJECT#hash            copy of it
    username              USERNAME#name       USERNAME                makes the name unique, in lower case; see user.py
    user in the list      USERS               USER#uid
    number of admins      USERS               ADMINS
    project               PROJECT#pid         PROJECT
    project in the list   PROJECTS            PROJECT#pid
    group of a provider   GROUPS              pid#hash(group)         the rights that it gives on the project
    member                PROJECT#pid         MEMBER#uid              copy of the permission
    view                  PROJECT#pid         VIEW#vid                JSON that clients keep for the project
    share                 PROJECT#pid         SHARE#sid               a read-only link; expires
    captured job          PROJECT#pid         CAPTURED#hash(job)      what is known of a SageMaker job; expires
    blob                  PROJECT#pid         BLOB#sha256             bytes stored once, with the number of their owners
    experiment            PROJECT#pid         EXPERIMENT#eid
    experiment's REF      EXPERIMENT#eid      REF
    iteration             EXPERIMENT#eid      ITERATION#iid
    parameter             EXPERIMENT#eid      PARAMETER#iid#hash(key)
    input                 EXPERIMENT#eid      INPUT#iid#hash          of what the iteration has read
    series of an iteration EXPERIMENT#eid     SERIES#iid              first, last, min, max, count of every key
    resource              EXPERIMENT#eid      RESOURCE#rid
    file by its path      EXPERIMENT#eid      FILE#owner#hash(path)#rid   of an iteration or a logged model
    snapshot              EXPERIMENT#eid      SNAPSHOT#iid            which blobs hold lock files and diff
    logged model          EXPERIMENT#eid      LOGGEDMODEL#lid         of MLflow, with its parameters
    points of a logged model EXPERIMENT#eid   LOGGEDPOINTS#lid#hash   those of one request of one iteration
    link to a logged model EXPERIMENT#eid     LOGGEDLINK#iid#hash     input or output of an iteration
    study                 EXPERIMENT#eid      STUDY#sid               the number of its records
    records of a study    EXPERIMENT#eid      STUDYRECORDS#sid#number those of one request, by the number of the first
    request to a study    EXPERIMENT#eid      STUDYAPPEND#sid#hash    makes an append idempotent; expires
    lease of a study      EXPERIMENT#eid      STUDYLEASE#sid#key      that a worker renews; expires
    change of an iteration EXPERIMENT#eid     CHANGE#time#iid         an edit; expires
    changed iteration     EXPERIMENT#eid      CHANGED#iid             since its end: its block may be out of date
    head of the blocks    EXPERIMENT#eid      BLOCKS                  which blocks hold which ended iterations
    column of a block     EXPERIMENT#eid      COLUMN#block#hash(name) see storage/blocks/
    experiment to pack    PACKING             EXPERIMENT#eid          a reader found many rows outside of blocks
    iteration's REF       ITERATION#iid       REF
    child                 ITERATION#iid       CHILD#iid
    chunk of points       ITERATION#iid       CHUNK#hash(batch_id)  a batch; without points once moved or dropped
    packed points         ITERATION#iid       PACKED#hash(key)#gen#part   after the chunks: see storage/points/rows.py
    summaries             ITERATION#iid       SUMMARIES               of a wide iteration: see storage/points/wide.py
    output of a batch     ITERATION#iid       TEXT#time#part          printed lines, by the time of their batch
    rollup of a curve     ITERATION#iid       ROLLUP#axis#hash(key)   made from points; outside of their span
    resource of iteration ITERATION#iid       RESOURCE#rid            leads to the resource
    version of iteration  ITERATION#iid       VERSION#vid             which the iteration produced; leads to the version
    alert of iteration    ITERATION#iid       ALERT#hash              sorts outside of the span of the points
    command to iteration  ITERATION#iid       STEER#hash              sorts outside of the span of the points
    resource's REF        RESOURCE#rid        REF
    logged model's REF    LOGGEDMODEL#lid     REF
    use of a resource     RESOURCE#rid        USE#iid#hash            the input, from its other end
    experiment's name     PROJECT#pid         EXPERIMENTNAME#hash   of the name, and makes it unique
    model                 PROJECT#pid         MODEL#mid               last number, version in PRODUCTION, aliases
    model's name          PROJECT#pid         MODELNAME#hash(name)  makes the name unique
    model's REF           MODEL#mid           REF
    model version         MODEL#mid           VERSION#number          the number in nine digits
    use of a version      MODEL#mid           USE#number#iid#hash     the input, from its other end
    tag                   (its owner's row)   TAG#owner#hash(value)
    long labels           (its owner's row)   LABELS#owner            short ones are in the owner's row
    id_key                (its scope's PK)    IDKEY#hash(id_key)    makes a creation idempotent
    id_key of a resource  EXPERIMENT#eid      RESOURCEKEY#hash      the same
    identity pattern      IDENTITIES          IDENTITY#iid            its id begins with the AWS account, which reads it
    sign-in attempts      ATTEMPTS#hash     window                  of a tuple: an account, an address; expires
    known address         USER#uid            SOURCE#hash           from which the user signed in; expires
    deletion under way    DELETIONS           id
    object in the trash   PROJECT#pid         TRASH#scope#id          the scope is its experiment; see trash.py
    project in the trash  PROJECTS            TRASH#pid
    object to purge       TRASH               time#id                 copy of these two, in the order of purge dates
    running iteration     RUNNING             EXPERIMENT#eid#iid      for the liveness sweep; see running.py
    bytes in the table    BYTES#pid#sha256    BYTES#number            of the inline backend, 256 KiB an item
    upload to check       UPLOADS             time#id                 when due: unfinished, or bytes that arrived late
    event to send         OUTBOX              id                      see event.py; expires

Keys are joined with "#". That is unambiguous because at most one part of a key can hold a "#": ids that the
server creates, and ids in paths, consist of 0-9, a-z, "." and "-"; hashes and numbers hold none; a username ends its
key. Every other text of a caller enters as a hash. tests/storage/test_keys.py checks this for every function below.

docs/access-patterns.md counts the reads and writes of each route.
"""

from __future__ import annotations

from typing import NamedTuple

from chalicelib import ids


class Key(NamedTuple):
    """The primary key of one item."""

    pk: str
    sk: str


class Span(NamedTuple):
    """The rows of a partition from one sort key to another, both included."""

    pk: str
    first: str
    last: str


# Sorts after every character of a hash.
_AFTER_HASHES = "~"

USERS = "USERS"
GROUPS = "GROUPS"
PROJECTS = "PROJECTS"
DELETIONS = "DELETIONS"
RUNNING = "RUNNING"
UPLOADS = "UPLOADS"
PACKING = "PACKING"
TRASH_DUE = "TRASH"
OUTBOX = "OUTBOX"
IDENTITIES = "IDENTITIES"

MEMBER = "MEMBER#"
PERMISSION = "PERMISSION#"
EXPERIMENT = "EXPERIMENT#"
ITERATION = "ITERATION#"
RESOURCE = "RESOURCE#"
LOGGED_MODEL = "LOGGEDMODEL#"
MODEL = "MODEL#"
VERSION = "VERSION#"
CHILD = "CHILD#"
CHUNK = "CHUNK#"
PACKED = "PACKED#"
ROLLUP = "ROLLUP#"
BLOB = "BLOB#"
TEXT = "TEXT#"
USE = "USE#"
STEER = "STEER#"
ALERT = "ALERT#"
USER = "USER#"
SUBJECT = "SUBJECT#"
TAG = "TAG#"
LABELS = "LABELS#"
PROJECT = "PROJECT#"
VIEW = "VIEW#"
SHARE = "SHARE#"
TRASH = "TRASH#"
IDENTITY = "IDENTITY#"


def user(user_id: str) -> Key:
    return Key(user_partition(user_id), "USER")


def user_partition(user_id: str) -> str:
    return f"USER#{user_id}"


def identity(identity_id: str) -> Key:
    return Key(IDENTITIES, f"{IDENTITY}{identity_id}")


def preferences(user_id: str) -> Key:
    return Key(user_partition(user_id), "PREFERENCES")


def subject(subject_id: str) -> Key:
    """The key of a subject by its id, which is a hash."""
    return Key(f"{SUBJECT}{subject_id}", "SUBJECT")


def subject_of_user(user_id: str, subject_id: str) -> Key:
    return Key(user_partition(user_id), f"{SUBJECT}{subject_id}")


def groups_prefix(project_id: str) -> str:
    return f"{project_id}#"


def group(project_id: str, group_id: str) -> Key:
    """The key of a group by its id, which is a hash."""
    return Key(GROUPS, groups_prefix(project_id) + group_id)


def username(name: str) -> Key:
    return Key(f"USERNAME#{name}", "USERNAME")


def user_listing(user_id: str) -> Key:
    return Key(USERS, f"{USER}{user_id}")


def admins() -> Key:
    return Key(USERS, "ADMINS")


def permission(user_id: str, project_id: str) -> Key:
    return Key(user_partition(user_id), f"{PERMISSION}{project_id}")


def member(project_id: str, user_id: str) -> Key:
    return Key(project_partition(project_id), f"{MEMBER}{user_id}")


def project_partition(project_id: str) -> str:
    return f"PROJECT#{project_id}"


def project(project_id: str) -> Key:
    return Key(project_partition(project_id), "PROJECT")


def project_listing(project_id: str) -> Key:
    return Key(PROJECTS, f"{PROJECT}{project_id}")


def view(project_id: str, view_id: str) -> Key:
    return Key(project_partition(project_id), f"{VIEW}{view_id}")


def share(project_id: str, share_id: str) -> Key:
    return Key(project_partition(project_id), f"{SHARE}{share_id}")


def captured(project_id: str, text: str) -> Key:
    """The key of what is known of the job of this name."""
    return Key(project_partition(project_id), f"CAPTURED#{ids.hash_text(text)}")


def blob(project_id: str, sha256: str) -> Key:
    return Key(project_partition(project_id), f"{BLOB}{sha256}")


def experiment_partition(experiment_id: str) -> str:
    return f"EXPERIMENT#{experiment_id}"


def experiment(project_id: str, experiment_id: str) -> Key:
    return Key(project_partition(project_id), f"{EXPERIMENT}{experiment_id}")


def experiment_name(project_id: str, name: str) -> Key:
    return Key(project_partition(project_id), f"EXPERIMENTNAME#{ids.hash_text(name)}")


def experiment_ref(experiment_id: str) -> Key:
    return Key(experiment_partition(experiment_id), "REF")


def iterations_span(experiment_id: str) -> Span:
    """All iterations of an experiment."""
    return Span(experiment_partition(experiment_id), ITERATION, ITERATION + _AFTER_HASHES)


def iterations_between(experiment_id: str, after_id: str, last_id: str | None = None) -> Span:
    """The iterations after an id, or after none if it is empty, up to another one."""
    last = _AFTER_HASHES if last_id is None else last_id
    return Span(
        experiment_partition(experiment_id), f"{ITERATION}{after_id}!" if after_id else ITERATION, ITERATION + last
    )


def iterations_span_before(experiment_id: str, stamp: str) -> Span:
    """The iterations of an experiment that were created before a time (`ids.stamp`)."""
    return Span(experiment_partition(experiment_id), ITERATION, ITERATION + stamp)


def projects_span() -> Span:
    return Span(PROJECTS, PROJECT, PROJECT + _AFTER_HASHES)


def permissions_span(user_id: str) -> Span:
    return Span(user_partition(user_id), PERMISSION, PERMISSION + _AFTER_HASHES)


def experiments_span(project_id: str) -> Span:
    return Span(project_partition(project_id), EXPERIMENT, EXPERIMENT + _AFTER_HASHES)


def models_span(project_id: str) -> Span:
    return Span(project_partition(project_id), MODEL, MODEL + _AFTER_HASHES)


def versions_span(model_id: str) -> Span:
    return Span(model_partition(model_id), VERSION, VERSION + _AFTER_HASHES)


def iteration_partition(iteration_id: str) -> str:
    return f"ITERATION#{iteration_id}"


def iteration(experiment_id: str, iteration_id: str) -> Key:
    return Key(experiment_partition(experiment_id), f"{ITERATION}{iteration_id}")


def running(experiment_id: str, iteration_id: str) -> Key:
    return Key(RUNNING, f"{EXPERIMENT}{experiment_id}#{iteration_id}")


def running_span(experiment_id: str) -> Span:
    """The running iterations of an experiment."""
    return Span(RUNNING, f"{EXPERIMENT}{experiment_id}#", f"{EXPERIMENT}{experiment_id}#{_AFTER_HASHES}")


def running_of_older_servers(iteration_id: str) -> Key:
    return Key(RUNNING, f"{ITERATION}{iteration_id}")


def iteration_of_running(sk: str) -> str:
    """The iteration's id."""
    return sk.rpartition("#")[2]


def change(experiment_id: str, stamp: str, iteration_id: str) -> Key:
    """The key of a change, in the order of the changes' times (`ids.stamp`)."""
    return Key(experiment_partition(experiment_id), f"CHANGE#{stamp}#{iteration_id}")


def study(experiment_id: str, study_id: str) -> Key:
    return Key(experiment_partition(experiment_id), f"STUDY#{study_id}")


def study_records(experiment_id: str, study_id: str, number: int) -> Key:
    return Key(experiment_partition(experiment_id), f"{study_records_prefix(study_id)}{number:012}")


def study_records_span(experiment_id: str, study_id: str, number: int) -> Span:
    """The records from the one with this number on."""
    first = study_records(experiment_id, study_id, number)
    return Span(first.pk, first.sk, f"{study_records_prefix(study_id)}{_AFTER_HASHES}")


def study_records_before(experiment_id: str, study_id: str, number: int) -> Span:
    """The records before the one with this number."""
    return Span(*study_records(experiment_id, study_id, 0), study_records(experiment_id, study_id, number - 1).sk)


def study_records_prefix(study_id: str) -> str:
    return f"STUDYRECORDS#{study_id}#"


def study_append(experiment_id: str, study_id: str, append_hash: str) -> Key:
    return Key(experiment_partition(experiment_id), f"STUDYAPPEND#{study_id}#{append_hash}")


def study_lease(experiment_id: str, study_id: str, lease_id: str) -> Key:
    return Key(experiment_partition(experiment_id), f"{study_lease_prefix(study_id)}{lease_id}")


def study_lease_prefix(study_id: str) -> str:
    return f"STUDYLEASE#{study_id}#"


def changes_span(experiment_id: str, first_stamp: str) -> Span:
    """The changes from a time on."""
    return Span(experiment_partition(experiment_id), f"CHANGE#{first_stamp}", f"CHANGE#{_AFTER_HASHES}")


def parts_of_change(sk: str) -> tuple[str, str]:
    """The stamp and the iteration's id."""
    _, stamp, iteration_id = sk.split("#")
    return stamp, iteration_id


def changed(experiment_id: str, iteration_id: str) -> Key:
    return Key(experiment_partition(experiment_id), f"CHANGED#{iteration_id}")


def changed_span(experiment_id: str, last_id: str) -> Span:
    """The marks of all changed iterations up to an id."""
    return Span(experiment_partition(experiment_id), "CHANGED#", f"CHANGED#{last_id}")


def iteration_of_changed(sk: str) -> str:
    """The iteration's id."""
    return sk.removeprefix("CHANGED#")


def blocks(experiment_id: str) -> Key:
    return Key(experiment_partition(experiment_id), "BLOCKS")


def columns_prefix(block_id: str) -> str:
    return f"COLUMN#{block_id}#"


def column(experiment_id: str, block_id: str, name_hash: str) -> Key:
    return Key(experiment_partition(experiment_id), columns_prefix(block_id) + name_hash)


def packing(experiment_id: str) -> Key:
    return Key(PACKING, f"{EXPERIMENT}{experiment_id}")


def experiment_of_packing(sk: str) -> str:
    """The experiment's id."""
    return sk.removeprefix(EXPERIMENT)


def iteration_ref(iteration_id: str) -> Key:
    return Key(iteration_partition(iteration_id), "REF")


def child(parent_id: str, child_id: str) -> Key:
    return Key(iteration_partition(parent_id), f"{CHILD}{child_id}")


def parameters_prefix(iteration_id: str) -> str:
    return f"PARAMETER#{iteration_id}#"


def parameter(experiment_id: str, iteration_id: str, key_hash: str) -> Key:
    return Key(experiment_partition(experiment_id), parameters_prefix(iteration_id) + key_hash)


def parameters_span(experiment_id: str, first_id: str, last_id: str) -> Span:
    """The parameters of all iterations from one id to another."""
    last = parameters_prefix(last_id) + _AFTER_HASHES
    return Span(experiment_partition(experiment_id), parameters_prefix(first_id), last)


def inputs_prefix(iteration_id: str) -> str:
    return f"INPUT#{iteration_id}#"


def iteration_input(experiment_id: str, iteration_id: str, content_hash: str) -> Key:
    return Key(experiment_partition(experiment_id), inputs_prefix(iteration_id) + content_hash)


def series(experiment_id: str, iteration_id: str) -> Key:
    return Key(experiment_partition(experiment_id), f"SERIES#{iteration_id}")


def series_span(experiment_id: str, first_id: str, last_id: str) -> Span:
    return Span(*series(experiment_id, first_id), series(experiment_id, last_id).sk)


def owner_of_series(sk: str) -> str:
    """The iteration's id."""
    return sk.removeprefix("SERIES#")


def summaries(iteration_id: str) -> Key:
    """Beside the iteration's points, but outside of their span."""
    return Key(iteration_partition(iteration_id), "SUMMARIES")


def chunk(iteration_id: str, batch_hash: str) -> Key:
    return Key(iteration_partition(iteration_id), f"{CHUNK}{batch_hash}")


def batch_of_chunk(sk: str) -> str:
    """The hash of the batch's id."""
    return sk.removeprefix(CHUNK)


def packed(iteration_id: str, key_hash: str, generation: str, part: int) -> Key:
    return Key(iteration_partition(iteration_id), f"{PACKED}{key_hash}#{generation}#{part:03}")


def parts_of_packed(sk: str) -> tuple[str, str, int] | None:
    """The hash of the metric's key, the generation and the number of a packed row. None for a chunk."""
    if not sk.startswith(PACKED):
        return None
    key_hash, generation, part = sk.removeprefix(PACKED).split("#")
    return key_hash, generation, int(part)


def generation_of_packed(sk: str) -> str:
    return sk.split("#")[2]


def chunks_span(iteration_id: str) -> Span:
    return Span(iteration_partition(iteration_id), CHUNK, CHUNK + _AFTER_HASHES)


def packed_span(iteration_id: str, key_hash: str) -> Span:
    """All packed rows of one key."""
    return Span(iteration_partition(iteration_id), f"{PACKED}{key_hash}#", f"{PACKED}{key_hash}#{_AFTER_HASHES}")


def points_span(iteration_id: str) -> Span:
    """Chunks, then packed rows; no other rows are between them."""
    return Span(iteration_partition(iteration_id), CHUNK, PACKED + _AFTER_HASHES)


def rollup(iteration_id: str, axis: str, key_hash: str) -> Key:
    """Beside the iteration's points, but outside of their span."""
    return Key(iteration_partition(iteration_id), f"{ROLLUP}{axis}#{key_hash}")


def output(iteration_id: str, accepted_us: int, part: int) -> Key:
    """Outside of the span of the points."""
    return Key(iteration_partition(iteration_id), f"{TEXT}{accepted_us:016}#{part:03}")


def time_of_output(sk: str) -> int:
    """The time of the batch."""
    return int(sk.split("#")[1])


def output_span(iteration_id: str, first_us: int, last_us: int) -> Span:
    """The output of all batches from one time to another, both included."""
    last = f"{TEXT}{last_us:016}#{_AFTER_HASHES}"
    return Span(iteration_partition(iteration_id), f"{TEXT}{first_us:016}#", last)


def resource(experiment_id: str, resource_id: str) -> Key:
    return Key(experiment_partition(experiment_id), f"{RESOURCE}{resource_id}")


def files_prefix(owner_id: str) -> str:
    return f"FILE#{owner_id}#"


def versions_of_file_prefix(owner_id: str, text: str) -> str:
    """The versions of the file with this path, in the order of their creation."""
    return f"{files_prefix(owner_id)}{ids.hash_text(text)}#"


def file(experiment_id: str, owner_id: str, text: str, version_id: str) -> Key:
    return Key(experiment_partition(experiment_id), versions_of_file_prefix(owner_id, text) + version_id)


def resource_link(iteration_id: str, resource_id: str) -> Key:
    """Beside the iteration's points, but outside of their span."""
    return Key(iteration_partition(iteration_id), f"{RESOURCE}{resource_id}")


def resource_of_link(sk: str) -> str:
    """The resource's id."""
    return sk.removeprefix(RESOURCE)


def resource_ref(resource_id: str) -> Key:
    return Key(f"RESOURCE#{resource_id}", "REF")


def resource_use(resource_id: str, iteration_id: str, content_hash: str) -> Key:
    return Key(resource_ref(resource_id).pk, f"{USE}{iteration_id}#{content_hash}")


def snapshot(experiment_id: str, iteration_id: str) -> Key:
    return Key(experiment_partition(experiment_id), f"SNAPSHOT#{iteration_id}")


def loggedmodel(experiment_id: str, loggedmodel_id: str) -> Key:
    return Key(experiment_partition(experiment_id), f"{LOGGED_MODEL}{loggedmodel_id}")


def loggedmodel_ref(loggedmodel_id: str) -> Key:
    return Key(f"LOGGEDMODEL#{loggedmodel_id}", "REF")


def logged_points_prefix(loggedmodel_id: str) -> str:
    return f"LOGGEDPOINTS#{loggedmodel_id}#"


def logged_points(experiment_id: str, loggedmodel_id: str, content_hash: str) -> Key:
    return Key(experiment_partition(experiment_id), logged_points_prefix(loggedmodel_id) + content_hash)


def logged_points_span(experiment_id: str, first_id: str, last_id: str) -> Span:
    """The points of all logged models from one id to another."""
    last = logged_points_prefix(last_id) + _AFTER_HASHES
    return Span(experiment_partition(experiment_id), logged_points_prefix(first_id), last)


def logged_links_prefix(iteration_id: str) -> str:
    return f"LOGGEDLINK#{iteration_id}#"


def logged_link(experiment_id: str, iteration_id: str, content_hash: str) -> Key:
    return Key(experiment_partition(experiment_id), logged_links_prefix(iteration_id) + content_hash)


def logged_links_span(experiment_id: str, first_id: str, last_id: str) -> Span:
    """The links of all iterations from one id to another."""
    last = logged_links_prefix(last_id) + _AFTER_HASHES
    return Span(experiment_partition(experiment_id), logged_links_prefix(first_id), last)


def owner_of_logged(sk: str) -> str:
    """The logged model of points, or the iteration of a link."""
    return sk.split("#")[1]


def model(project_id: str, model_id: str) -> Key:
    return Key(project_partition(project_id), f"{MODEL}{model_id}")


def model_name(project_id: str, name: str) -> Key:
    return Key(project_partition(project_id), f"MODELNAME#{ids.hash_text(name)}")


def model_partition(model_id: str) -> str:
    return f"MODEL#{model_id}"


def model_ref(model_id: str) -> Key:
    return Key(model_partition(model_id), "REF")


def modelversion(model_id: str, number: str) -> Key:
    """The key of a version; its number is at the end of its id."""
    return Key(model_partition(model_id), f"{VERSION}{number}")


def version_link(iteration_id: str, version_id: str) -> Key:
    """Beside the iteration's points, but outside of their span."""
    return Key(iteration_partition(iteration_id), f"{VERSION}{version_id}")


def command(iteration_id: str, command_hash: str) -> Key:
    """Beside the iteration's points, but outside of their span."""
    return Key(iteration_partition(iteration_id), f"{STEER}{command_hash}")


def alert(iteration_id: str, alert_hash: str) -> Key:
    """Beside the iteration's points, but outside of their span."""
    return Key(iteration_partition(iteration_id), f"{ALERT}{alert_hash}")


def version_uses_prefix(number: str) -> str:
    """The number as it stands at the end of the version's id."""
    return f"{USE}{number}#"


def version_use(model_id: str, number: str, iteration_id: str, content_hash: str) -> Key:
    return Key(model_partition(model_id), f"{version_uses_prefix(number)}{iteration_id}#{content_hash}")


def last_use(prefix: str, iteration_id: str) -> str:
    """A sort key after all uses of this iteration, and before those of the next."""
    return f"{prefix}{iteration_id}#{_AFTER_HASHES}"


def tags_prefix(owner_id: str) -> str:
    return f"{TAG}{owner_id}#"


def tag(owner: Key, owner_id: str, value_hash: str) -> Key:
    """The key of a tag, in the partition of its owner's row."""
    return Key(owner.pk, tags_prefix(owner_id) + value_hash)


def iteration_tags_span(experiment_id: str, first_id: str, last_id: str) -> Span:
    """The tags of all iterations from one id to another."""
    return Span(experiment_partition(experiment_id), tags_prefix(first_id), tags_prefix(last_id) + _AFTER_HASHES)


def labels(owner: Key, owner_id: str) -> Key:
    """The key of long labels, in the partition of their owner's row."""
    return Key(owner.pk, f"{LABELS}{owner_id}")


def iteration_labels_span(experiment_id: str, first_id: str, last_id: str) -> Span:
    """The long labels of all iterations from one id to another."""
    return Span(experiment_partition(experiment_id), f"{LABELS}{first_id}", f"{LABELS}{last_id}")


def owner_of_labels(sk: str) -> str:
    """The owner's id."""
    return sk.removeprefix(LABELS)


def id_key(scope_partition: str, text: str) -> Key:
    return Key(scope_partition, f"IDKEY#{ids.hash_text(text)}")


def resource_id_key(experiment_id: str, text: str) -> Key:
    """The creation key of a resource, in the partition of the experiment."""
    return Key(experiment_partition(experiment_id), f"RESOURCEKEY#{ids.hash_text(text)}")


def attempts(subject_hash: str, window: int) -> Key:
    return Key(f"ATTEMPTS#{subject_hash}", str(window))


def known_source(user_id: str, source_hash: str) -> Key:
    return Key(user_partition(user_id), f"SOURCE#{source_hash}")


def deletion(target_id: str) -> Key:
    return Key(DELETIONS, target_id)


def trash_prefix(scope_id: str) -> str:
    return f"{TRASH}{scope_id}#"


def trash(project_id: str, scope_id: str, target_id: str) -> Key:
    """The key of an object in the trash. The scope is its experiment; of an experiment or a model, itself."""
    return Key(project_partition(project_id), trash_prefix(scope_id) + target_id)


def project_in_trash(project_id: str) -> Key:
    return Key(PROJECTS, f"{TRASH}{project_id}")


def trash_due(due: int, target_id: str) -> Key:
    """The key of an object to purge, in the order of its purge date (ms since 1970)."""
    return Key(TRASH_DUE, f"{due:015}#{target_id}")


def trash_due_until(now: int) -> Span:
    return Span(TRASH_DUE, "0", f"{now:015}")


def bytes_partition(project_id: str, sha256: str) -> str:
    return f"BYTES#{project_id}#{sha256}"


def inline_bytes(project_id: str, sha256: str, number: int) -> Key:
    return Key(bytes_partition(project_id, sha256), f"BYTES#{number:05}")


def upload(due: int, what: str) -> Key:
    """The key of an upload to check, in the order of its due time (ms since 1970)."""
    return Key(UPLOADS, f"{due:015}#{what}")


def token_of_upload(record: Key) -> str:
    """The part of the key that leads back to it."""
    return record.sk.replace("#", ".")


def upload_of_token(token: str) -> Key:
    return Key(UPLOADS, token.replace(".", "#", 1))


def uploads_due(now: int) -> Span:
    return Span(UPLOADS, "0", f"{now:015}")


def event(event_id: str) -> Key:
    return Key(OUTBOX, event_id)
