"""Subjects: accounts at an OpenID Connect provider, by issuer and `sub`, and the user that each signs in.

A row by the subject makes it unique; a copy in the user's partition lists the subjects of a user. The first row stays
when the user is removed, so that the subject does not become a new user at its next sign-in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute

from chalicelib import ids
from chalicelib.errors import Conflict, NotFound, Overtaken
from chalicelib.paging import Page
from chalicelib.storage import user as users
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from chalicelib.storage.user import Account, UserRow


class SubjectRow(Item, discriminator="subject"):
    id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    issuer = UnicodeAttribute()
    subject = UnicodeAttribute()
    created_date = UTCDateTimeAttribute()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An account at a provider that signs in a user of this server."""

    id: str
    user_id: str
    issuer: str
    subject: str
    created_date: datetime


def id_of(issuer: str, subject: str) -> str:
    return ids.hash_texts(issuer, subject)


def find_owner(subject_id: str) -> str | None:
    """The id of the user that this subject signs in, who may have been removed; None for an unknown subject."""
    row = item.find(SubjectRow, keys.subject(subject_id))
    return None if row is None else row.user_id


def create_user(account: Account, subject: Subject) -> None:
    """Create a user with a subject. Overtaken if the subject has a user, Conflict if the username is taken."""
    write = Transaction()
    # First, because the first condition that fails decides the error.
    write.put(row_of(SubjectRow, keys.subject(subject.id), subject), Overtaken)
    write.put(row_of(SubjectRow, keys.subject_of_user(subject.user_id, subject.id), subject), Overtaken)
    users.add_account(account, write)
    write.commit()


def link(subject: Subject) -> None:
    """Let a subject sign in this user. Conflict while it signs in another, NotFound without the user."""
    owner = find_owner(subject.id)
    if owner not in {None, subject.user_id} and users.find_account(str(owner)) is not None:
        raise _taken()
    write = Transaction()
    alive = UserRow.pk.exists() & UserRow.deleting.does_not_exist()
    write.check(UserRow, keys.user(subject.user_id), alive, NotFound)
    same = SubjectRow.pk.does_not_exist() | (SubjectRow.user_id == (owner or subject.user_id))
    write.put(row_of(SubjectRow, keys.subject(subject.id), subject), _taken, same)
    write.replace(row_of(SubjectRow, keys.subject_of_user(subject.user_id, subject.id), subject))
    write.commit()


def list_subjects(user_id: str, limit: int, cursor: str | None) -> Page[Subject]:
    rows = item.page(SubjectRow, keys.user_partition(user_id), keys.SUBJECT, limit=limit, cursor=cursor)
    return Page([shape_of(row, Subject) for row in rows.data], rows.next_cursor)


def unlink(user_id: str, subject_id: str) -> None:
    """Remove both rows. NotFound unless the subject signs in this user."""
    write = Transaction()
    copy = SubjectRow(*keys.subject_of_user(user_id, subject_id))
    write.delete(copy, SubjectRow.pk.exists(), NotFound)
    write.delete(SubjectRow(*keys.subject(subject_id)), SubjectRow.user_id == user_id, NotFound)
    write.commit()


def _taken() -> Conflict:
    return Conflict("This subject signs in another user", field="subject", kind="subject")
