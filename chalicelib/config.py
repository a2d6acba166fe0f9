"""The settings of the server, and the only reader of the environment."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

_S3, _OIDC = "DEARDIARY_ARTIFACT_S3_", "DEARDIARY_OIDC_"
CAPTURE_SAGEMAKER = "DEARDIARY_CAPTURE_SAGEMAKER"
PUBLIC_URLS = "DEARDIARY_PUBLIC_URLS"
# Of a duration. More days would lead beyond the last year of the calendar.
_DIGITS = 6


class ConfigurationError(Exception):
    """A setting is missing or wrong: the server does not start."""


class StoreSettings(NamedTuple):
    """An S3-compatible store for artifacts, beside the AWS account that has the table."""

    endpoint_url: str
    region: str
    # True: the bucket is part of the host name. False: of the path.
    virtual: bool
    # The source of its keys: a SecureString of the account's parameter store, or a profile of this machine.
    credentials_parameter: str
    profile: str


class OidcSettings(NamedTuple):
    """The OpenID Connect provider that signs browsers in, and who may become a user on the first sign-in."""

    # Exactly as the provider's ID tokens have it, a slash at the end included.
    issuer: str
    client_id: str
    # The name of a SecureString with the client's secret; empty for a public client.
    client_secret_parameter: str
    scopes: str
    # On the button of the sign-in page.
    name: str
    # A verified e-mail of these domains, or one of these groups, makes a new user. Without both: no new users.
    allowed_domains: frozenset[str]
    allowed_groups: frozenset[str]
    groups_claim: str


class Settings(NamedTuple):
    table: str
    artifact_backend: str
    artifact_bucket: str
    # None: AWS S3, with the credentials of everything else.
    artifact_store: StoreSettings | None
    artifact_root: Path | None
    jwt_secret_parameter: str
    enable_auth: bool
    # None: users sign in with a password only.
    oidc: OidcSettings | None
    # Of users who are no admins.
    password_sign_in: bool
    cors_origins: tuple[str, ...]
    # The URLs of this server that a proxy in front of it hides from it, as clients write them.
    public_urls: frozenset[str]
    project_creation_by_admin_only: bool
    # The sweep ends an iteration without a heartbeat for this long; None: never.
    lost_after: timedelta | None
    # A deleted object can be restored for this long; None: not at all.
    undo: timedelta | None
    # The name of the project that MLflow clients use without a workspace.
    mlflow_project: str
    # The EventBridge bus that gets the events; empty: none is written.
    event_bus: str
    # The project whose iterations are the SageMaker jobs of the account; empty: they are not captured.
    capture_sagemaker: str
    region: str
    endpoint_url: str | None
    # An emulator of AWS need not have SageMaker: that can be another one.
    sagemaker_endpoint_url: str | None
    in_lambda: bool


@cache
def settings() -> Settings:
    """The settings from the environment, read once."""
    return read(os.environ)


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings. ConfigurationError, naming the variable, for an invalid value."""
    return Settings(
        table=environment.get("DEARDIARY_TABLE", "deardiary-local"),
        artifact_backend=_artifact_backend(environment),
        artifact_bucket=environment.get("DEARDIARY_ARTIFACT_S3_BUCKET", ""),
        artifact_store=_artifact_store(environment),
        artifact_root=_artifact_root(environment),
        jwt_secret_parameter=environment.get("DEARDIARY_JWT_SECRET_PARAMETER", ""),
        enable_auth=_enable_auth(environment),
        oidc=_oidc(environment),
        password_sign_in=_password_sign_in(environment),
        cors_origins=tuple(environment.get("DEARDIARY_CORS_ORIGINS", "").replace(",", " ").split()),
        public_urls=_public_urls(environment),
        project_creation_by_admin_only=_choice(environment, "DEARDIARY_PROJECT_CREATION", ("any", "admin")) == "admin",
        lost_after=_duration(environment, "DEARDIARY_LOST_AFTER_MINUTES", 30, "minutes", "never"),
        undo=_duration(environment, "DEARDIARY_UNDO_DAYS", 7, "days", "none"),
        mlflow_project=environment.get("DEARDIARY_MLFLOW_PROJECT") or "MLflow",
        event_bus=_matching(environment, "DEARDIARY_EVENT_BUS", r"[\w./-]{1,256}", "the name of an EventBridge bus"),
        capture_sagemaker=_matching(environment, CAPTURE_SAGEMAKER, r"[0-9a-z]+", "the id of a project"),
        region=environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1",
        endpoint_url=environment.get("AWS_ENDPOINT_URL") or None,
        sagemaker_endpoint_url=environment.get("AWS_ENDPOINT_URL_SAGEMAKER")
        or environment.get("AWS_ENDPOINT_URL")
        or None,
        in_lambda="AWS_LAMBDA_FUNCTION_NAME" in environment,
    )


