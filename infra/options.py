"""The command line of `python -m infra`."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HELP = {
    "up": "make the stage, or bring it to what it should be; Chalice can deploy it then",
    "deploy": "up, chalice deploy and finish, in this order",
    "finish": "what follows `chalice deploy`: the gateway's answers, a health check, the URL",
    "down": "remove the stage; keeps table and bucket",
    "admin": "give the admin a new password",
    "backup": "write table and objects into another bucket",
    "restore": "make table and bucket from a backup",
    "doctor": "check a deployed stage, and say what is wrong and what to do; changes nothing",
    "rotate": "sign tokens with a new secret; those in use go on working",
    "end-tokens": "end every session and API token of all users; passwords stay",
    "alerts": "pass events on, as mail, to a webhook or to Slack; earlier receivers stay",
    "migrate-artifacts": "move artifact bytes to another backend; can be repeated",
    "copy-artifacts": "copy the bytes of the stage's bucket in AWS into its S3-compatible store; can be repeated",
}


def parser(description: str | None, commands: Mapping[str, Callable[..., None]]) -> argparse.ArgumentParser:
    """A parser whose result has ``run``, one of these commands, and its options."""
    whole = argparse.ArgumentParser(prog="python -m infra", description=description)
    parsers = whole.add_subparsers(dest="command", required=True)
    made = {name: parsers.add_parser(name, help=HELP[name]) for name in commands}
    for name, command in made.items():
        command.set_defaults(run=commands[name])
        command.add_argument("--stage", required=True)
        command.add_argument("--endpoint-url", help="another AWS, such as a local emulator (or AWS_ENDPOINT_URL)")
    for name in ("up", "deploy"):
        _add_settings(made[name])
    for name in ("up", "deploy", "restore", "admin"):
        _add_admin(made[name])
    made["up"].add_argument("--json", action="store_true", help="the outputs as one JSON object")
    made["doctor"].add_argument("--json", action="store_true", help="the outcome of each check as JSON")
    made["up"].add_argument("--add-stage", action="store_true", help="name a new stage in .chalice/config.json first")
    for name in ("finish", "doctor"):
        made[name].add_argument("--api-id", help="of a stage that CloudFormation has made; Chalice knows its own")
    made["backup"].add_argument("--to", required=True, metavar="s3://BUCKET/PREFIX")
    made["restore"].add_argument("--from", required=True, metavar="s3://BUCKET/PREFIX", dest="source")
    made["end-tokens"].add_argument("--table", help="another table than the stage's, such as one restored by AWS")
    made["migrate-artifacts"].add_argument("--to", required=True, choices=("s3", "filesystem", "inline"))
    made["down"].add_argument("--delete-data", action="store_true", help="table, bucket and logs too")
    made["down"].add_argument("--yes", action="store_true", help="do not ask")
    _add_receivers(made["alerts"])
    return whole


def _add_receivers(command: argparse.ArgumentParser) -> None:
    command.add_argument("--email", action="append", default=[], metavar="ADDRESS", help="can be given again")
    command.add_argument("--webhook", metavar="URL", help="gets the event as JSON; - reads the URL from stdin")
    command.add_argument("--slack", metavar="URL", help="of a Slack incoming webhook; - reads the URL from stdin")
    words = "succeeded, failed, killed, lost, alert, stage, alias, deleted"
    command.add_argument("--on", default="", metavar="WORD,…", help=f"of {words}; kept")
    command.add_argument("--remove", action="store_true", help="remove the rule and all its receivers")


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--cors-origin",
        action="append",
        default=os.environ.get("DEARDIARY_CORS_ORIGINS", "").replace(",", " ").split(),
        help="a web origin that may use the API and presigned URLs; can be given again; kept until others are given",
    )
    command.add_argument(
        "--capture-sagemaker",
        metavar="PROJECT_ID",
        default=os.environ.get("DEARDIARY_CAPTURE_SAGEMAKER"),
        help="the project that gets an iteration for each SageMaker job of the account and region; kept; none ends it",
    )
    command.add_argument(
        "--web-acl", metavar="ARN", help="an AWS WAF web ACL for the API, a regional one; kept; none ends it"
    )
    command.add_argument("--alarm-topic", metavar="ARN", help="an SNS topic to tell when an alarm goes off; kept")


def _add_admin(command: argparse.ArgumentParser) -> None:
    command.add_argument("--admin-username", default="admin")
    command.add_argument("--admin-password-stdin", action="store_true", help="take the password from stdin")
