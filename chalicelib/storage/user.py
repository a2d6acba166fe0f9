"""Users: one row each, a sentinel that makes the name unique, a row in the list, and the number of admins.

Names that differ only in case are the same: the key of the sentinel is the name in lower case. Older servers used the
name as written. So their users may have a sentinel under that name, and two may have names that differ only in case:
each is found by the exact name. `fold_usernames` adds the sentinel in lower case where it is free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import ids
from chalicelib.errors import Conflict, InvalidPayload, Overtaken
from chalicelib.paging import Page
from chalicelib.security import NO_PASSWORD
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import User

_PAGE = 100


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
    # API tokens by id, without their secrets: one write of this row revokes them.
    tokens = JSONAttribute()


class UsernameRow(Item, discriminator="username"):
    user_id = UnicodeAttribute()


class UserListingRow(Item, discriminator="user-listing"):
    user_id = UnicodeAttribute()


class AdminsRow(Item, discriminator="admins"):
    number = NumberAttribute()


class TokenRecord(NamedTuple):
    """An API token as stored; times in ms since 1970."""

    name: str
    fingerprint: str
    created: int
    expires: int | None
    project_id: str | None
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user with private fields. Sessions of an older epoch are invalid; each change adds to `version`."""

    user: User
    password_hash: str
    epoch: int
    tokens: Mapping[str, TokenRecord] = field(default_factory=dict)
    version: int = 0

    @property
    def is_machine(self) -> bool:
        """True for the account of a role or user of AWS, which signs in without a password."""
        return self.password_hash == NO_PASSWORD


def create_account(account: Account) -> None:
    """Create an account. Conflict if the username is taken, in upper or lower case."""
    write = Transaction()
    add_account(account, write)
    write.commit()


def add_account(account: Account, write: Transaction) -> None:
    """Add a new account to a transaction, which fails with Conflict if the username is taken."""
    user = account.user
    # The name of a machine account holds a slash, and that of a person does not, in older servers too.
    if not account.is_machine:
        _require_free(user)
    write.put(_row(account), Conflict)
    write.put(_sentinel(user), lambda: _taken(user.username))
    write.put(UserListingRow(*keys.user_listing(user.id), user_id=user.id), Conflict)
    if user.is_admin:
        _count_admin(write, 1)


def find_account(user_id: str, *, is_proven: bool = True) -> Account | None:
    """The account. With it, read what the request expects, if its sender has proven to hold a secret of this user."""
    key = keys.user(user_id)
    row = item.find_with_expected(UserRow, key, user_id) if is_proven else item.find(UserRow, key)
    return None if row is None or row.deleting else _account(row)


def find_user_id(username: str) -> str | None:
    """The id of the user with exactly this name, else of the user with this name in another case."""
    return find_user_ids([username]).get(username)


def find_user_ids(usernames: Iterable[str]) -> dict[str, str]:
    """Find the ids of these users by name, in one batch; a name without a user is left out."""
    keys_of = {name: [keys.username(name), keys.username(ids.fold_case(name))] for name in usernames}
    found = item.get_many(key for both in keys_of.values() for key in both)
    owners = {
        name: [row.user_id for row in map(found.get, both) if isinstance(row, UsernameRow)]
        for name, both in keys_of.items()
    }
    return {name: user_ids[0] for name, user_ids in owners.items() if user_ids}


def find_account_by_username(username: str) -> Account | None:
    user_id = find_user_id(username)
    return None if user_id is None else find_account(user_id)


def find_users(user_ids: Iterable[str]) -> dict[str, User]:
    """The users with these ids, without those that do not exist or are being deleted."""
    found = item.get_many(map(keys.user, user_ids)).values()
    return {row.id: _shape(row) for row in found if isinstance(row, UserRow) and not row.deleting}


def list_users(limit: int, cursor: str | None) -> Page[User]:
    listing = item.page(UserListingRow, keys.USERS, keys.USER, limit=limit, cursor=cursor)
    user_keys = [keys.user(row.user_id) for row in listing.data]
    found = item.get_many(user_keys)
    rows = [found[key] for key in user_keys if key in found]
    return Page([_shape(row) for row in rows if isinstance(row, UserRow)], listing.next_cursor)


def each_user() -> Iterator[User]:
    """Every user, the oldest first."""
    cursor: str | None = None
    while True:
        users = list_users(_PAGE, cursor)
        yield from users.data
        cursor = users.next_cursor
        if cursor is None:
            return


def find_first_admin() -> User | None:
    """The admin with the oldest account."""
    return next((user for user in each_user() if user.is_admin), None)


def count_admins() -> int:
    row = item.find(AdminsRow, keys.admins())
    return int(row.number) if row else 0


