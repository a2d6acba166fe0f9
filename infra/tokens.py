"""End every session and API token of a stage: after a leak, and in a restored table.

A session names its user's epoch, and an API token is stored as a hash in its user's row, so one write of that row ends
both. A scan of the whole table finds the rows, so that a user who is missing from the list of users is found as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_dynamodb import DynamoDBClient


def end_all_tokens(dynamodb: DynamoDBClient, table: str) -> list[str]:
    """End them, and return their numbers. The environment must name this table for the server's code."""
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
