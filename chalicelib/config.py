"""The settings of the server, and the only reader of the environment."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple


class ConfigurationError(Exception):
    """A setting is missing or wrong: the server does not start."""


class Settings(NamedTuple):
    table: str
    artifact_backend: str
    artifact_bucket: str
    artifact_root: Path | None
    jwt_secret_parameter: str
    enable_auth: bool
    cors_origins: tuple[str, ...]
    project_creation_by_admin_only: bool
    # The sweep ends an iteration without a heartbeat for this long; None: never.
    lost_after: timedelta | None
    region: str
    endpoint_url: str | None
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
        artifact_root=_artifact_root(environment),
        jwt_secret_parameter=environment.get("DEARDIARY_JWT_SECRET_PARAMETER", ""),
        enable_auth=_enable_auth(environment),
        cors_origins=tuple(environment.get("DEARDIARY_CORS_ORIGINS", "").replace(",", " ").split()),
        project_creation_by_admin_only=_choice(environment, "DEARDIARY_PROJECT_CREATION", ("any", "admin")) == "admin",
        lost_after=_minutes(environment, "DEARDIARY_LOST_AFTER_MINUTES", 30),
        region=environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1",
        endpoint_url=environment.get("AWS_ENDPOINT_URL") or None,
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


def _minutes(environment: Mapping[str, str], name: str, default: int) -> timedelta | None:
    """Read a whole number of minutes; 0 is None."""
    text = environment.get(name) or str(default)
    if not text.isdecimal():
        raise ConfigurationError(f"{name} is {text!r}; it can be a whole number of minutes, or 0 for never")
    return timedelta(minutes=int(text)) if int(text) else None


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


def _enable_auth(environment: Mapping[str, str]) -> bool:
    """True if sign-in is on. It may be off only on loopback, out of reach of other machines, never in Lambda."""
    if _choice(environment, "DEARDIARY_ENABLE_AUTH", ("true", "false")) == "true":
        return True
    if "AWS_LAMBDA_FUNCTION_NAME" in environment or not is_loopback(environment.get("DEARDIARY_LISTEN", "")):
        raise ConfigurationError(
            "DEARDIARY_ENABLE_AUTH=false is only for a server on loopback, which says so in DEARDIARY_LISTEN"
        )
    return False
