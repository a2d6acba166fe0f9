"""The keys of an S3-compatible store, which an account keeps in its parameter store."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import ClientError

from chalicelib.config import ConfigurationError

# botocore reads them anew a quarter of an hour earlier, and goes on with the old ones if that fails.
FRESH_FOR = timedelta(hours=1)


class ParameterCredentials:
    """A credential provider of botocore: it reads a parameter at the first use, and anew before FRESH_FOR is over.

    The parameter holds JSON: ``{"access_key_id": "…", "secret_access_key": "…"}``.
    """

    METHOD = "deardiary-parameter"

    def __init__(self, name: str, read: Callable[[str], str]) -> None:
        self._name = name
        self._read = read

    def load_credentials(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._fetch, self.METHOD)

    def _fetch(self) -> dict[str, str | None]:
        keys = self._keys()
        expiry = datetime.now(timezone.utc) + FRESH_FOR
        return {
            "access_key": keys["access_key_id"],
            "secret_key": keys["secret_access_key"],
            "token": None,
            "expiry_time": expiry.isoformat(),
        }

    def _keys(self) -> dict[str, str]:
        """ConfigurationError, which names the parameter and never its value, if it does not hold the two keys."""
        try:
            keys = json.loads(self._read(self._name))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            raise ConfigurationError(f"There is no parameter {self._name} with the keys of the store") from None
        except ValueError:
            keys = None
        names = {"access_key_id", "secret_access_key"}
        if not isinstance(keys, dict) or set(keys) != names or not all(isinstance(keys[name], str) for name in names):
            raise ConfigurationError(
                f'The parameter {self._name} is not {{"access_key_id": "...", "secret_access_key": "..."}}'
            )
        return keys
