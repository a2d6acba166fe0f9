"""The key ring that signs JWTs, in SSM Parameter Store, where a SecureString costs nothing."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient


def converge_secret(ssm: SSMClient, name: str) -> list[str]:
    """Make the key ring if there is none; an existing one is never touched, or every token would end."""
    if _exists(ssm, name):
        return []
    ssm.put_parameter(
        Name=name,
        Value=_new_key_ring(),
        Type="SecureString",
        Description="DearDiary: the keys that sign its JWTs",
        Overwrite=False,
    )
    return [f"secret {name}: created"]


def delete_secret(ssm: SSMClient, name: str) -> list[str]:
    """Delete the key ring, which ends every token; no line when there is none."""
    if not _exists(ssm, name):
        return []
    ssm.delete_parameter(Name=name)
    return [f"secret {name}: deleted"]


def _exists(ssm: SSMClient, name: str) -> bool:
    try:
        ssm.get_parameter(Name=name)
    except ssm.exceptions.ParameterNotFound:
        return False
    return True


def _new_key_ring() -> str:
    """``{"signing": kid, "secrets": {kid: secret}}``; a secret is 32 random bytes in hex."""
    key_id = secrets.token_hex(4)
    return json.dumps({"signing": key_id, "secrets": {key_id: secrets.token_hex(32)}})
