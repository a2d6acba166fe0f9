"""Find or create an iteration on the server, in the sender's thread, while the program goes on."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from deardiary.client import Client
from deardiary.errors import ClientError
from deardiary.sending import run_ref as refs
from deardiary.sending.delivery import is_refusal
from deardiary.spool.run import RunRef
from deardiary.wire.shapes import Iteration, IterationStatus

Refused = ClientError | ValueError

# A caller that asks for the iteration's id waits so long. The records are sent later if the server does not answer.
PATIENCE_SECONDS = 10.0
SLOW_SECONDS = 5.0  # a wait that takes longer says so

_log = logging.getLogger(__name__)


class Creation:
    """The creation of one iteration. The sender's thread carries it out; other threads may wait for its first try.

    ``refusal`` is the error with which the server, or a check, has refused the iteration at the first try. Then the
    iteration must not go on. A later try raises only in the sender's thread, which asks again.
    """

    def __init__(
        self,
        ref: RunRef,
        *,
        id_key: str | None = None,
        reopens: bool = False,
        strict: bool = True,
        parent: Callable[[], RunRef] | None = None,
    ) -> None:
        """``id_key`` is the one that the user gave: its iteration must not have SUCCEEDED.

        ``reopens``: resume an iteration that has ended. ``parent`` returns the reference to an iteration of this
        process, once that is created. Without ``strict`` the iteration goes on if the server refuses this user.
        """
        self.ref = ref
        self.refusal: Refused | None = None
        self.is_tried = False
        self.on_success: Callable[[Iteration], object] = _ignore
        self.on_failure: Callable[[Refused], object] = _ignore
        self._id_key = id_key
        self._reopens = reopens
        self._strict = strict
        self._parent = parent
        self._thread = 0

    def find(self, client: Client, quick: Client, began: datetime) -> Iteration:
        """Find or create the iteration: first with ``client``, which retries, and later with ``quick``, which does not.

        ``began`` is the time of the start, for an iteration that is created later. ClientError if it cannot be done.
        """
        if self.refusal is not None:
            raise _as_client_error(self.refusal)
        if self.is_tried:
            return self._find(quick, began)
        self._thread = threading.get_ident()
        try:
            return self._find(client.with_deadline(PATIENCE_SECONDS), None)
        except (ClientError, ValueError) as error:
            self._fail(error)
            raise _as_client_error(error) from error
        except BaseException:
            self.is_tried = True
            raise

    def succeed(self, iteration: Iteration) -> None:
        """Let those go on who wait for the iteration; the delivery knows it now."""
        self.is_tried = True
        self.on_success(iteration)

    def wait(self, url: str) -> None:
        """Wait until the first try is over, in any thread but the sender's, which a handler of `logging` may run in.

        Take no lock: a signal handler may call this and interrupt a thread that holds one.
        """
        slow_at = time.monotonic() + SLOW_SECONDS
        while not self.is_tried and threading.get_ident() != self._thread:
            if time.monotonic() >= slow_at:
                slow_at = math.inf
                message = "Waiting for %s. If it does not answer within about %.0f s, the program goes on without it"
                _log.warning(message, url, PATIENCE_SECONDS)
            time.sleep(0.002)

    def _find(self, client: Client, began: datetime | None) -> Iteration:
        ref = self.ref if self._parent is None else _below(self._parent(), self.ref)
        found = refs.find_or_create(client, ref, began=began)
        if began is None and self._has_succeeded(found):
            raise ValueError(
                f"The iteration of id_key {self._id_key!r} has SUCCEEDED; to go on in it, give resume={self._id_key!r}"
            )
        if self._reopens:
            found = refs.reopen(client, found, before=began)
        if began is None and ref.resume is not None:
            ref = refs.resumed(client, ref, found)
        self.ref = ref
        return found

    def _has_succeeded(self, found: Iteration) -> bool:
        has_ended = found.end_date is not None and found.status_id == IterationStatus.SUCCEEDED
        return self._id_key is not None and has_ended

    def _fail(self, error: Refused) -> None:
        if _is_final(error, strict=self._strict):
            self.refusal = error
        try:
            self.on_failure(error)
        finally:
            self.is_tried = True


def _below(parent: RunRef, ref: RunRef) -> RunRef:
    is_beside = (ref.project, ref.experiment) == (parent.project, parent.experiment)
    experiment_id = parent.experiment_id if is_beside else None
    return replace(ref, parent=parent, experiment_id=ref.experiment_id or experiment_id)


def _is_final(error: Refused, *, strict: bool) -> bool:
    if isinstance(error, ClientError):
        return not error.is_passing and (strict or is_refusal(error))
    return True


def _as_client_error(error: Refused) -> ClientError:
    """The error as the sender knows it: it does not retry soon."""
    return error if isinstance(error, ClientError) else ClientError(422, "INVALID_PAYLOAD", str(error))


def _ignore(_: object) -> None: ...
