"""Jobs without a secret: the sign-in of an AWS role or user, and the patterns that allow it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from chalicelib import limits
from chalicelib.aws.sts import SignedRequest
from chalicelib.errors import InvalidPayload
from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Id, PageQuery
from chalicelib.services import identity as service
from chalicelib.services import machine
from deardiary.wire.shapes import Identity, Session

routes = Routes(__name__)

_Text = Annotated[str, Meta(max_length=limits.MAX_CREDENTIAL_CHARACTERS)]
# A session token of AWS has a few thousand characters.
_Header = Annotated[str, Meta(max_length=16_384)]


class SignedByCaller(Body):
    """A request `sts:GetCallerIdentity`, as its caller signed it."""

    max_bytes: ClassVar[int] = 65_536

    method: _Text
    url: _Text
    headers: Annotated[dict[_Text, _Header], Meta(max_length=16)]
    body: _Text


class NewIdentity(Body):
    """By default what a job needs in order to log: all but deletions."""

    pattern: _Text
    project_id: Id
    read_only: bool = False
    create_permission: bool | None = None
    read_permission: bool = True
    update_permission: bool | None = None
    delete_permission: bool = False


class IdentitiesQuery(PageQuery):
    project_id: Id | None = None


@routes.post("/auth/aws", body=SignedByCaller, public=True)
def sign_in_by_aws(call: Call[SignedByCaller, None]) -> Answer[Session]:
    body = call.body
    return ok(machine.sign_in(SignedRequest(body.method, body.url, body.headers, body.body), call.site))


@routes.get("/auth/identities", query=IdentitiesQuery)
def list_identities(call: Call[None, IdentitiesQuery]) -> Answer[Page[Identity]]:
    query = call.query
    return listed(service.list_identities(call.actor, query.project_id, query.limit, query.cursor))


@routes.post("/auth/identities", body=NewIdentity)
def create_identity(call: Call[NewIdentity, None]) -> Answer[Identity]:
    body = call.body
    if body.read_only and (body.create_permission or body.update_permission or body.delete_permission):
        raise InvalidPayload("read_only gives no other permission", field="read_only")
    may_write = not body.read_only
    identity, new = service.create_identity(
        call.actor,
        pattern=body.pattern,
        project_id=body.project_id,
        create=may_write if body.create_permission is None else body.create_permission,
        read=body.read_permission,
        update=may_write if body.update_permission is None else body.update_permission,
        delete=body.delete_permission,
    )
    return created(identity, new=new)


@routes.delete("/auth/identities/{identity_id}")
def delete_identity(call: Call[None, None], identity_id: str) -> Answer[None]:
    service.delete_identity(call.actor, identity_id)
    return deleted()
