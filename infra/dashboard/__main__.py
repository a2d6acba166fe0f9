"""`python -m infra.dashboard build`, `check` (types, lint, unit tests) and `dev` (live reload; see web/README.md)."""

from __future__ import annotations

import functools
import sys

from infra.dashboard import node
from infra.dashboard.build import WEB, build, check, prepare
from infra.failure import InfraError


def main(command: str = "build", *arguments: str) -> int:
    """Return 0, or 1 with the reason on stderr."""
    try:
        _COMMANDS[command](*arguments)
    except InfraError as error:
        print(f"The dashboard: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _build() -> None:
    build(functools.partial(print, flush=True))


def _check() -> None:
    """Without a package registry there is nothing to check with: say so, and fail nothing."""
    try:
        prepare()
    except InfraError as error:
        print(f"NOT CHECKED, the dashboard's types, lint and unit tests: {str(error)[-2000:]}", file=sys.stderr)
        return
    check()


def _dev(server: str = "http://127.0.0.1:9000") -> None:
    prepare()
    print(f"The dashboard of {server}, with live reload: http://127.0.0.1:5173", flush=True)
    node.run_tool("vite", ["--host=127.0.0.1"], WEB, DEARDIARY_URL=server)


_COMMANDS = {"build": _build, "check": _check, "dev": _dev}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
