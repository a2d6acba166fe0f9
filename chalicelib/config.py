"""The settings of the server, and the only reader of the environment."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


class ConfigurationError(Exception):
    """A setting is missing or wrong: the server does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    table: str
    artifact_backend: str
    artifact_bucket: str
    artifact_root: Path | None
    jwt_secret_parameter: str
    enable_auth: bool
    cors_origins: tuple[str, ...]
    project_creation_by_admin_only: bool
    region: str
    endpoint_url: str | None


@cache
def settings() -> Settings:
    """The settings that the environment gives, read once."""
    return read(os.environ)


def read(environment: Mapping[str, str]) -> Settings:
    """ConfigurationError, naming the variable, when a value does not fit."""
    root = environment.get("DEARDIARY_ARTIFACT_FS_ROOT")
    return Settings(
        table=environment.get("DEARDIARY_TABLE", "deardiary-local"),
        artifact_backend=_choice(environment, "DEARDIARY_ARTIFACT_BACKEND", ("s3",)),
        artifact_bucket=environment.get("DEARDIARY_ARTIFACT_S3_BUCKET", ""),
        artifact_root=Path(root) if root else None,
        jwt_secret_parameter=environment.get("DEARDIARY_JWT_SECRET_PARAMETER", ""),
        enable_auth=_enable_auth(environment),
        cors_origins=tuple(environment.get("DEARDIARY_CORS_ORIGINS", "").replace(",", " ").split()),
        project_creation_by_admin_only=_choice(environment, "DEARDIARY_PROJECT_CREATION", ("any", "admin")) == "admin",
        region=environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1",
        endpoint_url=environment.get("AWS_ENDPOINT_URL") or None,
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own: `localhost` or in 127.0.0.0/8 or ::1."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _choice(environment: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = environment.get(name) or allowed[0]
    if value not in allowed:
        raise ConfigurationError(f"{name} is {value!r}; it can be {', '.join(allowed)}")
    return value


def _enable_auth(environment: Mapping[str, str]) -> bool:
    """Sign-in can be off only where nobody else can reach the server: on loopback, and never in Lambda."""
    if _choice(environment, "DEARDIARY_ENABLE_AUTH", ("true", "false")) == "true":
        return True
    if "AWS_LAMBDA_FUNCTION_NAME" in environment or not is_loopback(environment.get("DEARDIARY_LISTEN", "")):
        raise ConfigurationError(
            "DEARDIARY_ENABLE_AUTH=false is only for a server on loopback, which says so in DEARDIARY_LISTEN"
        )
    return False
