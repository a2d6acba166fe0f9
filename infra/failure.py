"""What stops an infra command, and how AWS names its refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import ClientError


class InfraError(Exception):
    """A command cannot go on; the text is for the person who typed it."""


def code_of(error: ClientError) -> str:
    """The name of the refusal, e.g. ``NoSuchBucket``; S3 answers a HEAD with the bare status, e.g. ``404``."""
    return error.response.get("Error", {}).get("Code", "")
