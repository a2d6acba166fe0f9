"""End every session and API token of a stage: after a leak, and in a table that a backup has brought back.

A session names its user's epoch, an API token is kept as a hash in its user's row: one write of that row ends both. The
rows are found by a scan of the whole table, so that a user that the list of users lacks is found as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_dynamodb import DynamoDBClient


def end_all_tokens(dynamodb: DynamoDBClient, table: str) -> list[str]:
    """Say for how many users and tokens. The environment must point the server's code at this table."""
    from chalicelib.services import user

    ended = [user.end_tokens(user_id) for user_id in list(_user_ids(dynamodb, table))]
    return [f"tokens: every session of {len(ended)} users and {sum(ended)} API tokens ended"]


def _user_ids(dynamodb: DynamoDBClient, table: str) -> Iterator[str]:
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="kind = :user",
        ExpressionAttributeValues={":user": {"S": "user"}},
        ProjectionExpression="id",
        ConsistentRead=True,
    )
    for page in pages:
        yield from (row["id"]["S"] for row in page["Items"])
