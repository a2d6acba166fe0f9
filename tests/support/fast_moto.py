"""moto without the work that makes it slow: it copies, sorts and translates whole tables, shape by shape.

The answers stay those of moto: its handlers and its tables do the work. `test_fast_moto` compares.

One request at a time: the server calls from several threads, and moto's tables are plain dicts.
"""

from __future__ import annotations

import base64
import copy
import functools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import useragent
from botocore.signers import RequestSigner
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import ServiceException
from moto.core.models import botocore_stubber
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb import models
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

from tests.support.fast_expressions import fast_expressions

# Held by each request to moto, and by each reader of its memory. moto may call itself.
lock = threading.RLock()
ACCOUNT, REGION = "123456789012", "us-east-1"
# Moto itself handles operations on tables, which tests rarely use.
_ON_ITEMS = {
    *("GetItem", "BatchGetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"),
    *("TransactGetItems", "TransactWriteItems"),
}
# Moto's tables are plain dicts, and a page sends several requests at once.
_one_at_a_time = threading.RLock()
_process_request = BotocoreStubber.process_request
_transact = models.DynamoDBBackend.transact_write_items
_query = Table.query
_sign = RequestSigner.sign
_cast_value: Any = vars(DynamoType)["cast_value"]


@contextmanager
def fast_moto() -> Iterator[None]:
    kept_text = functools.cache(useragent.sanitize_user_agent_string_component)
    with pytest.MonkeyPatch.context() as patch, fast_expressions():
        patch.setattr(useragent, "sanitize_user_agent_string_component", kept_text)
        patch.setattr(RequestSigner, "sign", _sign_for_others)
        patch.setattr(BotocoreStubber, "process_request", _process)
        patch.setattr(models.DynamoDBBackend, "transact_write_items", _transact_quickly)
        patch.setattr(Table, "query", _query_partition)
        patch.setattr(DynamoType, "cast_value", property(_cast_quickly))
        yield


def _sign_for_others(signer: Any, operation: str, request: Any, *given: Any, **named: Any) -> None:
    """Moto looks at no signature of DynamoDB's requests."""
    if not (botocore_stubber.enabled and signer._service_id == "DynamoDB"):
        _sign(signer, operation, request, *given, **named)


def _process(stubber: BotocoreStubber, request: Any) -> Any:
    with lock:
        return _process_alone(stubber, request)


def _process_alone(stubber: BotocoreStubber, request: Any) -> Any:
    """Call the handler of an operation on items with the request's JSON, past the routing and the models of moto."""
    target = request.headers.get("X-Amz-Target") or b""
    service, _, operation = (target.decode() if isinstance(target, bytes) else target).partition(".")
    if not service.startswith("DynamoDB_") or operation not in _ON_ITEMS or ".amazonaws.com" not in request.url:
        return _process_request(stubber, request)
    handler: Any = DynamoHandler()
    handler.current_account, handler.region = ACCOUNT, REGION
    handler.body = json.loads(request.body, object_hook=_decode_binary)
    try:
        with _one_at_a_time:
            result = getattr(handler, camelcase_to_underscores(operation))().result
    except ServiceException as error:
        handler.headers, handler.querystring, handler.response_headers = request.headers, {}, {}
        return handler.serialized(ActionResult(error))
    except HTTPException as error:
        return error.code, dict(error.get_headers() or ()), error.description
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(result, default=_encode_binary)


def _decode_binary(value: dict[str, Any]) -> dict[str, Any]:
    """An attribute's value as moto stores it; an attribute of that name has a dict as its value."""
    if isinstance(value.get("B"), str):
        return {"B": base64.b64decode(value["B"])}
    if isinstance(value.get("BS"), list):
        return {"BS": [base64.b64decode(each) for each in value["BS"]]}
    return value


def _encode_binary(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _cast_quickly(value: DynamoType) -> Any:
    return value.value if value.type == "S" else _cast_value.fget(value)


_SETS = {"SS", "NS", "BS"}


def _query_partition(table: Table, hash_key: Any, *given: Any, **named: Any) -> Any:
    """A query in a view of the one partition: moto sorts the items of all partitions first."""
    if not table.all_indexes():
        view: Any = copy.copy(table)
        view.items = {hash_key: table.items[hash_key]} if hash_key in table.items else {}
        table = view
    return _query(table, hash_key, *given, **named)


def _transact_quickly(backend: models.DynamoDBBackend, items: list[dict[str, Any]]) -> None:
    """Copy a table once, and of it only what the transaction can change: moto copies all of it for each item."""
    clones: dict[str, Table] = {}

    def deepcopy(value: Any) -> Any:
        if not isinstance(value, Table):
            return copy.deepcopy(value)
        if value.name not in clones:
            clones[value.name] = clone(value, _partitions(value, items))
        return clones[value.name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "copy", SimpleNamespace(deepcopy=deepcopy))
        _transact(backend, items)


def _partitions(table: Table, items: list[dict[str, Any]]) -> set[DynamoType]:
    written = [operation for item in items for operation in item.values()]
    return {DynamoType((each.get("Item") or each["Key"])[table.hash_key_attr]) for each in written}


def clone(table: Table, partitions: set[DynamoType] | None = None) -> Table:
    """Copy a table, to restore it after a failed transaction. The server writes only whole attributes, and sets.

    With `partitions`, share the items of all other partitions.
    """
    with lock:
        copied = copy.copy(table)
        copied.items = table.items.copy()
        for partition in table.items if partitions is None else partitions & table.items.keys():
            copied.items[partition] = {key: _item(item) for key, item in table.items[partition].items()}
        return copied


def _item(item: Item) -> Item:
    clone = Item(item.hash_key, item.range_key, {})
    # Bypass moto's method, which measures all existing items.
    dict.update(clone.attrs, item.attrs)
    for name, value in item.attrs.items():
        if value.type in _SETS:  # moto changes a set in place
            dict.__setitem__(clone.attrs, name, DynamoType({value.type: list(value.value)}))
    return clone
