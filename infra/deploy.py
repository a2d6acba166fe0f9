"""Deploy and remove a stage: `chalice deploy`, and the steps after it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

import boto3

from infra.failure import InfraError
from infra.package.chalice_config import FOLDER, configured_domain, configured_origins
from infra.package.deployment_record import api_id, fetch_record, forget_record, is_deployed, keep_record
from infra.resources.bucket import allow_dashboard
from infra.resources.domain import target_of, web_origins
from infra.resources.firewall import converge_web_acl, remove_web_acl
from infra.resources.gateway import converge_answers, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.stage import Clients, Stage

# A new API answers within seconds.
HEALTHY_WITHIN_SECONDS = 60.0
PAUSE_SECONDS = 1.0


def run_chalice(command: str, stage: Stage) -> None:
    """Run `chalice deploy` or `chalice delete` with our packager. InfraError if it fails; Chalice has said why."""
    line = [sys.executable, "-m", "infra.package.packager", command, "--stage", stage.name]
    if subprocess.run(line, cwd=FOLDER.parent, check=False).returncode:  # noqa: S603 - our own command
        raise InfraError(f"`chalice {command}` failed; what was there before is unchanged or half new: run it again")


def finish(stage: Stage, clients: Clients, given: str | None = None) -> Iterator[str]:
    """After `chalice deploy`: set the gateway's own answers, store the record, and check that the server answers.

    With the id of an API that Chalice has not deployed, no record is stored.
    """
    api = given or api_id(stage)
    if given is None:
        keep_record(clients.ssm, stage)
    yield from converge_answers(boto3.client("apigateway"), api, configured_origins(stage.name))
    yield from converge_web_acl(stage, api)
    address, domain = url_of(api, stage), configured_domain(stage.name)
    if not stage.store:
        yield from allow_dashboard(clients.s3, stage.bucket, *web_origins(address, domain))
    _await_health(address, stage.name)  # not at the domain: its DNS record may come after the first deployment
    yield f"healthy: GET {address}/health"
    yield f"url: {address}"
    if domain:
        yield f"domain: {domain.url} (its DNS record: CNAME or alias {target_of(boto3.client('apigateway'), domain)})"


def url(stage: Stage) -> str:
    """The URL of the API that Chalice has deployed: at its domain, if it has one."""
    domain = configured_domain(stage.name)
    return domain.url if domain else url_of(api_id(stage), stage)


def has_functions(stage: Stage, clients: Clients) -> bool:
    """True if Chalice has deployed the stage, by the account's record or by this machine's."""
    fetch_record(clients.ssm, stage)
    return is_deployed(stage)


def remove(stage: Stage, clients: Clients) -> Iterator[str]:
    """Remove the functions, their roles and the API. Return no line if none were deployed."""
    fetch_record(clients.ssm, stage)
    if is_deployed(stage):
        yield from remove_web_acl(stage, api_id(stage))
        run_chalice("delete", stage)
        yield f"functions and API of {stage.name}: deleted"
    forget_record(clients.ssm, stage)


def _await_health(url: str, stage: str) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=30) as answer:  # noqa: S310 - our own URL
                health = json.load(answer)
                if isinstance(health, dict) and health.get("status") == "ok":
                    return
                reason = "the answer is not DearDiary's"
        except (OSError, ValueError) as error:
            reason = str(error)
        if time.monotonic() > deadline:
            raise InfraError(
                f"{url}/health does not answer as it should: {reason}; "
                f"`.venv/bin/python -m infra doctor --stage {stage}` says why, or the function's log"
            )
        time.sleep(PAUSE_SECONDS)
