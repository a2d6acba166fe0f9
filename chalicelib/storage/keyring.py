"""The JWT secrets, cached from the account's parameter store for a few minutes."""

from __future__ import annotations

import threading
import time

from chalicelib import config
from chalicelib.aws import clients
from chalicelib.security import Keyring

# A rotated secret takes effect within this time; the old one verifies as long as it stays in the document.
FRESH_FOR_SECONDS = 300
# A token that names an unknown secret causes another read, but forged tokens must not cause a call each.
LOOKED_AGAIN_AFTER_SECONDS = 15

_lock = threading.Lock()
_kept: tuple[float, Keyring] | None = None


def read_keyring(*, fresh: bool = False) -> Keyring:
    """The current secrets. `fresh` reads them again, unless the last read was within LOOKED_AGAIN_AFTER_SECONDS."""
    global _kept
    with _lock:
        limit = LOOKED_AGAIN_AFTER_SECONDS if fresh else FRESH_FOR_SECONDS
        if _kept is None or time.monotonic() - _kept[0] > limit:
            _kept = (time.monotonic(), Keyring.parse(read_secret(config.settings().jwt_secret_parameter)))
        return _kept[1]


def read_secret(name: str) -> str:
    """The text of a SecureString, without a cache."""
    text: str = clients.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    return text.strip()
