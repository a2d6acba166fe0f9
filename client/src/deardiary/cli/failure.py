"""Errors of commands: the message and the exit status."""

from deardiary.errors import NOT_SENT, ClientError, reason_of

REFUSED, USAGE, SIGN_IN, NO_ANSWER, INTERRUPTED = 1, 2, 3, 4, 130


class CommandFailed(Exception):
    """A message for the user, and the exit status."""

    def __init__(self, message: str, status: int = REFUSED) -> None:
        super().__init__(message)
        self.status = status


class NotThere(CommandFailed):
    """No object has the name or id that was typed."""


def explained(error: BaseException) -> CommandFailed | None:
    """The message for an expected error; None for a fault of this program."""
    if isinstance(error, CommandFailed):
        return error
    if isinstance(error, ClientError):
        return _of_client(error)
    if isinstance(error, (OSError, ValueError, RuntimeError)):
        return CommandFailed(reason_of(error))
    return None


def _of_client(error: ClientError) -> CommandFailed:
    if error.code == "TOKEN_MISSING" or (error.status == 401 and error.code == "INVALID_CREDENTIALS"):
        return CommandFailed(str(error), SIGN_IN)
    if error.status == 401:
        return CommandFailed(f"{error}; sign in with `deardiary login`", SIGN_IN)
    if error.status == 0 and error.code not in NOT_SENT:
        return CommandFailed(str(error), NO_ANSWER)
    return CommandFailed(str(error))
