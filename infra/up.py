"""Create or correct every resource of a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.resources.admin import converge_admin, converge_usernames
from infra.resources.bucket import converge_bucket, delete_bucket, has_bucket
from infra.resources.secret import converge_secret, delete_secret, has_secret
from infra.resources.table import converge_table, delete_table, has_table
from infra.store import name_of_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infra.stage import Clients, Stage


def bring_up(
    stage: Stage, clients: Clients, *, cors_origins: Sequence[str], username: str, password: str | None
) -> Iterator[str]:
    """Create missing resources and correct settings; yield each change as it is made. A second run yields nothing.

    The environment must hold ``stage.settings()``: the server's own code creates the admin.
    """
    yield from converge_table(clients.dynamodb, stage.table)
    if not stage.store:
        yield from converge_bucket(clients.s3, stage, cors_origins)
    yield from converge_secret(clients.ssm, stage.secret_parameter)
    yield from converge_admin(username, password)
    yield from converge_usernames()


def has_resources(stage: Stage, clients: Clients) -> bool:
    """True if the stage has a table, a bucket or a secret, which `take_down` removes last."""
    return (
        has_table(clients.dynamodb, stage.table)
        or has_bucket(clients.s3, stage.bucket)
        or has_secret(clients.ssm, stage.secret_parameter)
    )


def take_down(stage: Stage, clients: Clients, *, delete_data: bool) -> Iterator[str]:
    """Remove the secret; with ``delete_data`` also the table and the bucket in AWS with their content."""
    if stage.store:
        yield f"kept: everything in {name_of_store(stage)}, and the parameter with its keys"
    yield from delete_secret(clients.ssm, stage.secret_parameter)
    if delete_data:
        yield from delete_table(clients.dynamodb, stage.table)
        yield from delete_bucket(clients.s3, stage.bucket)
    else:
        command = f"make destroy STAGE={stage.name} DATA=delete"
        yield f"kept: table {stage.table}, bucket {stage.bucket} (`{command}` deletes them)"
