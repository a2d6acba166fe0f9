"""Sign in by an AWS role: a request that only the role can sign takes the place of a secret.

The server sends the signed `sts:GetCallerIdentity` to AWS, which answers with the role. A signed header names the
server, so that no other one can use the request. `api` imports this module when a server asks for a token.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import reduce
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from deardiary import settings
from deardiary.api import SIGN_IN_BY_AWS, Api
from deardiary.errors import ClientError, reason_of
from deardiary.wire.shapes import Session

Variables = Mapping[str, str]

AUDIENCE = "x-deardiary-audience"
_BODY = "Action=GetCallerIdentity&Version=2011-06-15"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
# Seconds before its end at which a token is replaced, and those to wait for an endpoint of this machine.
_BEFORE_END, _LONGEST_WAIT = 600.0, 2.0
# Shorter keys are those of emulators, such as "test".
_MIN_KEY_CHARACTERS = 16
_CONTAINERS = "http://169.254.170.2"
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
_CONTAINER_HOSTS = ("localhost", "127.0.0.1", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23")
_INSTANCE = "http://169.254.169.254/latest"
_INSTANCE_MARKS = (("/sys/class/dmi/id/sys_vendor", "Amazon EC2"), ("/sys/hypervisor/uuid", "ec2"))


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials of AWS; temporary ones have a session token."""

    access: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def sign_in(api: Api) -> tuple[str, float] | None:
    """A token, and the seconds until it should be replaced. None without AWS credentials, or from an older server.

    ClientError if the server refuses the role, or if the credentials cannot be read.
    """
    keys = find_keys()
    if keys is None:
        return None
    region, now = settings.aws_region(), datetime.now(timezone.utc)
    try:
        session = api.post(Session, SIGN_IN_BY_AWS, signed(keys, api.url, region, now), repeatable=True)
    except ClientError as error:
        if error.status == 404 or error.code == "UNKNOWN_ROUTE":
            return None
        if error.status not in (401, 403, 422):
            raise
        message = f"{error.message} (by AWS credentials, for there is no token; `deardiary login {api.url}` makes one)"
        raise ClientError(error.status, error.code, message, error.details) from None
    life = (session.expires_at - datetime.now(timezone.utc)).total_seconds()
    return session.access_token, max(60.0, life - _BEFORE_END)


def signed(keys: Keys, audience: str, region: str | None, now: datetime) -> dict[str, object]:
    """The request for this audience, signed: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html."""
    end = ".cn" if region and region.startswith("cn-") else ""
    host = f"sts.{region}.amazonaws.com{end}" if region else "sts.amazonaws.com"
    date, region = now.strftime("%Y%m%dT%H%M%SZ"), region or "us-east-1"
    headers = {"content-type": _FORM, "host": host, "x-amz-date": date, AUDIENCE: audience}
    headers |= {"x-amz-security-token": keys.token} if keys.token else {}
    names = ";".join(sorted(headers))
    lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
    request = "\n".join(["POST", "/", "", *lines, "", names, _sha256(_BODY)])
    scope = [date[:8], region, "sts", "aws4_request"]
    text = "\n".join(["AWS4-HMAC-SHA256", date, "/".join(scope), _sha256(request)])
    key = reduce(_hmac, scope, f"AWS4{keys.secret}".encode())
    credential = f"Credential={keys.access}/{'/'.join(scope)}"
    signature = f"{credential}, SignedHeaders={names}, Signature={_hmac(key, text).hex()}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 {signature}"
    return {"method": "POST", "url": f"https://{host}/", "headers": headers, "body": _BODY}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def find_keys() -> Keys | None:
    """The credentials of AWS, the first found of: environment, web identity, profile, container, EC2 instance.

    Of a profile only static keys; `credential_process` and SSO are not taken.
    """
    given = settings.aws_variables()
    found = _of_environment(given) or _of_web_identity(given) or _of_profile(given)
    return found or _of_container(given) or _of_instance(given)


def _of_environment(given: Variables) -> Keys | None:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return _keys(*(given.get(name, "") for name in names))


def _keys(access: str, secret: str, token: str | None) -> Keys | None:
    found = Keys(access.strip(), secret.strip(), (token or "").strip() or None)
    return found if len(found.access) >= _MIN_KEY_CHARACTERS and found.secret else None


