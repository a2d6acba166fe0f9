"""The base of everything in the table, and the ways to read it: one item, several at once, a page of a partition."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from pynamodb.attributes import BooleanAttribute, DiscriminatorAttribute, UnicodeAttribute
from pynamodb.connection import TableConnection
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from chalicelib import config
from chalicelib.aws import capacity, clients
from chalicelib.errors import InvalidPayload, NotFound
from chalicelib.paging import Cursor, Page
from chalicelib.retry import Patience
from chalicelib.storage.table.keys import Key, Span

M = TypeVar("M", bound="Item")
T = TypeVar("T")

# A filter throws most rows away: read them by the hundred, not by the handful.
FILTERED_PAGE = 500
# What DynamoDB gives at once.
_PER_GET = 100
_CHECK_BYTES = 6
_LONGEST_SORT_KEY = 1024


class Item(Model):
    """A row. `deleting` hides it from readers while what hangs on it is being removed."""

    class Meta:
        table_name = ""
        region = ""
        host: str | None = None
        # A request has 29 seconds in all; a table that does not answer must leave time to say so.
        connect_timeout_seconds = 2
        read_timeout_seconds = 5
        max_pool_connections = 64
        max_retry_attempts = 3

    pk = UnicodeAttribute(hash_key=True, attr_name="PK")
    sk = UnicodeAttribute(range_key=True, attr_name="SK")
    kind = DiscriminatorAttribute()
    deleting = BooleanAttribute(null=True)

    @property
    def key(self) -> Key:
        return Key(self.pk, self.sk)


class Ref(Item, discriminator="ref"):
    """Where the thing with this id lives. Written once."""

    project_id = UnicodeAttribute()
    experiment_id = UnicodeAttribute(null=True)


def connection() -> TableConnection:
    """The connection that all models share: made on the base, inherited by them."""
    if not Item.Meta.table_name:
        bind(config.settings())
    is_new = Item._connection is None  # noqa: SLF001 - PynamoDB has no public name for it
    made = Item._get_connection()  # noqa: SLF001
    if is_new:
        # The session of all other clients: a second one would read its descriptions of AWS again, 25 ms of CPU.
        made.connection._local.session = clients.session()  # noqa: SLF001
        capacity.follow(clients.session())
    return made


def bind(settings: config.Settings) -> None:
    """Point all models at a table."""
    Item.Meta.table_name = settings.table
    Item.Meta.region = settings.region
    Item.Meta.host = settings.endpoint_url
    # None on the base, and nothing on the models: PynamoDB would give each of them a client of its own.
    Item._connection = None  # noqa: SLF001


def get(model: type[M], key: Key, *, absent: Callable[[], Exception] = NotFound) -> M:
    """One item, as it is now. Raises what `absent` makes when there is none, or only one on its way out."""
    found = find(model, key)
    if found is None or found.deleting:
        raise absent()
    return found


def find(model: type[M], key: Key) -> M | None:
    """One item as it is now, even one that is being deleted, or None."""
    connection()
    try:
        return model.get(key.pk, key.sk, consistent_read=True)
    except model.DoesNotExist:
        return None


def get_many(keys: Iterable[Key]) -> dict[Key, Item]:
    """The items that exist at these keys, as they are now, whatever their kinds; those being deleted left out."""
    connection()
    wanted = set(keys)
    found = Item.batch_get([tuple(key) for key in wanted], consistent_read=True) if wanted else ()
    return {item.key: item for item in found if not item.deleting}


def query(model: type[M], pk: str, prefix: str = "", *, where: Condition | None = None) -> Iterator[M]:
    """All rows of a partition whose sort key begins so, in its order."""
    connection()
    visible = Item.deleting.does_not_exist()
    return model.query(
        pk,
        Item.sk.startswith(prefix) if prefix else None,
        visible & where if where is not None else visible,
        consistent_read=True,
    )


def page(
    model: type[M], pk: str, prefix: str, *, limit: int, cursor: Cursor | None, where: Condition | None = None
) -> Page[M]:
    """At most `limit` rows after the cursor. InvalidPayload when the cursor is not one of ours for this list."""
    connection()
    start = None if cursor is None else _start(cursor, pk, prefix)
    visible = Item.deleting.does_not_exist()
    # One row more than asked tells whether there is a next page without another call.
    rows = list(
        model.query(
            pk,
            Item.sk.startswith(prefix),
            visible & where if where is not None else visible,
            consistent_read=True,
            limit=limit + 1,
            page_size=limit + 1 if where is None else FILTERED_PAGE,
            last_evaluated_key=start,
        )
    )
    return Page(rows[:limit], encode_cursor(pk, rows[limit - 1].sk) if len(rows) > limit else None)


class HasId(Protocol):
    @property
    def id(self) -> str: ...


HasIdT = TypeVar("HasIdT", bound=HasId)


def page_by_id(everything: Iterable[HasIdT], scope: str, limit: int, cursor: Cursor | None) -> Page[HasIdT]:
    """A page, in the order of ids, of a list that is in hand; `scope` tells its cursors from those of other lists."""
    of, after = (scope, "") if cursor is None else decode_cursor(cursor, 2)
    if of != scope:
        raise bad_cursor()
    left = sorted((each for each in everything if each.id > after), key=lambda each: each.id)
    return Page(left[:limit], encode_cursor(scope, left[limit - 1].id) if len(left) > limit else None)


def raw_keys(pk: str, prefix: str = "", *, limit: int | None = None) -> Iterator[Key]:
    """The keys in a partition, those that no model claims included: what a deletion must see."""
    connection()
    start: dict[str, Any] | None = None
    left = limit
    while left is None or left > 0:
        condition = Item.sk.startswith(prefix) if prefix else None
        answer = connection().query(
            pk,
            condition,
            attributes_to_get=["PK", "SK"],
            consistent_read=True,
            exclusive_start_key=start,
            limit=left,
        )
        for row in answer["Items"]:
            yield Key(row["PK"]["S"], row["SK"]["S"])
        if left is not None:
            left -= len(answer["Items"])
        start = answer.get("LastEvaluatedKey")
        if not start:
            return


def raw_many(places: Iterable[Key], names: Sequence[str]) -> dict[Key, dict[str, Any]]:
    """These attributes of the items that exist at these keys, as DynamoDB gives them, hidden ones too.

    Like `raw_rows`, for many.
    """
    wanted = [{"PK": place.pk, "SK": place.sk} for place in dict.fromkeys(places)]
    connection()
    calls = [wanted[at : at + _PER_GET] for at in range(0, len(wanted), _PER_GET)]
    rows = [row for call in calls for row in _raw_get(call, ["PK", "SK", *names])]
    return {Key(row["PK"]["S"], row["SK"]["S"]): row for row in rows}


def _raw_get(keys: list[Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """Unavailable when the table gives only a part of them, time and again."""
    found: list[dict[str, Any]] = []
    patience = Patience()
    while True:
        answer = connection().batch_get_item(keys, consistent_read=True, attributes_to_get=names)
        found += answer["Responses"][Item.Meta.table_name]
        keys = answer.get("UnprocessedKeys", {}).get(Item.Meta.table_name, {}).get("Keys", [])
        if not keys:
            return found
        patience.wait()


def raw_rows(span: Span, names: Sequence[str], *, where: Condition | None = None) -> Iterator[dict[str, Any]]:
    """These attributes of the rows in a stretch of a partition, as DynamoDB gives them, hidden rows too.

    For thousands of small rows, of which models would take ten times as long to make.
    """
    start: dict[str, Any] | None = None
    while True:
        answer = connection().query(
            span.pk,
            Item.sk.between(span.first, span.last),
            where,
            attributes_to_get=list(names),
            consistent_read=True,
            exclusive_start_key=start,
        )
        yield from answer["Items"]
        start = answer.get("LastEvaluatedKey")
        if not start:
            return


def changes(row: Item, before: object, after: object, names: Iterable[str]) -> list[Action]:
    """Set those of these attributes in which two shapes differ, and no other: somebody may be changing those.

    ``row`` is the one of `after`; None removes.
    """
    differing = [name for name in names if getattr(before, name) != getattr(after, name)]
    fields = [(getattr(type(row), name), getattr(row, name)) for name in differing]
    return [field.remove() if value is None else field.set(value) for field, value in fields]


def encode_cursor(*position: str) -> Cursor:
    """An opaque text that holds a place in a list."""
    data = json.dumps(position).encode()
    return base64.urlsafe_b64encode(_check(data) + data).decode().rstrip("=")


def decode_cursor(cursor: Cursor, length: int) -> Sequence[str]:
    """The place that a cursor holds. InvalidPayload when it holds none of `length` parts."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars="-_", validate=True)
        position = json.loads(data[_CHECK_BYTES:]) if _check(data[_CHECK_BYTES:]) == data[:_CHECK_BYTES] else None
    except (binascii.Error, ValueError, RecursionError):
        raise bad_cursor() from None
    if not (isinstance(position, list) and len(position) == length and all(map(_is_place, position))):
        raise bad_cursor()
    return position


def _check(data: bytes) -> bytes:
    """So that a damaged cursor is seen, and does not lead to another place; it is no secret."""
    return hashlib.blake2s(data, digest_size=_CHECK_BYTES).digest()


def bad_cursor() -> InvalidPayload:
    return InvalidPayload("This cursor is damaged or belongs to another list", field="cursor")


def _is_place(part: object) -> bool:
    """What a sort key of ours, an id or a number can be; the table would stumble over anything else."""
    return isinstance(part, str) and part.isascii() and len(part) <= _LONGEST_SORT_KEY


def _start(cursor: Cursor, pk: str, prefix: str) -> dict[str, Any]:
    partition, sk = decode_cursor(cursor, 2)
    if partition != pk or not sk.startswith(prefix):
        raise bad_cursor()
    return {"PK": {"S": pk}, "SK": {"S": sk}}
