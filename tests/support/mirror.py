"""A client that keeps a table of iterations up to date by the changes feed, as a dashboard does."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from tests.support.server import Reply, Server

_EVERYTHING = "include=parameters,metrics,tags&limit=200"


class Mirror:
    """The rows by id. It takes its first position before it lists, so that it misses nothing in between."""

    def __init__(self, server: Server, experiment_id: str) -> None:
        self._server, self._path = server, f"/experiments/{experiment_id}/iterations"
        self.since: str | None = None
        self.rows: dict[str, Any] = {}
        self.poll()
        self.rows = self.listed()

    def listed(self) -> dict[str, Any]:
        """The rows as the list has them now."""
        found = self._server.call("GET", f"{self._path}?{_EVERYTHING}").body["data"]
        return {each["id"]: each for each in found}

    def ask(self, headers: dict[str, str] | None = None, **query: Any) -> Reply:
        """Ask without using the answer."""
        given = {name: value for name, value in {"since": self.since, **query}.items() if value is not None}
        return self._server.call("GET", f"{self._path}/changes?{urlencode(given, doseq=True)}", headers=headers)

    def poll(self, **query: Any) -> Any:
        """Apply the changes since the last poll; return the answer."""
        answer = self.ask(**query).body
        self.since = answer["next_since"]
        for row in answer["data"]:
            self.rows[row["id"]] = {"parameters": {}, "tags": [], **self.rows.get(row["id"], {}), **row}
        for each in answer["grown"].keys() & self.rows.keys():
            self.rows[each] |= {"metrics": answer["grown"][each]}
        for each in answer["gone"]:
            self.rows.pop(each, None)
        return answer