def _of_profile(given: Variables) -> Keys | None:
    from configparser import Error, RawConfigParser

    profile = given.get("AWS_PROFILE") or given.get("AWS_DEFAULT_PROFILE") or "default"
    files = RawConfigParser(strict=False)
    for variable, name in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        try:
            files.read(Path(given.get(variable) or f"~/.aws/{name}").expanduser(), "utf-8")
        except (Error, OSError, RuntimeError, ValueError):
            continue
    for section in (profile, f"profile {profile}"):
        values = files[section] if files.has_section(section) else {}
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        if found := _keys(*(values.get(name, "") for name in names)):
            return found
    return None


def _of_web_identity(given: Variables) -> Keys | None:
    """The role of a pod of EKS: STS trades the token in a file for credentials."""
    role, path = given.get("AWS_ROLE_ARN"), given.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    if not role or not path:
        return None
    region = settings.aws_region()
    host = f"sts.{region}.amazonaws.com" if region else "sts.amazonaws.com"
    try:
        asked = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": role}
        asked |= {"RoleSessionName": given.get("AWS_ROLE_SESSION_NAME") or "deardiary"}
        query = urlencode(asked | {"WebIdentityToken": Path(path).read_text().strip()})
        text = _fetch("POST", f"https://{host}/", {"Content-Type": _FORM}, query, 10.0).decode()
    except (OSError, ValueError, HTTPException) as error:
        raise _unreadable("web identity", error) from error
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    return _keys(*("".join(re.findall(f"<{name}>([^<]+)</{name}>", text)[:1]) for name in names))


def _of_container(given: Variables) -> Keys | None:
    """The role of a task of ECS, a job of SageMaker or a pod of EKS, from the endpoint that its variables name."""
    path, url = (given.get(f"AWS_CONTAINER_CREDENTIALS_{name}_URI", "") for name in ("RELATIVE", "FULL"))
    url = f"{_CONTAINERS}/{path.lstrip('/')}" if path else url
    if not url:
        return None
    try:
        parts = urlsplit(url)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _CONTAINER_HOSTS):
            raise ValueError(f"{parts.hostname} is not a host of containers")
        file = given.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        token = Path(file).read_text().strip() if file else given.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        answer = json.loads(_fetch("GET", url, {"Authorization": token} if token else {}))
        return _keys(answer["AccessKeyId"], answer["SecretAccessKey"], answer.get("Token"))
    except (OSError, ValueError, KeyError, TypeError, HTTPException) as error:
        raise _unreadable("container", error) from error


def _of_instance(given: Variables) -> Keys | None:
    """The role of an EC2 instance. Other machines send no request: a laptop would wait for an answer."""
    if given.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true" or not _is_instance():
        return None
    try:
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        token = {"X-aws-ec2-metadata-token": _fetch("PUT", f"{_INSTANCE}/api/token", ttl).decode()}
        roles = f"{_INSTANCE}/meta-data/iam/security-credentials/"
        role = _fetch("GET", roles, token).decode().splitlines()[0]
        answer = json.loads(_fetch("GET", roles + quote(role, safe=""), token))
        return _keys(answer["AccessKeyId"], answer["SecretAccessKey"], answer["Token"])
    except (OSError, ValueError, LookupError, TypeError, HTTPException):
        return None


def _is_instance() -> bool:
    for path, mark in _INSTANCE_MARKS:
        try:
            if Path(path).read_text().startswith(mark):
                return True
        except (OSError, ValueError):
            continue
    return False


def _fetch(method: str, url: str, headers: Mapping[str, str], body: str = "", wait: float = _LONGEST_WAIT) -> bytes:
    """The body of an answer 200. OSError for another one; no proxy, no redirect."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=wait)
    try:
        connection.request(method, f"{parts.path or '/'}?{parts.query}".rstrip("?"), body or None, dict(headers))
        answer = connection.getresponse()
        if answer.status != 200:
            raise OSError(f"{parts.hostname} answered {answer.status}")
        return answer.read(65_536)
    finally:
        connection.close()


def _unreadable(source: str, error: Exception) -> ClientError:
    message = f"The AWS credentials of the {source} cannot be read: {reason_of(error)}"
    return ClientError(0, "AWS_CREDENTIALS_UNREADABLE", message)