def is_loopback(host: str) -> bool:
    """True if a host name or address is this machine's own: `localhost`, ::1 or in 127.0.0.0/8."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _choice(environment: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = environment.get(name) or allowed[0]
    if value not in allowed:
        raise ConfigurationError(f"{name} is {value!r}; it can be {', '.join(allowed)}")
    return value


def _duration(environment: Mapping[str, str], name: str, default: int, unit: str, zero: str) -> timedelta | None:
    """Read a whole number of minutes or days. Return None for 0."""
    text = environment.get(name) or str(default)
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS:
        raise ConfigurationError(f"{name} is {text!r}; it can be a whole number of {unit}, or 0 for {zero}")
    return timedelta(**{unit: int(text)}) if int(text) else None


def _artifact_backend(environment: Mapping[str, str]) -> str:
    """Read the backend. `filesystem` requires its root; the bucket's name is not checked before its first use."""
    backend = _choice(environment, "DEARDIARY_ARTIFACT_BACKEND", ("s3", "filesystem", "inline"))
    if backend == "filesystem" and not environment.get("DEARDIARY_ARTIFACT_FS_ROOT"):
        raise ConfigurationError("DEARDIARY_ARTIFACT_BACKEND=filesystem needs DEARDIARY_ARTIFACT_FS_ROOT")
    return backend


def _artifact_root(environment: Mapping[str, str]) -> Path | None:
    root = environment.get("DEARDIARY_ARTIFACT_FS_ROOT")
    if root and not Path(root).is_absolute():
        raise ConfigurationError("DEARDIARY_ARTIFACT_FS_ROOT is a path from the root: /mnt/artifacts")
    return Path(root) if root else None


def _artifact_store(environment: Mapping[str, str]) -> StoreSettings | None:
    """Read the S3-compatible store. No message repeats a value, which may be a misplaced secret."""
    if not environment.get(f"{_S3}ENDPOINT"):
        for name in ("REGION", "ADDRESSING", "CREDENTIALS_PARAMETER", "PROFILE"):
            if environment.get(_S3 + name):
                raise ConfigurationError(f"{_S3}{name} needs {_S3}ENDPOINT, the URL of an S3-compatible store")
        return None
    if not environment.get(f"{_S3}BUCKET"):
        raise ConfigurationError(f"{_S3}ENDPOINT needs {_S3}BUCKET, a bucket that the store has")
    parameter, profile = _store_credentials(environment)
    return StoreSettings(
        endpoint_url=_store_endpoint(environment),
        region=_matching(environment, f"{_S3}REGION", r"[a-z0-9-]+", "a region of the store") or "us-east-1",
        virtual=_choice(environment, f"{_S3}ADDRESSING", ("path", "virtual")) == "virtual",
        credentials_parameter=parameter,
        profile=profile,
    )


def _store_endpoint(environment: Mapping[str, str]) -> str:
    name = f"{_S3}ENDPOINT"
    try:
        url = urlsplit(environment[name])
        valid = url.scheme in ("http", "https") and url.hostname and (url.port or 1) and "@" not in url.netloc
    except ValueError:  # a port that is not a number
        valid = False
    if not valid or url.path.strip("/") or url.query or url.fragment:
        raise ConfigurationError(f"{name} is not a URL such as https://minio.example.org:9000, without user and path")
    if url.scheme == "http" and "AWS_LAMBDA_FUNCTION_NAME" in environment and not is_loopback(url.hostname or ""):
        raise ConfigurationError(f"{name} must be an https URL: clients of an API at https use no store at http")
    return f"{url.scheme}://{url.netloc}"


def _store_credentials(environment: Mapping[str, str]) -> tuple[str, str]:
    """The parameter or the profile with the store's keys; one of them is empty."""
    names = f"{_S3}CREDENTIALS_PARAMETER", f"{_S3}PROFILE"
    parameter = _matching(environment, names[0], r"(/[\w.-]+)+", "a name such as /deardiary/dev/artifact-store")
    profile = environment.get(names[1], "")
    if bool(parameter) == bool(profile):
        raise ConfigurationError(f"{_S3}ENDPOINT needs either {names[0]} or {names[1]}")
    if profile and "AWS_LAMBDA_FUNCTION_NAME" in environment:
        raise ConfigurationError(f"{names[1]} is for a server outside Lambda; name a parameter in {names[0]}")
    return parameter, profile


