"""The client of one server."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import Literal, NoReturn, overload

from deardiary.api import SIGN_IN, Api
from deardiary.entities.command import Commands
from deardiary.entities.experiment import Experiments
from deardiary.entities.identity import Identities
from deardiary.entities.input import Inputs
from deardiary.entities.iteration import Iterations
from deardiary.entities.metric import Metrics
from deardiary.entities.model import Models
from deardiary.entities.modelversion import ModelVersions
from deardiary.entities.parameter import Parameters
from deardiary.entities.permission import Permissions
from deardiary.entities.preferences import Preferences
from deardiary.entities.project import Projects
from deardiary.entities.resource import Resources
from deardiary.entities.share import Shares
from deardiary.entities.study import Studies
from deardiary.entities.tag import Tags
from deardiary.entities.token import Tokens
from deardiary.entities.trash import Trash
from deardiary.entities.user import Users
from deardiary.entities.view import Views
from deardiary.http.transport import Transport
from deardiary.settings import Credentials, Settings, find_settings
from deardiary.wire.shapes import Activity, Health, Me, SearchResult, Session, User


class Client:
    """The objects of a server. Threads may share it; as a context manager it disconnects at the end.

    Every call raises `ClientError` if the server refuses it or does not answer.
    """

    def __init__(self, api: Api, timeout: float | None = None) -> None:
        """``timeout`` is that of the default transport, see `connect`."""
        self._api = api
        self._timeout = timeout
        self.projects = Projects(api)
        self.experiments = Experiments(api)
        self.iterations = Iterations(api)
        self.parameters = Parameters(api)
        self.inputs = Inputs(api)
        self.commands = Commands(api)
        self.metrics = Metrics(api)
        self.resources = Resources(api)
        self.tags = Tags(api)
        self.models = Models(api)
        self.modelversions = ModelVersions(api)
        self.users = Users(api)
        self.tokens = Tokens(api)
        self.identities = Identities(api)
        self.permissions = Permissions(api)
        self.views = Views(api)
        self.shares = Shares(api)
        self.studies = Studies(api)
        self.trash = Trash(api)
        self.preferences = Preferences(api)

    @property
    def url(self) -> str:
        return self._api.url

    def dashboard_url(self, path: str = "") -> str:
        """The URL of a page of the server's dashboard, like ``iterations/ID``; the first page without a path."""
        return f"{self.url}/ui#/{path}" if path else f"{self.url}/ui"

    def without_retries(self) -> Client:
        """A copy of this client without retries, for a caller that retries by itself."""
        return Client(self._api.without_retries(), self._timeout)

    def with_deadline(self, within: float) -> Client:
        """A copy of this client whose calls are not retried after ``within`` seconds."""
        return Client(self._api.with_deadline(within), self._timeout)

    def search(self, text: str) -> Iterator[SearchResult]:
        """Find projects, experiments and models by a part of a name or tag (ignoring case), and any object by its id.

        A text of three characters or more finds iterations by name too, in the newest 200 iterations of the newest ten
        experiments of each project. The first ten characters of an id are enough; ids of the same minute share the
        first six. The results hold only objects that the user may read.
        """
        return self._api.pages(SearchResult, "/search", {"q": text})

    def activity(self) -> Iterator[Activity]:
        """List what happened in the user's projects, newest first: creations, starts and ends.

        It covers the newest 20 projects, of each the newest 20 experiments and 5 models.
        """
        return self._api.pages(Activity, "/activity")

    @overload
    def whoami(self) -> User: ...

    @overload
    def whoami(self, *, include: Literal["permissions"]) -> Me: ...

    def whoami(self, *, include: Literal["permissions"] | None = None) -> User:
        """Return the signed-in user; with ``include="permissions"`` a `Me`, which has the user's permissions too."""
        return self._api.get(Me, "/auth/me?include=permissions") if include else self._api.get(User, "/auth/me")

    def health(self) -> Health:
        """Return the state, version and clock of the server. Needs no sign-in."""
        return self._api.get(Health, "/health")

    def clock_skew(self) -> timedelta | None:
        """Return how far the server's clock is ahead of this machine's, to within the time of one request.

        Negative if it is behind; None from an older server.
        """
        sent = datetime.now(timezone.utc)
        server_time = self.health().server_time
        received = datetime.now(timezone.utc)
        return None if server_time is None else server_time - (sent + (received - sent) / 2)

    def clone(self) -> Client:
        """A clone of this client with its own connections, locks and token; it starts with the current token."""
        api = self._api.clone(lambda: _transport(self._timeout))
        return Client(api, self._timeout)

    def sign_in(self, username: str, password: str) -> Session:
        """Exchange a password for a token, which this client sends from now on."""
        return _sign_in(self._api, username, password)

    def refresh_token(self) -> Session:
        """Exchange the token for a newer one, which this client sends from now on."""
        return _keep(self._api, self._api.post(Session, "/auth/refresh", repeatable=True))

    def disconnect(self) -> None:
        """Forget the token and close the connections."""
        self._api.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A Client cannot be pickled or copied: it has connections and a token. Call deardiary.connect() in the "
            "other process, and pass ids"
        )

    def __repr__(self) -> str:
        return f"<Client of {self._api.url}>"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.disconnect()


