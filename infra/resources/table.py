"""The one DynamoDB table of a stage: string keys PK and SK, no index, billed by request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from infra.failure import InfraError, code_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TableDescriptionTypeDef

KEY_SCHEMA = [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}]
TTL_ATTRIBUTE = "expires_at"
RECOVERY_TRIES, RECOVERY_PAUSE = 20, 3.0


def converge_table(dynamodb: DynamoDBClient, name: str) -> list[str]:
    """Create the table or correct its settings; return one line per change.

    InfraError if a table of this name has other keys, which cannot be changed in place.
    """
    table = _describe(dynamodb, name)
    if table is None:
        done = _create(dynamodb, name)
    elif table["KeySchema"] != KEY_SCHEMA:
        raise InfraError(f"Table {name} exists with other keys: {table['KeySchema']}")
    else:
        done = _converge_billing(dynamodb, table) + _converge_protection(dynamodb, table)
    return done + _converge_expiry(dynamodb, name) + _converge_recovery(dynamodb, name)


def delete_table(dynamodb: DynamoDBClient, name: str) -> list[str]:
    """Delete the table with its content, deletion protection included. Return no line if there is none."""
    if _describe(dynamodb, name) is None:
        return []
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    dynamodb.delete_table(TableName=name)
    dynamodb.get_waiter("table_not_exists").wait(TableName=name)
    return [f"table {name}: deleted"]


def has_table(dynamodb: DynamoDBClient, name: str) -> bool:
    return _describe(dynamodb, name) is not None


def inspect_table(dynamodb: DynamoDBClient, name: str) -> list[str]:
    """What is wrong with the table, a line each."""
    table = _describe(dynamodb, name)
    if table is None:
        return [f"there is no table {name}"]
    faults = {
        f"{name} has other keys: {table['KeySchema']}": table["KeySchema"] != KEY_SCHEMA,
        f"{name} is not billed by request": not _is_billed_by_request(table),
        f"{name} has no deletion protection": not table.get("DeletionProtectionEnabled"),
        f"{name} has secondary indexes, which nothing uses and each write pays": bool(
            table.get("GlobalSecondaryIndexes")
        ),
        f"items of {name} do not expire by {TTL_ATTRIBUTE}": not _expires(dynamodb, name),
        f"{name} has no point-in-time recovery": not _is_recoverable(dynamodb, name),
    }
    return [fault for fault, is_there in faults.items() if is_there]


def _is_billed_by_request(table: TableDescriptionTypeDef) -> bool:
    return table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST"


def _expires(dynamodb: DynamoDBClient, name: str) -> bool:
    current = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return current.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") and current.get("AttributeName") == TTL_ATTRIBUTE


def _is_recoverable(dynamodb: DynamoDBClient, name: str) -> bool:
    current = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return current.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED"


def _describe(dynamodb: DynamoDBClient, name: str) -> TableDescriptionTypeDef | None:
    try:
        return dynamodb.describe_table(TableName=name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return None


def _create(dynamodb: DynamoDBClient, name: str) -> list[str]:
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    return [f"table {name}: created"]


def _converge_billing(dynamodb: DynamoDBClient, table: TableDescriptionTypeDef) -> list[str]:
    if _is_billed_by_request(table):
        return []
    dynamodb.update_table(TableName=table["TableName"], BillingMode="PAY_PER_REQUEST")
    dynamodb.get_waiter("table_exists").wait(TableName=table["TableName"])
    return [f"table {table['TableName']}: billing by request"]


def _converge_protection(dynamodb: DynamoDBClient, table: TableDescriptionTypeDef) -> list[str]:
    if table.get("DeletionProtectionEnabled"):
        return []
    dynamodb.update_table(TableName=table["TableName"], DeletionProtectionEnabled=True)
    dynamodb.get_waiter("table_exists").wait(TableName=table["TableName"])
    return [f"table {table['TableName']}: deletion protection on"]


def _converge_expiry(dynamodb: DynamoDBClient, name: str) -> list[str]:
    if _expires(dynamodb, name):
        return []
    dynamodb.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
    )
    return [f"table {name}: items expire by {TTL_ATTRIBUTE}"]


def _converge_recovery(dynamodb: DynamoDBClient, name: str) -> list[str]:
    if _is_recoverable(dynamodb, name):
        return []
    for tries_left in reversed(range(RECOVERY_TRIES)):
        try:
            dynamodb.update_continuous_backups(
                TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
            break
        except ClientError as error:
            # A table is ACTIVE some seconds before its backups can be enabled.
            if code_of(error) != "ContinuousBackupsUnavailableException" or not tries_left:
                raise
            time.sleep(RECOVERY_PAUSE)
    return [f"table {name}: point-in-time recovery on"]