def _matching(environment: Mapping[str, str], name: str, pattern: str, meaning: str) -> str:
    value = environment.get(name, "")
    if value and not re.fullmatch(pattern, value, re.ASCII):
        raise ConfigurationError(f"{name} is not {meaning}")
    return value


def _oidc(environment: Mapping[str, str]) -> OidcSettings | None:
    if not environment.get(f"{_OIDC}ISSUER"):
        return None
    client_id = environment.get(f"{_OIDC}CLIENT_ID", "")
    if not client_id:
        raise ConfigurationError(f"{_OIDC}ISSUER needs {_OIDC}CLIENT_ID, which the provider shows for the application")
    secret = f"{_OIDC}CLIENT_SECRET_PARAMETER"
    scopes = environment.get(f"{_OIDC}SCOPES", "openid profile email").split()
    if "openid" not in scopes:
        raise ConfigurationError(f"{_OIDC}SCOPES needs openid: without it a provider sends no ID token")
    return OidcSettings(
        issuer=_issuer(environment),
        client_id=client_id,
        client_secret_parameter=_matching(environment, secret, r"(/[\w.-]+)+", "a name such as /deardiary/dev/oidc"),
        scopes=" ".join(scopes),
        name=environment.get(f"{_OIDC}NAME") or "single sign-on",
        allowed_domains=frozenset(each.lower() for each in _list(environment, f"{_OIDC}ALLOWED_DOMAINS")),
        allowed_groups=frozenset(_list(environment, f"{_OIDC}ALLOWED_GROUPS")),
        groups_claim=environment.get(f"{_OIDC}GROUPS_CLAIM") or "groups",
    )


def _issuer(environment: Mapping[str, str]) -> str:
    issuer = environment[f"{_OIDC}ISSUER"]
    if not is_safe_url(issuer, in_lambda="AWS_LAMBDA_FUNCTION_NAME" in environment) or urlsplit(issuer).query:
        raise ConfigurationError(f"{_OIDC}ISSUER is not an https URL such as https://accounts.google.com")
    return issuer


def is_safe_url(url: str, *, in_lambda: bool) -> bool:
    """True for https, and outside of Lambda for http on loopback, which no other machine can answer or read."""
    try:
        parts = urlsplit(url)
        host = None if parts.port == 0 or "@" in parts.netloc else parts.hostname
    except ValueError:  # a port that is not a number
        return False
    local = parts.scheme == "http" and is_loopback(host or "") and not in_lambda
    return bool(host) and not parts.fragment and (parts.scheme == "https" or local)


def _public_urls(environment: Mapping[str, str]) -> frozenset[str]:
    """Read the URLs in the form of the client: the host in lower case, no slash at the end."""
    found = environment.get(PUBLIC_URLS, "").replace(",", " ").split()
    for number, url in enumerate(found, 1):
        is_safe = is_safe_url(url, in_lambda="AWS_LAMBDA_FUNCTION_NAME" in environment)
        if not is_safe or "*" in url or "?" in url:
            meaning = "an https URL such as https://diary.example.org, without user, query and *"
            raise ConfigurationError(f"{PUBLIC_URLS}: URL {number} is not {meaning}")
    parts = [urlsplit(each) for each in found]
    return frozenset(f"{each.scheme}://{each.netloc.lower()}{each.path.rstrip('/')}" for each in parts)


def _password_sign_in(environment: Mapping[str, str]) -> bool:
    """False if only admins may sign in with a password, who can thereby mend the settings of the provider."""
    name = "DEARDIARY_PASSWORD_SIGN_IN"
    if _choice(environment, name, ("any", "admin")) == "any":
        return True
    if not environment.get(f"{_OIDC}ISSUER"):
        raise ConfigurationError(f"{name}=admin needs {_OIDC}ISSUER: otherwise only admins could sign in")
    return False


def _list(environment: Mapping[str, str], name: str) -> list[str]:
    """The parts of a text between commas: a name of a group may have spaces."""
    return [each.strip() for each in environment.get(name, "").split(",") if each.strip()]


def _enable_auth(environment: Mapping[str, str]) -> bool:
    """True if sign-in is on. It may be off only on loopback, out of reach of other machines, never in Lambda."""
    if _choice(environment, "DEARDIARY_ENABLE_AUTH", ("true", "false")) == "true":
        return True
    if "AWS_LAMBDA_FUNCTION_NAME" in environment or not is_loopback(environment.get("DEARDIARY_LISTEN", "")):
        raise ConfigurationError(
            "DEARDIARY_ENABLE_AUTH=false is only for a server on loopback, which says so in DEARDIARY_LISTEN"
        )
    return False
