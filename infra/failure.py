"""The error of an infra command, and the error codes of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import ClientError


class InfraError(Exception):
    """A command cannot continue. The text is for the user of the command line."""


def code_of(error: ClientError) -> str:
    """The error code of AWS, e.g. ``NoSuchBucket``. S3 answers a HEAD request with the status only, e.g. ``404``."""
    return error.response.get("Error", {}).get("Code", "")
