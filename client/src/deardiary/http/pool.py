"""The pool of idle connections."""

import os
import selectors
import threading
from http.client import HTTPConnection

from deardiary.http.proxy import Route


class Pool:
    """Idle connections by process and route: a forked process must not share a socket with its parent."""

    def __init__(self) -> None:
        self._idle: dict[tuple[int, Route], list[HTTPConnection]] = {}
        self._lock = threading.Lock()

    def take(self, route: Route) -> HTTPConnection | None:
        """A connection that the server has not closed, or None."""
        while True:
            with self._lock:
                idle = self._idle.get((os.getpid(), route))
                if not idle:
                    return None
                connection = idle.pop()
            if not _has_news(connection):
                return connection
            connection.close()

    def give(self, route: Route, connection: HTTPConnection) -> None:
        with self._lock:
            self._idle.setdefault((os.getpid(), route), []).append(connection)

    def __del__(self) -> None:
        # Close the sockets of a client that was never closed: the garbage collector would warn of each.
        self.close()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()


def _has_news(connection: HTTPConnection) -> bool:
    """True if an idle connection is readable, which means that the server has closed it."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(timeout=0))
