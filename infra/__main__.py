"""`python -m infra up|down|admin|rotate --stage dev`: makes, removes, lets back into a stage, or changes its secret."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import DomainError
from infra.admin import reset_admin
from infra.failure import InfraError
from infra.secret import rotate_secret
from infra.stage import locate
from infra.up import bring_up, take_down

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.stage import Clients, Stage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it is done, 1 with the reason on stderr when it could not be."""
    options = _parser().parse_args(arguments)
    # The one place where infra sets the environment, before the server's code is imported and reads it.
    if options.endpoint_url:
        os.environ["AWS_ENDPOINT_URL"] = options.endpoint_url
    try:
        stage, clients = locate(options.stage)
        os.environ.update(stage.settings(), AWS_REGION=stage.region)
        options.run(options, stage, clients)
    except (InfraError, DomainError, ClientError, BotoCoreError) as error:
        print(f"infra {options.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _up(options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    # With --json, stdout belongs to the program that reads it.
    log = sys.stderr if options.json else sys.stdout
    done = 0
    for line in bring_up(
        stage,
        clients,
        cors_origins=options.cors_origin,
        username=options.admin_username,
        password=_given_password(options),
    ):
        print(line, file=log, flush=True)
        done += 1
    if not done:
        print("nothing to change", file=log)
    _print_outputs(stage, as_json=options.json)


def _print_outputs(stage: Stage, *, as_json: bool) -> None:
    outputs = {
        "stage": stage.name,
        "region": stage.region,
        "table": stage.table,
        "bucket": stage.bucket,
        "jwt_secret_parameter": stage.secret_parameter,
    }
    print(json.dumps(outputs) if as_json else "\n".join(f"{key:<21}{value}" for key, value in outputs.items()))


def _down(options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    what = "its secret, its table and its bucket with ALL DATA" if options.delete_data else "its secret"
    if not options.yes and _answer(f"This deletes stage {stage.name}: {what}. Type the stage name: ") != stage.name:
        raise InfraError("that is not the stage name; nothing was deleted")
    for line in take_down(stage, clients, delete_data=options.delete_data):
        print(line, flush=True)


def _answer(question: str) -> str:
    """What the person types; nothing when nobody is there to type."""
    print(question, end="", flush=True)
    return sys.stdin.readline().strip()


def _admin(options: argparse.Namespace, _stage: Stage, _clients: Clients) -> None:
    for line in reset_admin(options.admin_username, _given_password(options)):
        print(line)


def _rotate(_options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    for line in rotate_secret(clients.ssm, stage.secret_parameter):
        print(line)


def _given_password(options: argparse.Namespace) -> str | None:
    """The first line of stdin when the caller wants that, else None; InfraError when it is empty."""
    if not options.admin_password_stdin:
        return None
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise InfraError("no password on stdin")
    return password


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="make the stage, or bring it to what it should be")
    up.add_argument("--json", action="store_true", help="the outputs as one JSON object")
    up.add_argument(
        "--cors-origin",
        action="append",
        default=os.environ.get("DEARDIARY_CORS_ORIGINS", "").replace(",", " ").split(),
        help="a web origin that may use presigned URLs; can be given again",
    )
    up.set_defaults(run=_up)
    down = commands.add_parser("down", help="remove the stage; keeps table and bucket")
    down.add_argument("--delete-data", action="store_true", help="table and bucket too")
    down.add_argument("--yes", action="store_true", help="do not ask")
    down.set_defaults(run=_down)
    admin = commands.add_parser("admin", help="give the admin a new password")
    admin.set_defaults(run=_admin)
    rotate = commands.add_parser("rotate", help="sign tokens with a new secret; those in use go on working")
    rotate.set_defaults(run=_rotate)
    for command in (up, down, admin, rotate):
        command.add_argument("--stage", required=True)
        command.add_argument("--endpoint-url", help="another AWS, such as a local emulator (or AWS_ENDPOINT_URL)")
    for command in (up, admin):
        command.add_argument("--admin-username", default="admin")
        command.add_argument("--admin-password-stdin", action="store_true", help="take the password from stdin")
    return parser


if __name__ == "__main__":
    sys.exit(main())
