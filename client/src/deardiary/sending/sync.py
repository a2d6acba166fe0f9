"""Send the spools of offline runs, and of runs that could not send all records."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from deardiary import settings, terminal
from deardiary.client import Client, connect, connect_unchosen
from deardiary.errors import NOT_THERE, ClientError, reason_of
from deardiary.sending import recovery
from deardiary.sending.delivery import hint
from deardiary.sending.moving import Move
from deardiary.sending.recovery import Outcome
from deardiary.spool import store
from deardiary.spool.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """The result of `sync` for one spool.

    ``points`` and ``others`` (parameters, tags, files, versions, ends) are on the server at ``url`` now; some may have
    been there before. ``rejected`` parts were refused for good, now or before, and are kept in the spool's folder
    ``rejected``. ``damaged`` records could not be read. ``waiting`` files of records are unsent, because of ``error``
    or because their program ``may_still_write``.
    """

    spool: str
    iteration_id: str | None
    url: str | None = None
    points: int = 0
    others: int = 0
    rejected: int = 0
    damaged: int = 0
    waiting: int = 0
    may_still_write: bool = False
    error: str | None = None

    @property
    def is_done(self) -> bool:
        return self.error is None and (self.waiting == 0 or self.may_still_write)

    def __str__(self) -> str:
        counts = [terminal.number(self.points, "point"), terminal.number(self.others, "other record")]
        counts += [f"{self.rejected} refused for good (see `deardiary sync --rejected`)"] if self.rejected else []
        counts += [f"{terminal.number(self.damaged, 'damaged record')} lost"] if self.damaged else []
        iteration = self.iteration_id or "(none yet)"
        at = f" at {self.url}" if self.url else ""
        text = f"{self.spool} -> iteration {iteration}{at}: {', '.join(counts)} on the server"
        if self.waiting:
            why = self.error or "somebody may still write to it"
            return f"{text}; {terminal.number(self.waiting, 'file')} of records to be sent still ({why})"
        return f"{text}; {self.error}" if self.error else text


def sync(
    folder: str | PathLike[str] | None = None,
    *,
    client: Client | None = None,
    from_url: str | None = None,
    allow: Collection[str] = (),
    tell: Callable[[str], object] = print,
) -> list[Synced]:
    """Send all spools in a folder, and return the result of each.

    ``folder`` is a spool or holds spools at any depth. It may be a ``.tar.gz``, or ``s3://bucket/prefix``, which needs
    boto3. The default is the folder to which this machine's runs log. Each spool is sent to the server that it was
    logged for; with ``client`` the spools of other servers are skipped. A spool without a server is sent to the
    server of ``client`` or of the settings. A server that neither the settings nor ``allow`` name, only a spool, may
    be hostile: `sync` asks at a terminal, and otherwise leaves the spool alone.

    With ``from_url`` only the spools of that server are sent, to ``client``'s server or else to that of the settings.
    Iterations are created there again, under the same id_key. Records that the first server has acknowledged stay
    there. A spool whose program may still write is not sent.

    Running programs, other machines, a second `sync` and a kill are safe: nothing is stored twice. Delivered records
    are removed from the folder, except those of programs that may still write, of archives and of S3. ValueError for
    a folder that does not exist.
    """
    allowed = frozenset(filter(None, map(settings.clean_url, allow)))
    old_url = settings.clean_url(from_url)

    def tell_line(text: str) -> None:
        tell(terminal.one_line(text))

    with contextlib.ExitStack() as stack:
        spools = _spools(folder, stack)
        if old_url is not None:
            results = _move(spools, old_url, client or stack.enter_context(connect()), tell_line)
        else:
            clients = _Clients(client, allowed, stack)
            done = [_sync_one(path, run, clients, tell_line) for path, run in spools]
            results = [each for each in done if each is not None]
            for url in sorted(clients.silent):
                tell_line(_way_out(url))
    tell_line(_summary(results) if results else f"Nothing waits to be sent in {folder or settings.spool_folder()}")
    return results


def _move(spools: list[tuple[Path, Run]], old_url: str, client: Client, tell: Callable[[str], object]) -> list[Synced]:
    if client.url == old_url:
        raise ValueError(f"{old_url} is the server that the records are to leave: name another one to send them to")
    chosen = [(folder, run) for folder, run in spools if run.url == old_url]
    move = Move(client, old_url, (run for _, run in chosen))
    return [_move_one(folder, run, move, tell) for folder, run in chosen]


def _move_one(folder: Path, run: Run, move: Move, tell: Callable[[str], object]) -> Synced:
    try:
        remark = move.remark(run, folder)
        result = _send(move.client, folder, move.moved(run), alone=True)
    except (ClientError, OSError, ValueError) as error:
        remark, result = "", _unsent(run, reason_of(error))
    if result.may_still_write and result.error is None:
        result = replace(result, error="its program may still write to it: end that first")
    tell(f"{result}; {remark}" if remark else str(result))
    return result


def _way_out(url: str) -> str:
    quoted = shlex.quote(url)
    return (
        f"If {url} is gone for good: `deardiary sync --from-url {quoted} --to URL` sends its records to another "
        f"server, `deardiary sync --discard --from-url {quoted}` deletes them"
    )


def _spools(folder: str | PathLike[str] | None, stack: contextlib.ExitStack) -> list[tuple[Path, Run]]:
    if folder is None:
        return list(store.spools_in(settings.spool_folder()))
    from deardiary.sending import sources

    return list(store.spools_in(stack.enter_context(sources.opened(folder))))


class _Clients:
    """The clients of the spools' servers: the one given, or one for each server."""

    def __init__(self, given: Client | None, allowed: Collection[str], stack: contextlib.ExitStack) -> None:
        self.given = given
        self.silent: set[str] = set()  # servers that are unknown or do not answer
        self._allowed = set(allowed)
        self._refused: set[str] = set()
        self._stack = stack
        self._made: dict[str | None, Client] = {}

    def of(self, run: Run) -> Client:
        """The client for a run. ValueError if the user does not allow its server."""
        if self.given is not None:
            return self.given
        if run.url not in self._made:
            self._check_allowed(settings.clean_url(run.url))
            self._made[run.url] = self._stack.enter_context(connect_unchosen(run.url))
        return self._made[run.url]

    def note_failure(self, run: Run, error: Exception) -> None:
        """Remember a server that is not allowed, or did not answer as DearDiary."""
        is_answer = isinstance(error, ClientError) and error.status != 0 and error.code not in NOT_THERE
        if run.url is not None and isinstance(error, (ClientError, ValueError)) and not is_answer:
            self.silent.add(run.url)

    def _check_allowed(self, url: str | None) -> None:
        """Ask about a server that only the spool names, once."""
        if url is None or url in self._allowed | settings.known_urls():
            return
        if url not in self._refused and terminal.is_attended() and terminal.agrees(_question(url)):
            self._allowed.add(url)
            return
        self._refused.add(url)
        raise ValueError(
            f"only the spool names the server {url}: if you trust it, say `deardiary sync --allow {shlex.quote(url)}`, "
            f"or deardiary.sync(allow=[{url!r}])"
        )


