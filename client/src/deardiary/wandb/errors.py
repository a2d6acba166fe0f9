"""The errors of `deardiary.wandb`, with wandb's names."""


class Error(Exception):
    """A call that has no meaning as it is given."""


class UsageError(Error):
    """A call at the wrong time, or with wrong arguments."""
