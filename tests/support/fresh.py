"""A server on moto that each test gets in its initial state: a hundredth of the work of starting another."""

from __future__ import annotations

import copy
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.ssm.models import ssm_backends

from chalicelib.services.search import page_cache
from chalicelib.storage import keyring
from tests.support.fast_moto import REGION, clone
from tests.support.server import ADMIN, Server


class Fresh:
    """Keeps the present data; `again` restores exactly that, without the rows of a sign-in."""

    def __init__(self, server: Server) -> None:
        self._tables = {name: clone(table) for name, table in _backend(dynamodb_backends).tables.items()}
        self._buckets = copy.deepcopy(_backend(s3_backends).buckets)
        self._parameters = {name: list(versions) for name, versions in _parameters().items()}
        self._server, self._token = server, server.token()

    def again(self) -> Server:
        """Restore the data; return the server, with its admin signed in."""
        _backend(dynamodb_backends).tables = {name: clone(table) for name, table in self._tables.items()}
        _backend(s3_backends).buckets = copy.deepcopy(self._buckets)
        _parameters().clear()
        _parameters().update({name: list(versions) for name, versions in self._parameters.items()})
        keyring._kept = None
        page_cache.forget()
        self._server.tokens = {ADMIN: self._token}
        return self._server


def _parameters() -> Any:
    return _backend(ssm_backends)._parameters


def _backend(backends: Any) -> Any:
    regions = backends[DEFAULT_ACCOUNT_ID]
    return regions["aws" if backends is s3_backends else REGION]