def connect(
    url: str | None = None,
    token: str | None = None,
    username: str | None = None,
    password: str | None = None,
    *,
    timeout: float | None = None,
    transport: Transport | None = None,
) -> Client:
    """A client of the server at ``url``.

    Missing arguments come from DEARDIARY_URL, DEARDIARY_TOKEN, DEARDIARY_USERNAME and DEARDIARY_PASSWORD, then from
    the login file. The default is http://127.0.0.1:9000 without a token. A username and its password are exchanged for
    a token at once. DEARDIARY_TOKEN_SECRET names a secret in AWS Secrets Manager that holds a token; the client reads
    it when the server asks for a token. Without any of these it signs in with AWS credentials, such as those of a job,
    if a project allows their role. ``timeout`` is the seconds to wait for a connection (default 10) and for an answer
    or the next part of one (35); a call is not retried after that time. A ``transport`` is used as it is, without
    added retries.

    ClientError if signing in fails, ValueError for invalid settings.
    """
    if timeout is not None and (transport is not None or not timeout > 0):
        raise ValueError(f"timeout= is seconds, more than 0, and not for a transport of your own: {timeout!r}")
    credentials = Credentials(token=token, username=username, password=password)
    return _signed_in(*_client(url, credentials, transport, timeout=timeout))


def connect_unchosen(url: str | None) -> Client:
    """As `connect`, to a server that the user may not have chosen, such as the URL in a downloaded file.

    The client uses only credentials that the settings hold for exactly this server.
    """
    return _signed_in(*_client(url, Credentials(), None, chosen_by_user=url is None))


def connect_later(url: str | None = None) -> Client:
    """As `connect`, without a request: the first call exchanges a password for a token."""
    return _client(url, Credentials(), None)[0]


def _sign_in(api: Api, username: str, password: str) -> Session:
    return _keep(api, api.post(Session, SIGN_IN, {"username": username, "password": password}, repeatable=True))


def _keep(api: Api, session: Session) -> Session:
    """Send the token of the session from now on."""
    api.token = session.access_token
    return session


def _signed_in(client: Client, settings: Settings) -> Client:
    if settings.username and settings.password:
        client.sign_in(settings.username, settings.password)
    return client


def _client(
    url: str | None,
    given: Credentials,
    transport: Transport | None,
    *,
    timeout: float | None = None,
    chosen_by_user: bool = True,
) -> tuple[Client, Settings]:
    settings = find_settings(url, given, chosen_by_user=chosen_by_user)
    api = Api(settings.url, transport or _transport(timeout), settings.token)

    def renew() -> tuple[str | None, float]:
        """Sign in again, or return the token of a login that the user has made meanwhile."""
        fresh = find_settings(settings.url, given, chosen_by_user=chosen_by_user)
        if fresh.username and fresh.password:
            return _sign_in(api, fresh.username, fresh.password).access_token, math.inf
        if fresh.token_secret:
            from deardiary.secretsmanager import read_token

            return read_token(fresh.token_secret), math.inf
        if fresh.token is None and fresh.keyless:
            from deardiary.keyless import sign_in

            return sign_in(api) or (None, math.inf)
        return fresh.token, math.inf

    api.login.renew = renew
    return Client(api, timeout), settings


def _transport(timeout: float | None) -> Transport:
    from deardiary.http.late import LateTransport
    from deardiary.http.retries import RetryingTransport

    if timeout is None:
        return _default_transport()
    return RetryingTransport(LateTransport(connect_timeout=timeout, read_timeout=timeout), within=timeout)


def _default_transport() -> Transport:
    from deardiary.http.late import LateTransport
    from deardiary.http.retries import RetryingTransport

    return RetryingTransport(LateTransport())
