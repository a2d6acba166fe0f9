"""Users."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chalicelib.limits import (
    MAX_CREDENTIAL_CHARACTERS,
    MAX_PASSWORD_BYTES,
    MAX_USERNAME_CHARACTERS,
    MIN_PASSWORD_CHARACTERS,
)
from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, PageQuery, changes
from chalicelib.routes.http.problem import rule
from chalicelib.services import permission
from chalicelib.services import user as service
from chalicelib.services.lifecycle import deletion
from deardiary.wire import limits
from deardiary.wire.shapes import User, UserName, UserPermission

routes = Routes(__name__)

Username = Annotated[
    str,
    rule(
        r"^[A-Za-z0-9._@-]*(?![\s\S])",
        "letters of a to z, digits and . _ - @ only",
        min_length=1,
        max_length=MAX_USERNAME_CHARACTERS,
    ),
]
PersonName = Annotated[str, Meta(max_length=limits.MAX_NAME_CHARACTERS)]
Password = Annotated[
    str,
    Meta(
        min_length=MIN_PASSWORD_CHARACTERS,
        max_length=MAX_PASSWORD_BYTES,
        description=f"At most {MAX_PASSWORD_BYTES} bytes in UTF-8",
    ),
]

CurrentPassword = Annotated[
    str,
    Meta(
        max_length=MAX_CREDENTIAL_CHARACTERS,
        description="The present password, required for a new password of your own",
    ),
]


class NewUser(Body):
    username: Username
    password: Password
    first_name: PersonName = ""
    last_name: PersonName = ""
    is_admin: bool = False


class UserPatch(Body):
    username: Username | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    current_password: CurrentPassword | None = None
    first_name: PersonName | UnsetType = UNSET
    last_name: PersonName | UnsetType = UNSET
    is_admin: bool | UnsetType = UNSET


class UsersQuery(PageQuery):
    username: (
        Annotated[
            str,
            Meta(
                max_length=MAX_USERNAME_CHARACTERS,
                description="Only the user with this username, in any letter case; every user may ask",
            ),
        ]
        | None
    ) = None


@routes.get("/users", query=UsersQuery)
def list_users(call: Call[None, UsersQuery]) -> Answer[Page[UserName]]:
    """List all users, for admins; with a username, answer its id and names, for every user."""
    if call.query.username is not None:
        found = service.find_user(call.query.username)
        return listed(Page([found] if found else [], None))
    users = service.list_users(call.actor, call.query.limit, call.query.cursor)
    return listed(Page([*users.data], users.next_cursor))


@routes.post("/users", body=NewUser)
def create_user(call: Call[NewUser, None]) -> Answer[User]:
    user = service.create_user(
        call.actor,
        username=call.body.username,
        password=call.body.password,
        first_name=call.body.first_name,
        last_name=call.body.last_name,
        is_admin=call.body.is_admin,
    )
    return created(user)


@routes.get("/users/{user_id}")
def get_user(call: Call[None, None], user_id: str) -> Answer[User]:
    return ok(service.get_user(call.actor, user_id))


@routes.patch("/users/{user_id}", body=UserPatch)
def update_user(call: Call[UserPatch, None], user_id: str) -> Answer[User]:
    given = changes(call.body)
    current = given.pop("current_password")
    patch = service.UserChanges(**given)  # type: ignore[typeddict-item]
    return ok(service.update_user(call.actor, user_id, patch, current_password=current, source=call.source))


@routes.delete("/users/{user_id}")
def delete_user(call: Call[None, None], user_id: str) -> Answer[None]:
    return deleted(finished=deletion.delete_user(call.actor, user_id))


@routes.get("/users/{user_id}/permissions", query=PageQuery)
def list_permissions_of_user(call: Call[None, PageQuery], user_id: str) -> Answer[Page[UserPermission]]:
    return listed(permission.list_permissions_of_user(call.actor, user_id, call.query.limit, call.query.cursor))
