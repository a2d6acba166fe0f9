"""The admin of a stage, created by the server's own rules.

The server reads its settings on first use. So import `chalicelib` only inside the functions, after the entry point has
put the stage's settings into the environment.
"""

from __future__ import annotations

import secrets


def converge_admin(username: str, password: str | None) -> list[str]:
    """Create the first admin if there is none. Without a given password, generate one and show it this once."""
    from chalicelib.services import user

    chosen = password or _new_password()
    if user.ensure_first_admin(username, chosen) is None:
        return []
    return [f"admin {username}: created", *_shown_once(chosen, password)]


def converge_usernames() -> list[str]:
    """Make the users of older servers findable by their names in any case."""
    from chalicelib.storage import user

    folded = user.fold_usernames()
    return [f"usernames: {folded} can be written in any case now"] if folded else []


def reset_admin(username: str, password: str | None) -> list[str]:
    """Give this admin a new password, or create the first admin if there is none."""
    from chalicelib.services import user

    created = converge_admin(username, password)
    if created:
        return created
    chosen = password or _new_password()
    user.set_password_of(username, chosen)
    return [f"admin {username}: new password set", *_shown_once(chosen, password)]


def _new_password() -> str:
    return secrets.token_urlsafe(18)


def _shown_once(chosen: str, given: str | None) -> list[str]:
    if given:
        return []
    command = ".venv/bin/python -m infra admin --stage NAME"
    return [f"    password: {chosen}    (shown this once; `{command}` makes a new one)"]
