"""Identity patterns: all in one partition, sorted by the AWS account that their ids begin with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute, UTCDateTimeAttribute

from chalicelib.errors import Conflict, NotFound, Overtaken
from chalicelib.paging import Page
from chalicelib.storage import permission as permissions
from chalicelib.storage import project
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Identity, UserPermission


class IdentityRow(Item, discriminator="identity"):
    id = UnicodeAttribute()
    project_id = UnicodeAttribute()
    pattern = UnicodeAttribute()
    read_only = BooleanAttribute()
    create_permission = BooleanAttribute()
    read_permission = BooleanAttribute()
    update_permission = BooleanAttribute()
    delete_permission = BooleanAttribute()
    created_by = UnicodeAttribute(null=True)
    created_date = UTCDateTimeAttribute()


def create_identity(identity: Identity) -> None:
    """Create an identity. NotFound without the project, Conflict if it has this pattern already."""
    write = Transaction()
    project.check_alive(identity.project_id, write)
    write.put(row_of(IdentityRow, keys.identity(identity.id), identity), Conflict)
    write.commit()


def find_identity(identity_id: str) -> Identity | None:
    row = item.find(IdentityRow, keys.identity(identity_id))
    return None if row is None else _shape(row)


def list_identities(limit: int, cursor: str | None) -> Page[Identity]:
    rows = item.page(IdentityRow, keys.IDENTITIES, keys.IDENTITY, limit=limit, cursor=cursor)
    return Page([_shape(row) for row in rows.data], rows.next_cursor)


def identities_of_account(account: str) -> list[Identity]:
    """The identities of one AWS account, in all projects."""
    return [_shape(row) for row in item.query(IdentityRow, keys.IDENTITIES, f"{keys.IDENTITY}{account}.")]


def identities_of_project(project_id: str) -> list[Identity]:
    same = IdentityRow.project_id == project_id
    return [_shape(row) for row in item.query(IdentityRow, keys.IDENTITIES, keys.IDENTITY, condition=same)]


def delete_identity(identity_id: str) -> None:
    """Delete an identity, in a transaction: a repetition after a lost answer succeeds too."""
    write = Transaction()
    write.delete(IdentityRow(*keys.identity(identity_id)), IdentityRow.pk.exists(), NotFound)
    write.commit()


def remove_identities_of_project(project_id: str) -> Iterator[None]:
    """Remove the identities of a project. Yield before each call."""
    return item.remove_items(keys.identity(each.id) for each in identities_of_project(project_id))


def put_permission(permission: UserPermission, identities: Iterable[Identity]) -> None:
    """Write the permission that these identities give a machine account. Overtaken if one of them is gone.

    NotFound without the account or the project.
    """
    write = Transaction()
    project.check_alive(permission.project_id, write)
    for each in identities:
        write.check(IdentityRow, keys.identity(each.id), IdentityRow.pk.exists(), Overtaken)
    permissions.add_permission(permission, write)
    write.commit()


def _shape(row: IdentityRow) -> Identity:
    return shape_of(row, Identity)
