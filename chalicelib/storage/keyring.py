"""The JWT secrets, kept in the parameter store of the account and read again every few minutes."""

from __future__ import annotations

import threading
import time

from chalicelib import config
from chalicelib.aws import clients
from chalicelib.security import Keyring

# A rotated secret is taken up within this time; the old one verifies as long as it stays in the document.
FRESH_FOR_SECONDS = 300
# A token that names an unknown secret makes us look again, but whoever invents such tokens must not cost a call each.
LOOKED_AGAIN_AFTER_SECONDS = 15

_lock = threading.Lock()
_kept: tuple[float, Keyring] | None = None


def read_keyring(*, fresh: bool = False) -> Keyring:
    """The secrets in force; `fresh` reads them again unless that was a moment ago."""
    global _kept
    with _lock:
        limit = LOOKED_AGAIN_AFTER_SECONDS if fresh else FRESH_FOR_SECONDS
        if _kept is None or time.monotonic() - _kept[0] > limit:
            name = config.settings().jwt_secret_parameter
            answer = clients.client("ssm").get_parameter(Name=name, WithDecryption=True)
            _kept = (time.monotonic(), Keyring.parse(answer["Parameter"]["Value"]))
        return _kept[1]