def update_account(before: Account, after: Account) -> None:
    """Write an account. Conflict if the name is taken, Overtaken if another request changed the account.

    InvalidPayload if the last admin would stop being one.
    """
    old, new = before.user, after.user
    write = Transaction()
    write.put(_row(replace(after, version=before.version + 1)), Overtaken, _unchanged(before))
    if new.username != old.username:
        _require_free(new)
        if _find_owner(_sentinel(new)) != new.id:
            write.put(_sentinel(new), lambda: _taken(new.username))
        _release_names(old, write, keep=_sentinel(new).key)
    if new.is_admin != old.is_admin:
        _count_admin(write, 1 if new.is_admin else -1)
    write.commit()


def hide_account(account: Account, write: Transaction) -> None:
    """Hide the user from readers and free the name, in a transaction. InvalidPayload for the last admin."""
    user = account.user
    write.update(_row(account), [UserRow.deleting.set(True)], _unchanged(account), Conflict)
    _release_names(user, write)
    write.delete(UserListingRow(*keys.user_listing(user.id)), None, Conflict)
    if user.is_admin:
        _count_admin(write, -1)


def remove_user(user_id: str) -> Iterator[None]:
    """Remove the rows of the user's partition, the user's own at last. Yield before each call."""
    own = keys.user(user_id)
    yield from item.remove_partition(own.pk, keep=[own])
    item.delete_items([own])


def fold_usernames() -> int:
    """Make users of older servers findable by their names in any case. Return how many sentinels were added.

    Of two users whose names differ only in case, only the older one gets the sentinel.
    """
    mixed = [user for user in each_user() if ids.fold_case(user.username) != user.username]
    return sum(_fold_username(user) for user in mixed if _find_owner(_sentinel(user)) is None)


def _fold_username(user: User) -> bool:
    """False when the name was taken, or its user changed or deleted, at the same moment."""
    write = Transaction()
    same = (UserRow.username == user.username) & UserRow.deleting.does_not_exist()
    write.check(UserRow, keys.user(user.id), same, Conflict)
    write.put(_sentinel(user), Conflict)
    try:
        write.commit()
    except Conflict:
        return False
    return True


def _require_free(user: User) -> None:
    """Conflict if another user has this name in any case.

    The sentinel does not suffice: a user of an older server may have none in lower case.
    """
    folded = ids.fold_case(user.username)
    if any(ids.fold_case(other.username) == folded and other.id != user.id for other in each_user()):
        raise _taken(user.username)


def _release_names(user: User, write: Transaction, *, keep: Key | None = None) -> None:
    """Delete the sentinels of a user, in lower case and as written, except the one to keep."""
    for key in {keys.username(user.username), _sentinel(user).key} - {keep}:
        sentinel = UsernameRow(*key)
        if _find_owner(sentinel) in {None, user.id}:
            mine = UsernameRow.pk.does_not_exist() | (UsernameRow.user_id == user.id)
            write.delete(sentinel, mine, Overtaken)


def _find_owner(sentinel: UsernameRow) -> str | None:
    row = item.find(UsernameRow, sentinel.key)
    return None if row is None else row.user_id


def _count_admin(write: Transaction, change: int) -> None:
    enough = AdminsRow.number > 1 if change < 0 else AdminsRow.number.does_not_exist() | (AdminsRow.number >= 0)
    counter = AdminsRow(*keys.admins())
    actions: list[Action] = [AdminsRow.number.add(change), AdminsRow.kind.set(AdminsRow)]
    write.update(counter, actions, enough, lambda: InvalidPayload("The last admin must stay one", field="is_admin"))


def _unchanged(account: Account) -> Condition:
    """Condition: the user is not being deleted, and no request has changed the account."""
    same: Condition = UserRow.deleting.does_not_exist()
    same &= UserRow.version == account.version
    return same


def _taken(username: str) -> Conflict:
    return Conflict(f"The username {username!r} is taken", field="username", kind="user")


def _sentinel(user: User) -> UsernameRow:
    return UsernameRow(*keys.username(ids.fold_case(user.username)), user_id=user.id)


def _row(account: Account) -> UserRow:
    tokens = {token_id: token._asdict() for token_id, token in account.tokens.items()}
    private = {"password_hash": account.password_hash, "epoch": account.epoch, "version": account.version}
    return row_of(UserRow, keys.user(account.user.id), account.user, tokens=tokens, **private)


def _account(row: UserRow) -> Account:
    return Account(
        user=_shape(row),
        password_hash=row.password_hash,
        epoch=int(row.epoch),
        tokens={token_id: TokenRecord(**token) for token_id, token in row.tokens.items()},
        version=int(row.version),
    )


def _shape(row: UserRow) -> User:
    return shape_of(row, User)