def _question(url: str) -> str:
    return f"A run in there belongs to the server {url}, which your settings do not name. Send it there?"


def _sync_one(folder: Path, run: Run, clients: _Clients, tell: Callable[[str], object]) -> Synced | None:
    if clients.given is not None and run.url not in (None, clients.given.url):
        tell(f"{run.spool_id} belongs to {run.url} and is left alone")
        return None
    try:
        client = clients.of(run)
    except (ClientError, ValueError) as error:
        clients.note_failure(run, error)
        result = _unsent(run, str(error))
    else:
        result = _send(client, folder, run, lambda error: clients.note_failure(run, error))
    tell(str(result))
    return result


def _send(
    client: Client, folder: Path, run: Run, failed: Callable[[Exception], object] = id, *, alone: bool = False
) -> Synced:
    try:
        outcome = recovery.send_spool(client, folder, run, alone=alone)
        if outcome.error is not None:
            failed(outcome.error)
        return _synced(run, folder, outcome, client.url)
    except Exception as error:  # noqa: BLE001 - a damaged spool must not block the others
        return _unsent(run, f"it is damaged: {type(error).__name__}: {reason_of(error)}")


def _unsent(run: Run, why: str) -> Synced:
    return Synced(spool=run.spool_id, iteration_id=run.origin.iteration_id, url=run.url, waiting=1, error=why)


def _synced(run: Run, folder: Path, outcome: Outcome, url: str) -> Synced:
    return Synced(
        spool=run.spool_id,
        iteration_id=outcome.iteration_id,
        url=url,
        points=outcome.delivered.points,
        others=outcome.delivered.others,
        rejected=max(outcome.delivered.rejected, outcome.refused),
        damaged=outcome.delivered.damaged,
        waiting=outcome.left,
        may_still_write=outcome.open,
        error=None if outcome.error is None else f"{reason_of(outcome.error)}{hint(outcome.error, folder)}",
    )


def _summary(results: list[Synced]) -> str:
    points, others = sum(each.points for each in results), sum(each.others for each in results)
    failed = sum(not each.is_done for each in results)
    done = f"Of {terminal.number(len(results), 'run')}: {terminal.number(points, 'point')}"
    done += f" and {terminal.number(others, 'other record')} on the server"
    rejected = sum(each.rejected for each in results)
    done += f"; {terminal.number(failed, 'run')} could not be sent to the end" if failed else ""
    return done + (f"; {terminal.number(rejected, 'part')} refused for good" if rejected else "")
