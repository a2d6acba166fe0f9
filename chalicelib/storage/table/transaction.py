"""Atomic writes of several items, each with the error to raise if its condition fails."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.aws import throttling
from chalicelib.errors import DomainError, Unavailable
from chalicelib.retry import Retry
from chalicelib.storage.table import item
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key

Otherwise = Callable[[], DomainError]
_Step = Callable[[TransactWrite], None]


def code_of(error: PynamoDBException) -> str | None:
    """DynamoDB's error code, None without an answer: PynamoDB's own property fails on a dropped connection."""
    response = getattr(error.cause, "response", None) or {}
    code: str | None = response.get("Error", {}).get("Code")
    return code


class Transaction:
    """Collect up to 100 writes, then `commit`, which retries while another transaction holds one of the items.

    DynamoDB executes one ClientRequestToken once, so a repeated call gets the answer of the first one. The token stays
    the same until DynamoDB has reported that nothing was written.
    """

    def __init__(self) -> None:
        self._token = _new_token()
        # DynamoDB reports per operation, in the order in which PynamoDB sends them: by kind.
        self._after: list[Callable[[], None]] = []
        self._steps: dict[str, list[tuple[_Step, Otherwise]]] = {"check": [], "delete": [], "put": [], "update": []}

    def check(self, model: type[Item], key: Key, condition: Condition, otherwise: Otherwise) -> None:
        """Commit only if this item, which is not written, meets the condition."""
        self._add("check", lambda write: write.condition_check(model, key.pk, key.sk, condition), otherwise)

    def put(self, row: Item, otherwise: Otherwise, condition: Condition | None = None) -> None:
        """Write an item that must not exist yet, unless another condition is given."""
        wanted = Item.pk.does_not_exist() if condition is None else condition
        self._add("put", lambda write: write.save(row, wanted), otherwise)

    def replace(self, row: Item) -> None:
        """Write an item without a condition."""
        self._add("put", lambda write: write.save(row), Unavailable)

    def update(self, row: Item, actions: list[Action], condition: Condition | None, otherwise: Otherwise) -> None:
        self._add("update", lambda write: write.update(row, actions, condition), otherwise)

    def delete(self, row: Item, condition: Condition | None, otherwise: Otherwise) -> None:
        self._add("delete", lambda write: write.delete(row, condition), otherwise)

    def then(self, work: Callable[[], None]) -> None:
        """Call `work` once the transaction is committed."""
        self._after.append(work)

    def commit(self) -> None:
        """Raise the error of the first write whose condition fails; Unavailable if conflicts outlast the retries."""
        for _ in Retry():
            try:
                self._try()
            except TransactWriteError as error:
                self._raise_meaning(error)
                if code_of(error) == "TransactionCanceledException":
                    self._token = _new_token()
            else:
                for work in self._after:
                    work()
                return

    def _add(self, kind: str, step: _Step, otherwise: Otherwise) -> None:
        self._steps[kind].append((step, otherwise))

    def _in_order(self) -> list[tuple[_Step, Otherwise]]:
        return [step for kind in ("check", "delete", "put", "update") for step in self._steps[kind]]

    def _try(self) -> None:
        with TransactWrite(self._token, connection=item.connection().connection) as write:
            for step, _ in self._in_order():
                step(write)

    def _raise_meaning(self, error: TransactWriteError) -> None:
        """Raise the error that a cancelled transaction means; return only if it should be retried."""
        reasons = error.cancellation_reasons
        for (_, otherwise), reason in zip(self._in_order(), reasons, strict=False):
            if reason is not None and reason.code == "ConditionalCheckFailed":
                raise otherwise() from None
        codes = [code_of(error), *(reason.code for reason in reasons if reason is not None)]
        if throttling.CODES.intersection(codes):
            throttling.refuse()
        if "TransactionConflict" not in codes and "TransactionInProgressException" not in codes:
            raise error


def _new_token() -> str:
    return str(uuid.uuid4())
