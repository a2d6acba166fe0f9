"""An AWS account on this machine, to rehearse a deployment: `python -m infra.emulator.cloud`.

It runs MiniStack in memory with every service that `make deploy` uses. MiniStack runs the packaged functions in
processes of their own, behind a real HTTP API. The command prints its endpoint when it is ready, and runs until SIGTERM
or Ctrl-C. With `--iam`, MiniStack checks every call against the policies of its caller.

This module adds what MiniStack lacks. Its API Gateway cannot import an API over the wire, as `chalice
deploy` does, although the importer exists for CloudFormation, and cannot update a domain. It gives a function another
path than the requested one, from which the server would derive wrong links. It treats no request as TLS,
but the bucket's policy requires TLS: here loopback counts as TLS. Binary bodies through the API Gateway are still
missing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from infra.emulator.process import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Sequence

Answer = tuple[int, dict[str, str], bytes]
_REQUESTED: ContextVar[str] = ContextVar("requested path")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.emulator.cloud", description=__doc__)
    parser.add_argument("--iam", action="store_true", help="enforce IAM policies")
    parser.add_argument("--port", type=int, default=0, help="of loopback; a free one by default")
    parser.add_argument("--until-stdin-ends", action="store_true", help="end with the process that holds the pipe")
    options = parser.parse_args(arguments)
    listener = socket.create_server(("127.0.0.1", options.port), backlog=128)
    port = listener.getsockname()[1]
    os.environ.update(_settings(port, iam=options.iam) | CREDENTIALS)
    asyncio.run(_serve(listener, f"http://127.0.0.1:{port}", until_stdin_ends=options.until_stdin_ends))


def _settings(port: int, *, iam: bool) -> dict[str, str]:
    """The settings that MiniStack reads on import, and the environment of its functions."""
    return {
        "GATEWAY_PORT": str(port),
        "AUTH": "true" if iam else "false",
        "LAMBDA_EXECUTOR": "local",
        "PERSIST_STATE": "0",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",  # no socket there: MiniStack leaves Docker alone
        "NO_PROXY": "127.0.0.1",
        "LOG_LEVEL": "WARNING",
    }


async def _serve(listener: socket.socket, endpoint: str, *, until_stdin_ends: bool) -> None:
    # MiniStack reads its settings on import.
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app
    from ministack.core import iam_evaluator
    from ministack.services import apigateway_v1, lambda_svc

    apigateway_v1.handle_request = importing(apigateway_v1.handle_request)
    apigateway_v1._build_lambda_event_v1 = _with_path(apigateway_v1._build_lambda_event_v1)  # noqa: SLF001
    lambda_svc._schedule_state_transition = _ready_at_once  # noqa: SLF001
    iam_evaluator._resolve_condition_key = _over_tls(iam_evaluator._resolve_condition_key)  # noqa: SLF001
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    ministack: Any = _announcing(app, endpoint)
    await serve(ministack, config, shutdown_trigger=_stop_event(until_stdin_ends=until_stdin_ends).wait)


def _announcing(app: Any, endpoint: str) -> Any:
    """The same application. It prints the endpoint when it has started, and notes the path of each request."""

    async def announcing(scope: Any, receive: Any, send: Any) -> None:
        async def noticing(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                print(endpoint, flush=True)

        _REQUESTED.set(scope.get("path", ""))
        await app(scope, receive, noticing if scope["type"] == "lifespan" else send)

    return announcing


def _ready_at_once(name: str, _delay: float) -> None:
    """A created or changed function, ready at once: a waiter would check again only after five seconds."""
    from ministack.services import lambda_svc

    lambda_svc._functions[name]["config"].update(State="Active", LastUpdateStatus="Successful")  # noqa: SLF001


def _over_tls(resolve: Any) -> Any:
    return lambda key, context: "true" if key.lower() == "aws:securetransport" else resolve(key, context)


def _with_path(build_event: Any) -> Any:
    """Give an event the whole requested path, as AWS does. MiniStack leaves out what is before the stage."""

    def build(*given: Any, **named: Any) -> Any:
        event = build_event(*given, **named)
        event["requestContext"]["path"] = _REQUESTED.get()
        return event

    return build


def importing(handle_request: Any) -> Any:
    """MiniStack's handler of API Gateway's own API, with ImportRestApi, PutRestApi and UpdateDomainName."""

    async def handle(method: str, path: str, headers: Any, body: bytes, query: dict[str, Any]) -> Answer:
        parts = path.strip("/").split("/")
        if method == "POST" and parts == ["restapis"] and "mode" in query:
            return _import_api(json.loads(body))
        if method == "PUT" and parts[0] == "restapis" and len(parts) == 2:
            return _overwrite_api(parts[1], json.loads(body))
        if method == "PATCH" and parts[0] == "domainnames" and len(parts) == 2:
            return _update_domain(parts[1], json.loads(body))
        answer: Answer = await handle_request(method, path, headers, body, query)
        return answer

    return handle


def _update_domain(name: str, document: Any) -> Answer:
    """Replace the settings of a domain that an upgrade gives."""
    from ministack.services import apigateway_v1 as service

    known: Any = service._domain_names.get(name)  # noqa: SLF001
    if known is not None:
        known.update({each["path"].lstrip("/"): each["value"] for each in document["patchOperations"]})
    answer: Answer = service._get_domain_name(name)  # noqa: SLF001
    return answer


def _import_api(document: Any) -> Answer:
    from ministack.services import apigateway_v1 as service

    api_id = service._import_rest_api(document)  # noqa: SLF001
    answer: Answer = service._get_rest_api(api_id)  # noqa: SLF001
    return 201, *answer[1:]


def _overwrite_api(api_id: str, document: Any) -> Answer:
    """Replace all resources and remove the gateway responses, as AWS does in mode `overwrite`."""
    from ministack.services import apigateway_v1 as service

    known: Any = service._resources.get(api_id)  # noqa: SLF001
    if known is None:
        missing: Answer = service._get_rest_api(api_id)  # noqa: SLF001
        return missing
    roots = {key: {**each, "resourceMethods": {}} for key, each in known.items() if each["path"] == "/"}
    service._resources[api_id] = roots  # noqa: SLF001
    service._gateway_responses[api_id] = {}  # noqa: SLF001
    for path, item in document["paths"].items():
        service._import_path_item(api_id, path, item)  # noqa: SLF001
    answer: Answer = service._get_rest_api(api_id)  # noqa: SLF001
    return answer


def _stop_event(*, until_stdin_ends: bool) -> asyncio.Event:
    """An event set by a signal, or by the end of stdin: the other end of that pipe closes with the parent process."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def watch_stdin() -> None:
        while os.read(0, 1024):
            pass
        loop.call_soon_threadsafe(stop.set)

    if until_stdin_ends:
        threading.Thread(target=watch_stdin, daemon=True).start()
    return stop


if __name__ == "__main__":
    main()
