"""An object that the server itself uploads in parts, while the answer to the join is lost."""

from __future__ import annotations

import hashlib

import pytest

from chalicelib.artifacts import Location, s3, s3_parts
from chalicelib.artifacts.base import UploadGone
from tests.support.faults import Answer, Delivery, Fault, inject, lost_500, lost_connection
from tests.support.server import Server

DATA = b"x" * 1000
LOCATION = Location("project", hashlib.sha256(DATA).hexdigest())


def write() -> None:
    s3_parts.write(s3.client(), s3.address_of(LOCATION), LOCATION.sha256, len(DATA), [DATA])


def repeated(delivery: Delivery) -> Answer:
    """A possible answer of S3 to the SDK's repetition, though no emulator gives it."""
    delivery.deliver()
    return delivery.answer(404, "NoSuchUpload")


@pytest.mark.parametrize("fault", [lost_500, lost_connection, repeated])
def test_the_object_is_there(real_server: Server, fault: Fault) -> None:
    with inject(fault, {"CompleteMultipartUpload"}) as hit:
        write()
    assert hit == ["CompleteMultipartUpload"]
    assert b"".join(s3.S3Store().blocks(LOCATION)) == DATA


def test_an_aborted_upload_is_no_object(real_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    client = s3.client()
    begin = s3_parts.begin

    def begin_and_abort(*given: object) -> str:
        upload_id = begin(*given)  # type: ignore[arg-type]
        monkeypatch.setattr(client, "upload_part", lambda **_: {"ETag": "x"})
        s3_parts.abort(client, s3.address_of(LOCATION), upload_id)
        return upload_id

    monkeypatch.setattr(s3_parts, "begin", begin_and_abort)
    with pytest.raises(UploadGone):
        write()
