"""Clients of AWS services, created at the first use, once per process: creating one takes tens of milliseconds.

A parser of our own reads DynamoDB's items: botocore's looks up the shape of every attribute of every item, which for a
thousand items takes longer than all else. Other answers go through botocore's parsers.
"""

from __future__ import annotations

import base64
import threading
from functools import cache
from typing import Any

import botocore.session
import msgspec
from botocore.config import Config
from botocore.parsers import JSONParser, ResponseParserFactory

from chalicelib import config, deadline
from chalicelib.aws import throttling
from chalicelib.aws.calls import quicken
from chalicelib.aws.credentials import ParameterCredentials
from chalicelib.config import StoreSettings
from chalicelib.retry import Retry

# All other operations of DynamoDB and S3 count as writes.
_READS = ("Get", "BatchGet", "TransactGet", "Query", "Head", "List", "Describe")

_lock = threading.Lock()


def client(service: str, options: Config | None = None, store: StoreSettings | None = None) -> Any:
    """The client of a service of AWS, or of this store.

    Its timeouts leave a request time to report a service that does not answer.
    """
    # Creating a client is not thread-safe, and the process needs only one of each.
    with _lock:
        return _client(service, options, store)


@cache
def session(store: StoreSettings | None = None) -> botocore.session.Session:
    """The session of AWS, or of a store that has keys of its own: no session token of AWS must reach that store."""
    created = botocore.session.Session(profile=store.profile or None) if store else botocore.session.get_session()
    if store and store.credentials_parameter:
        created.register_component("credential_provider", ParameterCredentials(store.credentials_parameter, _parameter))
    created.register_component("response_parser_factory", _Parsers())
    for service in ("dynamodb", "s3", "events"):
        # This event precedes each attempt, so a retry after a suspension is stopped too.
        created.register(f"before-send.{service}", _check_deadline, unique_id=f"deardiary-deadline-{service}")
    quick: Any = quicken
    created.register("creating-client-class.dynamodb", quick, unique_id="deardiary-calls")
    wait: Any = _wait_for_transaction  # botocore's type stubs know no handler that returns a value
    created.register("needs-retry.dynamodb", wait, unique_id="deardiary-transaction")
    handle: Any = throttling.handle
    created.register("needs-retry.dynamodb", handle, unique_id="deardiary-throttling")
    return created


def _check_deadline(**event: Any) -> None:
    operation = event["event_name"].rpartition(".")[2]
    if not operation.startswith(_READS):
        deadline.check()


def _wait_for_transaction(**event: Any) -> float | None:
    """Retry a write while a transaction holds its item; the SDK itself would raise an error.

    Only Retry pauses, and raises Unavailable when its time is over.
    """
    code = event["response"][1].get("Error", {}).get("Code") if event["response"] else None
    if code != "TransactionConflictException":
        return None
    context = event["request_dict"]["context"]
    if "retry" not in context:
        context["retry"] = Retry()
        next(context["retry"])
    next(context["retry"])
    return 0.0


class _Parsers(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> Any:
        return QuickParser() if protocol_name == "json" else super().create_parser(protocol_name)


class QuickParser(JSONParser):
    """Botocore's JSON parser, except that it keeps items as the JSON has them and decodes only binary attributes.

    `benchmarks.read_speed` measures it; docs/decisions/0008-own-answer-parser.md has the reason.
    """

    def _handle_map(self, shape: Any, value: Any) -> Any:
        if shape.value.name != "AttributeValue":
            return super()._handle_map(shape, value)  # type: ignore[misc]
        return {name: _attribute(each) for name, each in value.items()}

    def _parse_body_as_json(self, body_contents: bytes) -> Any:
        try:
            return msgspec.json.decode(body_contents) if body_contents else {}
        except msgspec.DecodeError:
            return super()._parse_body_as_json(body_contents)  # type: ignore[misc]


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    """Decode the binary parts of an attribute such as ``{"B": "AA=="}``, which has its type and its value."""
    for kind, content in value.items():
        match kind:
            case "B":
                return {kind: base64.b64decode(content)}
            case "BS":
                return {kind: [base64.b64decode(each) for each in content]}
            case "L":
                return {kind: [_attribute(each) for each in content]}
            case "M":
                return {kind: {name: _attribute(each) for name, each in content.items()}}
    return value


def _parameter(name: str) -> str:
    text: str = client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    return text


def _endpoint_url(service: str, store: StoreSettings | None) -> str | None:
    found = config.settings()
    own = found.sagemaker_endpoint_url if service == "sagemaker" else found.endpoint_url
    return store.endpoint_url if store else own


@cache
def _client(service: str, options: Config | None, store: StoreSettings | None = None) -> Any:
    found = store or config.settings()
    bounds = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 4, "mode": "standard"})
    found_session = session(store) if store else session()
    return found_session.create_client(
        service,
        region_name=found.region,
        endpoint_url=_endpoint_url(service, store),
        config=bounds.merge(options) if options else bounds,
    )
