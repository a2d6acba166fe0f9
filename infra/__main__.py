"""`python -m infra COMMAND --stage dev`: create, deploy, back up and remove a stage, and give an admin access again."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from pynamodb.exceptions import PynamoDBException

from chalicelib.config import CAPTURE_SAGEMAKER, ConfigurationError
from chalicelib.errors import DomainError
from infra import deploy, doctor
from infra.alerts import converge_alerts, delete_alerts, words_of
from infra.backup import back_up, restore
from infra.capture import check_project
from infra.failure import InfraError
from infra.migrate import migrate_artifacts
from infra.options import parser
from infra.package.chalice_config import (
    add_stage,
    configured_bus,
    configured_capture,
    configured_oidc,
    configured_origins,
    configured_store,
    configured_web_acl,
    write_outputs,
)
from infra.package.deployment_record import fetch_record
from infra.resources.admin import reset_admin
from infra.resources.bus import converge_bus, delete_bus
from infra.resources.firewall import check_web_acl
from infra.resources.monitoring import converge_monitoring, delete_monitoring
from infra.resources.role import require_one_region
from infra.resources.secret import rotate_secret
from infra.resources.table import has_table
from infra.stage import locate
from infra.store import check_store, copy_into_store
from infra.tokens import end_all_tokens
from infra.up import bring_up, has_resources, take_down

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from infra.stage import Clients, Stage

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Return 0, or 1 after printing the reason to stderr if it fails."""
    options = parser(__doc__, COMMANDS).parse_args(arguments)
    # Only this place in infra sets the environment, before the server's code is imported and reads it.
    if options.endpoint_url:
        os.environ["AWS_ENDPOINT_URL"] = options.endpoint_url
    try:
        stage, clients = locate(options.stage)
        bus, oidc = configured_bus(stage.name, os.environ), configured_oidc(stage.name, os.environ)
        captures = configured_capture(stage.name, getattr(options, "capture_sagemaker", None))
        store = configured_store(stage.name, os.environ)
        stage = replace(stage, web_acl=configured_web_acl(stage.name, getattr(options, "web_acl", None)))
        stage = replace(stage, store=store, event_bus=bus, capture_sagemaker=captures, oidc=oidc)
        os.environ.pop(CAPTURE_SAGEMAKER, None)  # "none" is no project
        os.environ.update(stage.settings(), AWS_REGION=stage.region)
        options.run(options, stage, clients)
    except (InfraError, DomainError, ConfigurationError, ClientError, BotoCoreError, PynamoDBException) as error:
        print(f"infra {options.command}: {_reason(error, options.stage)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"infra {options.command}: interrupted; run it again to go on", file=sys.stderr)
        return INTERRUPTED
    return 0


def _reason(error: Exception, stage: str) -> str:
    if isinstance(error, PynamoDBException) and error.cause_response_code == "ResourceNotFoundException":
        return f"stage {stage} has no table; run `make deploy STAGE={stage}` first"
    if isinstance(error, NoCredentialsError):
        return "No AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    return str(error)


def _up(options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    # With --json, stdout is for the calling program.
    log = sys.stderr if options.json else sys.stdout
    done = 0
    for line in chain(add_stage(stage) if options.add_stage else (), _everything(options, stage, clients)):
        print(line, file=log, flush=True)
        done += 1
    if not done:
        print("nothing to change", file=log)
    _print_outputs(stage, as_json=options.json)


def _everything(options: argparse.Namespace, stage: Stage, clients: Clients) -> Iterator[str]:
    """The admin comes last: a password that is shown once should not scroll away."""
    origins = options.cors_origin or configured_origins(stage.name)
    require_one_region(stage)
    check_web_acl(stage)
    if stage.store:  # a store that cannot be used must not be in the settings
        yield from check_store(stage, clients.s3)
    if stage.capture_sagemaker:
        check_project(stage, clients)
    fetch_record(clients.ssm, stage)
    yield from converge_monitoring(stage, options.alarm_topic)
    yield from converge_bus(stage)
    yield from write_outputs(stage, origins)
    password = _given_password(options)
    yield from bring_up(stage, clients, cors_origins=origins, username=options.admin_username, password=password)


def _deploy(options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    """Print the lines about a new admin at the end, and even if Chalice fails: they are shown only once."""
    _print_all(add_stage(stage))
    lines = list(_printed_but_admin(_everything(options, stage, clients)))
    try:
        deploy.run_chalice("deploy", stage)
        _print_all(deploy.finish(stage, clients))
    finally:
        _print_all(lines)
    print(f"sign in: deardiary login {deploy.url(stage)}", flush=True)


def _printed_but_admin(lines: Iterator[str]) -> Iterator[str]:
    """Print each line, but yield those from the admin's on."""
    for line in lines:
        if line.startswith("admin "):
            yield line
            yield from lines
        else:
            print(line, flush=True)


def _finish(options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    _print_all(deploy.finish(stage, clients, options.api_id))


def _print_outputs(stage: Stage, *, as_json: bool) -> None:
    outputs = {
        "stage": stage.name,
        "region": stage.region,
        "table": stage.table,
        "bucket": stage.settings()["DEARDIARY_ARTIFACT_S3_BUCKET"],
        "jwt_secret_parameter": stage.secret_parameter,
    }
    if stage.store:
        outputs["artifact_store"] = stage.store["DEARDIARY_ARTIFACT_S3_ENDPOINT"]
    print(json.dumps(outputs) if as_json else "\n".join(f"{key:<21}{value}" for key, value in outputs.items()))


def _down(options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    if not deploy.has_functions(stage, clients) and not has_resources(stage, clients):
        raise InfraError(f"there is no stage {stage.name} in account {stage.account}, region {stage.region}")
    data = ", its table, its bucket and its logs with ALL DATA" if options.delete_data else ""
    what = f"its functions, its API, its alarms, its secret{data}"
    if not options.yes and _answer(f"This deletes stage {stage.name}: {what}. Type the stage name: ") != stage.name:
        raise InfraError("that is not the stage name; nothing was deleted")
    _print_all(deploy.remove(stage, clients))
    _print_all(delete_monitoring(stage, delete_logs=options.delete_data))
    _print_all(delete_alerts(stage))
    _print_all(delete_bus(stage))
    _print_all(take_down(stage, clients, delete_data=options.delete_data))


def _answer(question: str) -> str:
    """The user's answer; an empty text if stdin has ended."""
    print(question, end="", flush=True)
    return sys.stdin.readline().strip()


def _admin(options: argparse.Namespace, _stage: Stage, _clients: Clients) -> None:
    _print_all(reset_admin(options.admin_username, _given_password(options)))


def _doctor(options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    doctor.report(stage, clients, options.api_id, json_wanted=options.json)


def _rotate(_options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    _print_all(rotate_secret(clients.ssm, stage.secret_parameter))


def _end_tokens(options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    table = options.table or stage.table
    os.environ["DEARDIARY_TABLE"] = table
    if not has_table(clients.dynamodb, table):
        raise InfraError(f"there is no table {table}")
    _print_all(end_all_tokens(clients.dynamodb, table))


def _alerts(options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    if options.remove:
        _print_all(delete_alerts(stage))
        return
    given = {"webhook": options.webhook, "slack": options.slack}
    urls = {kind: _line_of_stdin() if url == "-" else url for kind, url in given.items() if url}
    done = False
    for line in converge_alerts(stage, clients, words_of(options.on), options.email, urls):
        print(line, flush=True)
        done = True
    if not done:
        print("nothing to change")


def _line_of_stdin() -> str:
    return sys.stdin.readline().strip()


def _backup(options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    _print_all(back_up(stage, clients, options.to))


def _restore(options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    """The backup contains the admin. It does not contain the secret, which is created if there is none."""
    require_one_region(stage)
    _print_all(restore(stage, clients, options.source))
    origins, password = configured_origins(stage.name), _given_password(options)
    _print_all(bring_up(stage, clients, cors_origins=origins, username=options.admin_username, password=password))


def _print_all(lines: Iterator[str] | list[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _migrate(options: argparse.Namespace, _stage: Stage, _clients: Clients) -> None:
    _print_all(migrate_artifacts(options.to))


def _copy(_options: argparse.Namespace, stage: Stage, clients: Clients) -> None:
    _print_all(copy_into_store(stage, clients.s3))


def _given_password(options: argparse.Namespace) -> str | None:
    """The first line of stdin if the option asks for it, else None. InfraError if it is empty."""
    if not options.admin_password_stdin:
        return None
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise InfraError("no password on stdin")
    return password


COMMANDS = {
    "up": _up,
    "deploy": _deploy,
    "finish": _finish,
    "down": _down,
    "backup": _backup,
    "restore": _restore,
    "admin": _admin,
    "doctor": _doctor,
    "rotate": _rotate,
    "end-tokens": _end_tokens,
    "alerts": _alerts,
    "migrate-artifacts": _migrate,
    "copy-artifacts": _copy,
}

if __name__ == "__main__":
    sys.exit(main())
