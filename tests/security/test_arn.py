"""Patterns of AWS roles: no pattern allows a role of another account, kind or partition."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib import arn
from chalicelib.arn import Principal
from chalicelib.errors import InvalidPayload

ACCOUNTS = st.text("0123456789", min_size=12, max_size=12)
PLAIN = st.text("ab-.@", min_size=1, max_size=12)
PARTITIONS = st.sampled_from(["aws", "aws-cn", "aws-us-gov"])
PRINCIPALS = st.builds(Principal, PARTITIONS, ACCOUNTS, st.sampled_from(["role", "user"]), PLAIN)
PATHS = st.sampled_from(["", "service-role/", "team/a/", "../", "*/", "a*/"])


def caller(principal: Principal, session: str = "job-1", path: str = "") -> str:
    """The ARN that STS says of a principal."""
    partition, account, kind, name = principal
    if kind == "user":
        return f"arn:{partition}:iam::{account}:user/{path}{name}"
    return f"arn:{partition}:sts::{account}:assumed-role/{name}/{session}"


@given(PRINCIPALS, PRINCIPALS, st.text("ab*-", min_size=1, max_size=8), PATHS)
def test_a_pattern_allows_only_names_of_its_account_kind_and_partition(
    of_pattern: Principal, principal: Principal, name: str, path: str
) -> None:
    text = f"arn:{of_pattern.partition}:iam::{of_pattern.account}:{of_pattern.kind}/{path}{name}"
    try:
        pattern = arn.pattern_of(text)
    except InvalidPayload:
        assert path
        assert "*" in path + name
        return
    expected = re.fullmatch(name.replace("*", "[ab.@-]*"), principal.name) is not None
    same = of_pattern[:3] == principal[:3]
    assert arn.allows(pattern, principal) == (same and expected)
    assert arn.allows(pattern, of_pattern._replace(name=name.replace("*", "")))


@given(PRINCIPALS, PRINCIPALS)
def test_the_widest_pattern_stays_in_its_account(one: Principal, other: Principal) -> None:
    assume(one[:3] != other[:3])
    assert not arn.allows(arn.pattern_of(one._replace(name="*").arn), other)
    assert arn.allows(arn.pattern_of(one._replace(name="*").arn), one)


@given(PRINCIPALS, st.sampled_from(["", "team/", "a/b/"]), st.text("abZ0_=,.@-", min_size=2, max_size=12))
def test_the_principal_of_a_caller_keeps_account_kind_and_name(principal: Principal, path: str, session: str) -> None:
    assert arn.principal_of(caller(principal, session, path)) == principal
    assert arn.principal_of_username(principal.username) == principal


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:iam::123456789012:root",
        "arn:aws:sts::123456789012:federated-user/ada",
        "arn:aws:sts::123456789012:assumed-role/train",
        "arn:aws:sts::123456789012:assumed-role/team/train/job",
        "arn:aws:sts::12345678901:assumed-role/train/job",
        "arn:aws:sts::123456789012:assumed-role/tr*/job",
        "arn:aws:sts::123456789012:assumed-role/train/job\n",
        "arn:aws:iam::123456789012:role/train",
        f"arn:aws:sts::{chr(0xFF11) * 12}:assumed-role/train/job",
        "arn:other:sts::123456789012:assumed-role/train/job",
    ],
)
def test_other_callers_have_no_principal(text: str) -> None:
    assert arn.principal_of(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "train",
        "arn:aws:iam::*:role/train",
        "arn:aws:iam::12345678901*:role/train",
        "arn:aws:iam::123456789012:*",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:r*/train",
        "arn:*:iam::123456789012:role/train",
        "arn:aws:iam::123456789012:role/team/*",
        "arn:aws:iam::123456789012:role/*/train",
        "arn:aws:iam::123456789012:role/train?",
        "arn:aws:iam::123456789012:role/train\n",
        "arn:aws:iam::123456789012:root",
        "arn:aws:sts::123456789012:assumed-role/train/job-1",
        "arn:aws:sts::123456789012:assumed-role/train/job-*",
        "arn:aws:sts::123456789012:assumed-role/train",
    ],
)
def test_other_patterns_are_refused(text: str) -> None:
    with pytest.raises(InvalidPayload) as refused:
        arn.pattern_of(text)
    assert refused.value.details["field"] == "pattern"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-Role", "AmazonSageMaker-Role"),
        ("arn:aws:sts::123456789012:assumed-role/train-*/*", "train-*"),
    ],
)
def test_a_path_and_a_session_are_no_part_of_a_pattern(text: str, name: str) -> None:
    assert arn.pattern_of(text) == Principal("aws", "123456789012", "role", name)
