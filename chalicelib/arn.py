"""ARNs of AWS identities, and the patterns that allow them: pure functions.

The path of a role is not part of it here: AWS leaves it out of the ARN of an assumed role, and a role's name is unique
in its account without it. The name of a session is not part of it either: the caller of AssumeRole chooses it freely.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from chalicelib.errors import InvalidPayload

_PARTITION, _ACCOUNT, _NAME = r"aws(?:-cn|-us-gov)?", r"\d{12}", r"[\w+=,.@-]{1,64}"
# A path ends with a slash, and a name has none: the name is what follows the last slash.
_PATH = r"(?:[!-~]*/)?"
_USER = re.compile(rf"arn:({_PARTITION}):iam::({_ACCOUNT}):(user)/{_PATH}({_NAME})", re.ASCII)
_ASSUMED = re.compile(rf"arn:({_PARTITION}):sts::({_ACCOUNT}):assumed-(role)/({_NAME})/[\w+=,.@-]{{1,64}}", re.ASCII)
_PATTERN = re.compile(rf"arn:({_PARTITION}):iam::({_ACCOUNT}):(role|user)/({_PATH})([\w+=,.@*-]{{1,64}})", re.ASCII)
_PATTERN_OF_ASSUMED = re.compile(
    rf"arn:({_PARTITION}):sts::({_ACCOUNT}):assumed-(role)/()([\w+=,.@*-]{{1,64}})/\*", re.ASCII
)
_USERNAME = re.compile(rf"(role|user)/({_NAME})@({_ACCOUNT})(?:\.({_PARTITION}))?", re.ASCII)

FORM = "arn:aws:iam::123456789012:role/NAME, where NAME may hold * and the account may not"


class Principal(NamedTuple):
    """A role or a user of an AWS account; of a pattern, with a name that may hold ``*``."""

    partition: str
    account: str
    kind: str
    name: str

    @property
    def arn(self) -> str:
        """The ARN without a path."""
        return f"arn:{self.partition}:iam::{self.account}:{self.kind}/{self.name}"

    @property
    def username(self) -> str:
        """The name of its machine account. It holds a slash, which no name of a person may."""
        partition = "" if self.partition == "aws" else f".{self.partition}"
        return f"{self.kind}/{self.name}@{self.account}{partition}"


def principal_of(arn: str) -> Principal | None:
    """The principal of an ARN of `sts:GetCallerIdentity`. None for root, a federated user and any other form."""
    found = _USER.fullmatch(arn) or _ASSUMED.fullmatch(arn)
    return Principal(*found.groups()) if found else None


def principal_of_username(username: str) -> Principal | None:
    """The principal of a machine account; None for the name of a person."""
    found = _USERNAME.fullmatch(username)
    return Principal(found[4] or "aws", found[3], found[1], found[2]) if found else None


def pattern_of(text: str) -> Principal:
    """The principals that a pattern allows. InvalidPayload for a wrong form, or a path beside a wildcard.

    A path is not compared. Beside a wildcard it would look like a limit: ``role/team/*`` would allow every role.
    """
    found = _PATTERN.fullmatch(text) or _PATTERN_OF_ASSUMED.fullmatch(text)
    if found is None:
        raise InvalidPayload(f"A pattern is {FORM}; a session is /*", field="pattern")
    partition, account, kind, path, name = found.groups()
    if path and "*" in path + name:
        raise InvalidPayload(
            "A pattern with * has no path, for AWS does not say the path of a role: leave it out", field="pattern"
        )
    return Principal(partition, account, kind, name)


def allows(pattern: Principal, principal: Principal) -> bool:
    """True if the principal is of the pattern's account and kind, and its name matches."""
    return pattern[:3] == principal[:3] and _matches(pattern.name, principal.name)


def _matches(pattern: str, name: str) -> bool:
    """Match the pieces between the ``*`` left to right: the earliest index for each leaves most for the others."""
    first, *others = pattern.split("*")
    if not others:
        return pattern == name
    *middle, last = others
    if not name.startswith(first) or not name.endswith(last):
        return False
    index, end = len(first), len(name) - len(last)
    for piece in middle:
        found = name.find(piece, index, end)
        if found < 0:
            return False
        index = found + len(piece)
    return index <= end
