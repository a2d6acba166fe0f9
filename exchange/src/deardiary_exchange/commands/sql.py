"""``deardiary sql``: query a project, or an export, in SQL."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from deardiary.cli import find
from deardiary.cli.command import Call, verb
from deardiary.cli.failure import USAGE, CommandFailed

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers
    from deardiary_exchange.folder import Folder


def add(commands: Subparsers) -> None:
    import duckdb  # noqa: F401 - ImportError without the extra, which the caller reports

    parser = verb(commands, "sql", "query a project, or an export, in SQL (DuckDB)", query)
    parser.add_argument("query", help="such as: select status, count(*) from iterations group by status; - reads stdin")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--project", help="a name or an id (default: DEARDIARY_PROJECT)")
    source.add_argument("--from", dest="place", metavar="FOLDER", help="an export: a folder, or s3://bucket/prefix")


def query(call: Call) -> None:
    import duckdb

    from deardiary_exchange import sql

    text = sys.stdin.read() if call.given.query == "-" else call.given.query
    with ExitStack() as stack:
        connection = stack.enter_context(sql.connected(_folder(call, stack)))
        try:
            columns, rows = sql.rows_of(connection.execute(text))
        except duckdb.Error as error:
            raise CommandFailed(str(error), USAGE) from None
    call.output.json([dict(zip(columns, map(sql.plain, row), strict=True)) for row in rows])
    if not call.output.as_json:
        call.output.table(columns, rows, "No rows")


def _folder(call: Call, stack: ExitStack) -> Folder:
    from deardiary_exchange import sql
    from deardiary_exchange.folder import Folder
    from deardiary_exchange.progress import Bar

    if call.given.place:
        return Folder(call.given.place)
    project = find.project(call.client, call.given.project)
    with Bar("iterations") as progress:
        return stack.enter_context(sql.exported(call.client, project.id, progress))
