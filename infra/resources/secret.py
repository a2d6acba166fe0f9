"""The key ring that signs JWTs, in SSM Parameter Store, where a SecureString is free of charge."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from infra.failure import InfraError

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient


def converge_secret(ssm: SSMClient, name: str) -> list[str]:
    """Create the key ring if there is none. Never change an existing one: that would end every token."""
    if has_secret(ssm, name):
        return []
    ssm.put_parameter(
        Name=name,
        Value=_new_key_ring(),
        Type="SecureString",
        Description="DearDiary: the keys that sign its JWTs",
        Overwrite=False,
    )
    return [f"secret {name}: created"]


def rotate_secret(ssm: SSMClient, name: str) -> list[str]:
    """Sign with a new secret from now on. Tokens of the previous secret stay valid, those of older ones end.

    InfraError if the stage has no key ring. A server reads the new secret within minutes, or with the first token that
    it signed.
    """
    if not has_secret(ssm, name):
        raise InfraError(f"there is no secret {name}; run `make deploy` first")
    before = json.loads(ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    after = json.loads(_new_key_ring())
    after["secrets"][before["signing"]] = before["secrets"][before["signing"]]
    ssm.put_parameter(Name=name, Value=json.dumps(after), Type="SecureString", Overwrite=True)
    return [
        f"secret {name}: signing with {after['signing']}; {before['signing']} still verifies",
        "API tokens do not depend on the secret and go on working; `infra end-tokens` ends them and all sessions",
    ]


def delete_secret(ssm: SSMClient, name: str) -> list[str]:
    """Delete the key ring, which ends every token. Return no line if there is none."""
    if not has_secret(ssm, name):
        return []
    ssm.delete_parameter(Name=name)
    return [f"secret {name}: deleted"]


def has_secret(ssm: SSMClient, name: str) -> bool:
    try:
        ssm.get_parameter(Name=name)
    except ssm.exceptions.ParameterNotFound:
        return False
    return True


def _new_key_ring() -> str:
    """``{"signing": kid, "secrets": {kid: secret}}``; a secret is 32 random bytes in hex."""
    key_id = secrets.token_hex(4)
    return json.dumps({"signing": key_id, "secrets": {key_id: secrets.token_hex(32)}})
