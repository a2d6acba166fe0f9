"""Users: one row each, a sentinel that makes the name unique, a row in the list, and the number of admins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.errors import Conflict, InvalidPayload
from chalicelib.page import Page
from chalicelib.storage import item, keys
from chalicelib.storage.item import Item
from chalicelib.storage.transaction import Transaction
from deardiary.shapes import User


class Overtaken(Conflict):
    """Somebody else changed the account since it was read: read it again."""


class UserRow(Item, discriminator="user"):
    id = UnicodeAttribute()
    username = UnicodeAttribute()
    first_name = UnicodeAttribute()
    last_name = UnicodeAttribute()
    created_date = UTCDateTimeAttribute()
    is_admin = BooleanAttribute()
    password_hash = UnicodeAttribute()
    epoch = NumberAttribute()
    version = NumberAttribute()
    # API tokens by id, without their secrets: whatever ends them is one write of this row.
    tokens = JSONAttribute()


class UsernameRow(Item, discriminator="username"):
    user_id = UnicodeAttribute()


class UserListingRow(Item, discriminator="user-listing"):
    user_id = UnicodeAttribute()


class AdminsRow(Item, discriminator="admins"):
    number = NumberAttribute()


class TokenRecord(NamedTuple):
    """An API token as the server keeps it; times in ms since 1970."""

    name: str
    fingerprint: str
    created: int
    expires: int | None
    project_id: str | None
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user with what never leaves the server. Sessions of an older epoch are dead; every change is a version."""

    user: User
    password_hash: str
    epoch: int
    tokens: Mapping[str, TokenRecord] = field(default_factory=dict)
    version: int = 0


def create_account(account: Account) -> None:
    """Conflict when the username is taken."""
    user = account.user
    write = Transaction()
    write.put(_row(account), Conflict)
    write.put(_username_row(user), lambda: _taken(user.username))
    write.put(UserListingRow(*keys.user_listing(user.id), user_id=user.id), Conflict)
    if user.is_admin:
        _count_admin(write, 1)
    write.commit()


def find_account(user_id: str) -> Account | None:
    row = item.find(UserRow, keys.user(user_id))
    return None if row is None or row.deleting else _account(row)


def find_user_id(username: str) -> str | None:
    sentinel = item.find(UsernameRow, keys.username(username))
    return None if sentinel is None else sentinel.user_id


def find_account_by_username(username: str) -> Account | None:
    user_id = find_user_id(username)
    return None if user_id is None else find_account(user_id)


def list_users(limit: int, cursor: str | None) -> Page[User]:
    listing = item.page(UserListingRow, keys.USERS, keys.USER, limit=limit, cursor=cursor)
    places = [keys.user(row.user_id) for row in listing.data]
    found = item.get_many(places)
    rows = [found[place] for place in places if place in found]
    return Page([_shape(row) for row in rows if isinstance(row, UserRow)], listing.next_cursor)


def find_first_admin() -> User | None:
    """The admin whose account is the oldest."""
    cursor: str | None = None
    while True:
        users = list_users(50, cursor)
        admin = next((user for user in users.data if user.is_admin), None)
        if admin or users.next_cursor is None:
            return admin
        cursor = users.next_cursor


def count_admins() -> int:
    row = item.find(AdminsRow, keys.admins())
    return int(row.number) if row else 0


def update_account(before: Account, after: Account) -> None:
    """Conflict when the name is taken, Overtaken when the account was changed meanwhile; the last admin stays one."""
    old, new = before.user, after.user
    write = Transaction()
    write.put(_row(replace(after, version=before.version + 1)), Overtaken, _unchanged(before))
    if new.username != old.username:
        write.put(_username_row(new), lambda: _taken(new.username))
        write.delete(_username_row(old), None, Conflict)
    if new.is_admin != old.is_admin:
        _count_admin(write, 1 if new.is_admin else -1)
    write.commit()


def hide_account(account: Account, write: Transaction) -> None:
    """Add to a transaction what takes the user away from every reader: the last admin cannot go."""
    user = account.user
    write.update(_row(account), [UserRow.deleting.set(True)], _unchanged(account), Conflict)
    write.delete(_username_row(user), None, Conflict)
    write.delete(UserListingRow(*keys.user_listing(user.id)), None, Conflict)
    if user.is_admin:
        _count_admin(write, -1)


def _count_admin(write: Transaction, change: int) -> None:
    enough = AdminsRow.number > 1 if change < 0 else AdminsRow.number.does_not_exist() | (AdminsRow.number >= 0)
    counter = AdminsRow(*keys.admins())
    actions: list[Action] = [AdminsRow.number.add(change), AdminsRow.kind.set(AdminsRow)]
    write.update(counter, actions, enough, lambda: InvalidPayload("The last admin must stay one", field="is_admin"))


def _unchanged(account: Account) -> Condition:
    """Holds while the user is there and nobody has changed anything."""
    same: Condition = UserRow.deleting.does_not_exist()
    same &= UserRow.version == account.version
    return same


def _taken(username: str) -> Conflict:
    return Conflict(f"The username {username!r} is taken", field="username")


def _username_row(user: User) -> UsernameRow:
    return UsernameRow(*keys.username(user.username), user_id=user.id)


def _row(account: Account) -> UserRow:
    user = account.user
    return UserRow(
        *keys.user(user.id),
        id=user.id,
        username=user.username,
        first_name=user.first_name,
        last_name=user.last_name,
        created_date=user.created_date,
        is_admin=user.is_admin,
        password_hash=account.password_hash,
        epoch=account.epoch,
        version=account.version,
        tokens={token_id: token._asdict() for token_id, token in account.tokens.items()},
    )


def _account(row: UserRow) -> Account:
    return Account(
        user=_shape(row),
        password_hash=row.password_hash,
        epoch=int(row.epoch),
        tokens={token_id: TokenRecord(**token) for token_id, token in row.tokens.items()},
        version=int(row.version),
    )


def _shape(row: UserRow) -> User:
    return User(
        id=row.id,
        first_name=row.first_name,
        last_name=row.last_name,
        username=row.username,
        created_date=row.created_date,
        is_admin=row.is_admin,
    )
