"""Clients of AWS services, made when first needed and once per process: making one costs tens of milliseconds."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

from chalicelib import config

_lock = threading.Lock()


def client(service: str, options: Config | None = None) -> Any:
    """The client of a service; its timeouts leave a request the time to say that the service does not answer."""
    # Making a client is not thread-safe, and two of them would be one too many.
    with _lock:
        return _client(service, options)


@cache
def session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def _client(service: str, options: Config | None) -> Any:
    settings = config.settings()
    bounds = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 4, "mode": "standard"})
    return session().create_client(
        service,
        region_name=settings.region,
        endpoint_url=settings.endpoint_url,
        config=bounds.merge(options) if options else bounds,
    )
