"""The base class of all rows, and the ways to read them: one item, several at once, a page of a partition."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from pynamodb.attributes import BooleanAttribute, DiscriminatorAttribute, UnicodeAttribute
from pynamodb.connection import TableConnection
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from chalicelib import ahead, config
from chalicelib.aws import capacity, clients, throttling
from chalicelib.errors import NotFound
from chalicelib.paging import Cursor, Page, bad_cursor, decode_cursor, encode_cursor
from chalicelib.storage.table.keys import Key, Span

M = TypeVar("M", bound="Item")
T = TypeVar("T")

# A filter discards most rows, so a filtered Query reads large pages.
FILTERED_PAGE = 500
# DynamoDB's limit for one BatchGetItem.
_PER_GET = 100
# And for one BatchWriteItem.
_PER_DELETE = 25


class Item(Model):
    """A row. `deleting` hides it from readers, in the trash and while the sweep removes the rows below it."""

    class Meta:
        table_name = ""
        region = ""
        host: str | None = None
        # A request has 29 seconds in all: time out early enough to answer if the table does not.
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
    """The project and experiment of the entity with this id. Written once."""

    project_id = UnicodeAttribute()
    experiment_id = UnicodeAttribute(null=True)
    # True of an iteration: its partition leads to all its resources. Older servers wrote no such links.
    links_resources = BooleanAttribute(null=True)


def connection() -> TableConnection:
    """The connection that all models share: created on the base class, inherited by them."""
    if not Item.Meta.table_name:
        bind(config.settings())
    is_new = Item._connection is None  # noqa: SLF001 - PynamoDB has no public name for it
    made = Item._get_connection()  # noqa: SLF001
    if is_new:
        # Share the session of the other clients: a second one would load the descriptions of AWS again, 25 ms of CPU.
        made.connection._local.session = clients.session()  # noqa: SLF001
        capacity.follow(clients.session())
    return made


def bind(settings: config.Settings) -> None:
    """Point all models at a table."""
    Item.Meta.table_name = settings.table
    Item.Meta.region = settings.region
    Item.Meta.host = settings.endpoint_url
    # None on the base only: PynamoDB would create a client for each model that has the attribute.
    Item._connection = None  # noqa: SLF001


def get(model: type[M], key: Key, *, absent: Callable[[], Exception] = NotFound) -> M:
    """Read one item consistently. Raise `absent()` if there is none, or if it is being deleted."""
    found = find(model, key)
    if found is None or found.deleting:
        raise absent()
    return found


def find(model: type[M], key: Key) -> M | None:
    """Read one item consistently, even one that is being deleted; None if there is none."""
    connection()
    try:
        return model.get(key.pk, key.sk, consistent_read=True)
    except model.DoesNotExist:
        return None


def find_with_expected(model: type[M], key: Key, user_id: str) -> M | None:
    """Like `find`, with the rows that the request of this user expects to read, in one call: see `ahead.py`."""
    expected = ahead.current()
    others = expected.keys(user_id) if expected else ()
    if not expected or not others:
        return find(model, key)
    rows = get_even_hidden([key, *others])
    expected.keep(rows)
    row = rows.get(key)
    return row if isinstance(row, model) else None


def get_expected(keys: Collection[Key]) -> dict[Key, Item]:
    """Like `get_many`, without a call if the request has read these rows with its account."""
    expected = ahead.current()
    rows = expected.take(keys) if expected else None
    return get_many(keys) if rows is None else {key: row for key, row in rows.items() if not row.deleting}


def get_many(keys: Iterable[Key]) -> dict[Key, Item]:
    """Read the items at these keys consistently, of any kind, without those that are being deleted."""
    return {key: item for key, item in get_even_hidden(keys).items() if not item.deleting}


def get_even_hidden(keys: Iterable[Key]) -> dict[Key, Item]:
    """Like `get_many`, with the items that are in the trash or being deleted."""
    found = (Item.from_raw_data(row) for row in _raw_batches(keys, None, consistent=True))
    return {item.key: item for item in found}


def query(model: type[M], pk: str, prefix: str = "", *, condition: Condition | None = None) -> Iterator[M]:
    """All rows of a partition whose sort key starts with `prefix`, in key order, without hidden ones."""
    visible = Item.deleting.does_not_exist()
    return query_even_hidden(model, pk, prefix, condition=visible & condition if condition is not None else visible)


def query_even_hidden(model: type[M], pk: str, prefix: str = "", *, condition: Condition | None = None) -> Iterator[M]:
    """Like `query`, with the rows that are in the trash or being deleted."""
    connection()
    in_range = Item.sk.startswith(prefix) if prefix else None
    return model.query(pk, in_range, condition, consistent_read=True)


def page(
    model: type[M], pk: str, prefix: str, *, limit: int, cursor: Cursor | None, condition: Condition | None = None
) -> Page[M]:
    """At most `limit` rows after the cursor. InvalidPayload if the cursor is not from this list."""
    connection()
    start = None if cursor is None else _start(cursor, pk, prefix)
    visible = Item.deleting.does_not_exist()
    # One row more than requested shows, without another call, that there is a next page.
    rows = list(
        model.query(
            pk,
            Item.sk.startswith(prefix),
            visible & condition if condition is not None else visible,
            consistent_read=True,
            limit=limit + 1,
            page_size=limit + 1 if condition is None else FILTERED_PAGE,
            last_evaluated_key=start,
        )
    )
    return Page(rows[:limit], encode_cursor(pk, rows[limit - 1].sk) if len(rows) > limit else None)


def raw_keys(pk: str, prefix: str = "", *, limit: int | None = None) -> Iterator[Key]:
    """The keys of a partition, also of rows that are hidden or of an unknown kind: deletions must see all of them."""
    connection()
    start: dict[str, Any] | None = None
    left = limit
    while left is None or left > 0:
        answer = connection().query(
            pk,
            Item.sk.startswith(prefix) if prefix else None,
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


def each_id(pk: str, prefix: str) -> Iterator[str]:
    """The ends of the sort keys of a partition that start with `prefix`, also of hidden rows."""
    return (key.sk.removeprefix(prefix) for key in raw_keys(pk, prefix))


def delete_items(item_keys: Iterable[Key]) -> None:
    """Delete rows of any kind by their keys, 25 a call; absent rows are no error."""
    connection()
    with Item.batch_write() as batch:
        for key in item_keys:
            batch.delete(Item(key.pk, key.sk))


def remove_partition(pk: str, prefix: str = "", *, keep: Collection[Key] = ()) -> Iterator[None]:
    """Remove rows of any kind, even kinds unknown to this version of the server, except those to keep.

    Yield before each call, so that the caller can stop in between.
    """
    return remove_items(key for key in raw_keys(pk, prefix) if key not in keep)


def remove_items(item_keys: Iterable[Key]) -> Iterator[None]:
    """Remove the rows with these keys; absent rows are no error. Yield before each call."""
    rest = iter(item_keys)
    while batch := list(islice(rest, _PER_DELETE)):
        yield
        delete_items(batch)


def raw_many(item_keys: Iterable[Key], names: Sequence[str], *, consistent: bool = True) -> dict[Key, dict[str, Any]]:
    """Read these attributes of the items at these keys in DynamoDB's form, hidden items too.

    Faster than models, like `raw_rows`.
    """
    rows = _raw_batches(item_keys, ["PK", "SK", *names], consistent=consistent)
    return {Key(row["PK"]["S"], row["SK"]["S"]): row for row in rows}


def _raw_batches(
    item_keys: Iterable[Key], names: Sequence[str] | None, *, consistent: bool
) -> Iterator[dict[str, Any]]:
    wanted = [{"PK": key.pk, "SK": key.sk} for key in dict.fromkeys(item_keys)]
    for start in range(0, len(wanted), _PER_GET):
        yield from _raw_get(wanted[start : start + _PER_GET], names, consistent)


def _raw_get(keys: list[Any], names: Sequence[str] | None, consistent: bool) -> Iterator[dict[str, Any]]:
    """Read one batch. The table leaves keys unprocessed if an answer would be too long, or if it throttles them."""
    empty = 0
    while keys:
        answer = connection().batch_get_item(keys, consistent_read=consistent, attributes_to_get=names)
        rows = answer["Responses"].get(Item.Meta.table_name, [])
        yield from rows
        left = answer.get("UnprocessedKeys", {}).get(Item.Meta.table_name, {}).get("Keys", [])
        empty = 0 if rows or not left else empty + 1
        if empty:
            throttling.pause_or_refuse(empty)
        keys = left


def raw_rows(
    span: Span,
    names: Sequence[str],
    *,
    condition: Condition | None = None,
    consistent: bool = True,
    start: dict[str, Any] | None = None,
    per_call: int | None = None,
    newest_first: bool = False,
) -> Iterator[dict[str, Any]]:
    """Read these attributes of the rows in a span in DynamoDB's form, hidden rows too.

    For thousands of small rows: models take ten times as long. Not `consistent` costs half, and may miss the writes of
    the last moment. `start` is the key before the first row. A caller that may stop early gives the number of rows of
    the first call; each later call reads twice as many.
    """
    answers = raw_answers(
        span,
        names,
        condition=condition,
        consistent=consistent,
        start=start,
        per_call=per_call,
        newest_first=newest_first,
    )
    for rows, _ in answers:
        yield from rows


def raw_answers(
    span: Span,
    names: Sequence[str],
    *,
    condition: Condition | None = None,
    consistent: bool = True,
    start: dict[str, Any] | None = None,
    per_call: int | None = None,
    newest_first: bool = False,
) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any] | None]]:
    """The rows of each Query of `raw_rows`, and the key that the next Query starts after, None at the end."""
    while True:
        answer = connection().query(
            span.pk,
            Item.sk.between(span.first, span.last),
            condition,
            attributes_to_get=list(names),
            consistent_read=consistent,
            exclusive_start_key=start,
            limit=per_call,
            scan_index_forward=not newest_first,
        )
        start = answer.get("LastEvaluatedKey")
        yield answer["Items"], start
        if not start:
            return
        per_call = None if per_call is None else 2 * per_call


def raw_page(span: Span, names: Sequence[str], *, limit: int, cursor: Cursor | None) -> Page[dict[str, Any]]:
    """Like `page`, but not consistent, and in DynamoDB's form. `span` begins with the prefix of its rows."""
    start = None if cursor is None else _start(cursor, span.pk, span.first)
    visible = Item.deleting.does_not_exist()
    found = raw_rows(span, ["SK", *names], condition=visible, consistent=False, start=start, per_call=limit + 1)
    rows = list(islice(found, limit + 1))
    return Page(rows[:limit], encode_cursor(span.pk, rows[limit - 1]["SK"]["S"]) if len(rows) > limit else None)


def changes(row: Item, before: object, after: object, names: Iterable[str]) -> list[Action]:
    """Set those of these attributes in which two shapes differ, and no other: another request may be changing those.

    ``row`` is the row of `after`; None removes an attribute.
    """
    differing = [name for name in names if getattr(before, name) != getattr(after, name)]
    fields = [(getattr(type(row), name), getattr(row, name)) for name in differing]
    return [field.remove() if value is None else field.set(value) for field, value in fields]


def _start(cursor: Cursor, pk: str, prefix: str) -> dict[str, Any]:
    partition, sk = decode_cursor(cursor, 2)
    if partition != pk or not sk.startswith(prefix):
        raise bad_cursor()
    return {"PK": {"S": pk}, "SK": {"S": sk}}
