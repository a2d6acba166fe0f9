"""An empty AWS account on this machine, a checkout of its own, and what somebody types to deploy from it."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from deardiary.http.default import HttpTransport
from deardiary.http.retries import RetryingTransport
from deardiary.http.transport import Request, Response
from deardiary.keyless import Keys
from infra.emulator.process import CREDENTIALS
from tests.support.server import URL, Server

REPOSITORY = Path(__file__).parents[2]
REGION = "us-east-1"
ARCHITECTURE = {"x86_64": "x86_64"}.get(platform.machine(), "arm64")
# What a deployment needs of the repository; `.chalice` is the tracked file of it only.
DEPLOYED = ("app.py", "chalicelib", "client", "constraints.txt", "infra", "requirements.txt", "vendor")


@contextmanager
def running_cloud() -> Iterator[str]:
    """An account in which every call is checked against IAM; gives its endpoint."""
    command = [sys.executable, "-m", "infra.emulator.cloud", "--iam", "--until-stdin-ends"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        assert process.stdin is not None
        endpoint = process.stdout.readline().strip()
        assert endpoint, "the emulator did not start"
        try:
            yield endpoint
        finally:
            process.stdin.close()
            process.wait(timeout=60)


@dataclass(frozen=True)
class Checkout:
    """A clone of the repository, from which one deploys into an account."""

    folder: Path
    endpoint: str
    region: str = REGION

    @classmethod
    def made(cls, folder: Path, endpoint: str) -> Checkout:
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for name in DEPLOYED:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, folder / name, symlinks=True, ignore=ignore)
            else:
                shutil.copy(source, folder / name)
        (folder / ".chalice").mkdir()
        config = json.loads((REPOSITORY / ".chalice" / "config.json").read_text())
        config["lambda_architecture"] = ARCHITECTURE  # the emulator runs functions on this machine
        (folder / ".chalice" / "config.json").write_text(json.dumps(config))
        return cls(folder, endpoint)

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DEARDIARY_"))}
        return (
            kept
            | self.account()
            | {"DEARDIARY_EVENT_BUS": "default", "NO_PROXY": "127.0.0.1", "PYTHONPATH": str(self.folder)}
        )

    def account(self) -> dict[str, str]:
        """The environment of whoever owns the account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **CREDENTIALS,
        }

    def infra(self, *arguments: str, stdin: str = "", status: int = 0) -> str:
        """`python -m infra …`; what it printed, stderr after stdout."""
        return self.python("infra", *arguments, stdin=stdin, status=status)

    def python(self, module: str, *arguments: str, stdin: str = "", status: int = 0) -> str:
        done = subprocess.run(  # noqa: S603 - our own module, our own interpreter
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == status, said
        return said

    def aws(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        """A client of the account: as its owner, or with the credentials of a role."""
        keys = credentials or {name.lower(): value for name, value in CREDENTIALS.items()}
        made: Any = boto3.client(service, endpoint_url=self.endpoint, region_name=self.region, **keys)  # type: ignore[call-overload]
        return made

    def as_role(self, name: str) -> dict[str, str]:
        """Credentials that may do what a function's role may: of a role with the same policy, open to this account."""
        iam = self.aws("iam")
        (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        twin = f"{name}-twin"
        iam.create_role(RoleName=twin, AssumeRolePolicyDocument=TRUSTS_THE_ACCOUNT)
        iam.put_role_policy(RoleName=twin, PolicyName=policy, PolicyDocument=json.dumps(document))
        arn = iam.get_role(RoleName=twin)["Role"]["Arn"]
        given = self.aws("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }


TRUSTS_THE_ACCOUNT = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}]}'
)


class OverHttp:
    """Requests to `tests.support.server.URL` go to a deployed API; others, which are presigned, where they say."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = RetryingTransport(HttpTransport())

    def send(self, request: Request) -> Response:
        if not request.url.startswith(URL):
            return self._http.send(request)
        there = request.url.replace(URL, self._url, 1)
        return self._http.send(dataclasses.replace(request, url=there))

    def call(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        given = {"Accept": "application/octet-stream", **headers}  # without it no bytes come through the gateway
        answer = self.send(Request(method=method, url=URL + path, headers=given, body=body))
        return answer.status, dict(answer.headers), answer.read()

    def close(self) -> None:
        self._http.close()


class Deployed(Server):
    """A server in the cloud, as the tests know servers."""

    def __init__(self, url: str, password: str) -> None:
        self.transport: Any = OverHttp(url)
        self.tokens = {}
        answer = self.call("POST", "/auth", {"username": "admin", "password": password}, token=None)
        assert answer.status == 200, answer
        self.tokens["admin"] = answer.body["access_token"]
        self._url = url

    @property
    def site(self) -> str:
        return self._url

    def account(self) -> str:
        return "000000000000"

    def role_keys(self, role: str, account: str | None = None) -> Keys:
        """The credentials of a session of a new role, which may do nothing: IAM allows each its GetCallerIdentity."""
        account = account or self.account()
        trust = TRUSTS_THE_ACCOUNT.replace(self.account(), account)
        arn = self._aws("iam", account).create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        given = self._aws("sts", account).assume_role(RoleArn=arn, RoleSessionName="job-1")["Credentials"]
        return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def _aws(self, service: str, account: str) -> Any:
        """A client of an account's owner. The emulator takes an access key of twelve digits for an account."""
        endpoint = "{0.scheme}://{0.netloc}".format(urlsplit(self._url))
        keys = {name.lower(): value for name, value in CREDENTIALS.items()}
        keys |= {} if account == self.account() else {"aws_access_key_id": account}
        made: Any = boto3.client(service, endpoint_url=endpoint, region_name=REGION, **keys)  # type: ignore[call-overload]
        return made


@dataclass(frozen=True)
class Deployment:
    """What stands after `make deploy`: what it printed, the package it made, and a server to talk to."""

    checkout: Checkout
    printed: str
    package: Path
    url: str
    server: Deployed


def found(pattern: str, text: str) -> str:
    """What the group of the pattern matches, which must be in the text just once."""
    (value,) = re.findall(pattern, text)
    return str(value)
