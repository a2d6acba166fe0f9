"""Run by `cold_start` in a fresh interpreter: the app of an unpacked bundle, its first request and some more.

`first_request.py BUNDLE REQUESTS`, the bearer token on stdin; prints CPU milliseconds as JSON.
"""

from __future__ import annotations

import sys
import time
from typing import Any

PATH = "/auth/me"


def main(bundle: str, requests: int) -> None:
    sys.path.insert(0, bundle)
    from app import app

    imported = _cpu_ms()
    handler: Any = app
    event = _event(sys.stdin.read())
    _ask(handler, event)
    first = _cpu_ms()
    for _ in range(requests):
        _ask(handler, event)
    later = (_cpu_ms() - first) / requests
    import json

    print(json.dumps({"imported": imported, "first": first, "later": later}))


def _ask(handler: Any, event: dict[str, Any]) -> None:
    answer = handler(event, None)
    if answer["statusCode"] != 200:
        sys.exit(f"{PATH} answered {answer}")


def _event(token: str) -> dict[str, Any]:
    """The event of the API Gateway."""
    return {
        "resource": PATH,
        "path": PATH,
        "httpMethod": "GET",
        "headers": {"authorization": f"Bearer {token}", "host": "api"},
        "multiValueHeaders": {"authorization": [f"Bearer {token}"], "host": ["api"]},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
        "requestContext": {
            "resourcePath": PATH,
            "httpMethod": "GET",
            "path": f"/api{PATH}",
            "stage": "api",
            "requestId": "0",
            "identity": {"sourceIp": "127.0.0.1"},
        },
    }


def _cpu_ms() -> float:
    """CPU milliseconds of this process since its start, with the start of the interpreter."""
    return time.process_time() * 1000


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
