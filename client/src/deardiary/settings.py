"""Where the client's settings come from: arguments, the environment, the login file. The only reader of os.environ."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_URL = "http://127.0.0.1:9000"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Ways to say who is calling one server; the token is used before the password."""

    token: str | None = dataclasses.field(default=None, repr=False)
    username: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What connecting takes. ``token`` and ``username`` are never both given; with neither, none is sent."""

    url: str
    token: str | None = dataclasses.field(default=None, repr=False)
    username: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)


def find_settings(url: str | None = None, arguments: Credentials | None = None) -> Settings:
    """The settings in force, the first found of: arguments, environment, login file, default URL.

    Credentials belong to the URL beside which they were found: those of the environment are left out when
    ``DEARDIARY_URL`` names another server than ``url``, those of the login file for any server but its own.
    ValueError for a URL that cannot be one, for a username without a password and for a damaged login file.
    """
    environment_url = clean_url(_variable("URL"))
    file_url, file_credentials = _login_file()
    chosen = clean_url(url) or environment_url or file_url or DEFAULT_URL
    sources = [arguments or Credentials()]
    if environment_url in (None, chosen):
        sources.append(_credentials_of_environment())
    if file_url == chosen:
        sources.append(file_credentials)
    return _settings(chosen, sources)


def default_project() -> str | None:
    """The project of an iteration that names none: DEARDIARY_PROJECT."""
    return _variable("PROJECT")


def default_experiment() -> str | None:
    """The experiment of an iteration that names none: DEARDIARY_EXPERIMENT."""
    return _variable("EXPERIMENT")


def login_file() -> Path:
    """The file in which a login is kept: JSON, {"url": …, "token": …}."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "deardiary" / "credentials.json"


def clean_url(url: str | None) -> str | None:
    """An API's URL, which may have a path, without a slash at its end. ValueError for what cannot be one."""
    if not url:
        return None
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(f"A DearDiary URL looks like https://host/api, not {url!r}")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("A DearDiary URL has no query, no fragment and no username")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _settings(url: str, sources: list[Credentials]) -> Settings:
    for source in sources:
        if source.token:
            return Settings(url=url, token=source.token)
        if source.username:
            password = next((each.password for each in sources if each.password), None)
            if password is None:
                raise ValueError(f"No password for {source.username!r}: give one, or set DEARDIARY_PASSWORD")
            return Settings(url=url, username=source.username, password=password)
    return Settings(url=url)


def _credentials_of_environment() -> Credentials:
    return Credentials(
        token=_variable("TOKEN"), username=_variable("USERNAME"), password=os.environ.get("DEARDIARY_PASSWORD")
    )


def _login_file() -> tuple[str | None, Credentials]:
    path = login_file()
    try:
        data = json.loads(path.read_text("utf-8"))
        return clean_url(data["url"]), Credentials(token=data["token"])
    except FileNotFoundError:
        return None, Credentials()
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"The login file {path} is damaged: log in again, or delete it") from error


def _variable(name: str) -> str | None:
    """A DEARDIARY_ variable; an empty one is as good as none, and a line end is not part of a token."""
    return os.environ.get(f"DEARDIARY_{name}", "").strip() or None
