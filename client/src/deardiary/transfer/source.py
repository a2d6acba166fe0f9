"""The presigned URL of a download."""

import threading
from collections.abc import Callable

from deardiary.errors import NOT_SENT, ClientError
from deardiary.http.transport import Response, Transport
from deardiary.transfer import presigned, store
from deardiary.wire.shapes import Download

# API Gateway sends raw bytes only for this Accept header; S3 ignores it.
_HEADERS = {"Accept": "application/octet-stream"}


class Source:
    """A presigned URL, which is signed again when it has expired. Several threads may use it."""

    def __init__(self, api_url: str, transport: Transport, sign: Callable[[], Download]) -> None:
        self._api_url = api_url
        self._transport = transport
        self._sign = sign
        self._lock = threading.Lock()
        self.current = sign()

    @property
    def size_bytes(self) -> int:
        return self.current.size_bytes

    @property
    def content_hash(self) -> str:
        """The SHA-256 of the bytes in hex; empty if the server does not know it."""
        return self.current.content_hash

    def open(self, signed: Download, wanted: str) -> Response:
        """The answer for this `Range`. ClientError if the store refuses, or cannot be reached."""
        headers = {**_HEADERS, "Range": wanted}
        answer = self._transport.send(presigned.download_request(self._api_url, signed.url, headers))
        return store.checked(answer)

    def renew_after(self, error: ClientError, used: Download) -> None:
        """Sign again if the error says that the URL has expired. Raise the error if no other request may resume."""
        if store.may_be_renewed(error):
            with self._lock:
                # Another thread may have signed it again already.
                if self.current is used:
                    self.current = self._sign()
        elif error.status or error.code in ("CONTENT_MISMATCH", *NOT_SENT):
            raise error
