"""The account that acts for SageMaker: it is in no list, has no password and no token, and reaches one project."""

from __future__ import annotations

from chalicelib import clock
from chalicelib.services.actor import Actor
from deardiary.wire.shapes import User

# No user has such an id: theirs are of `ids.new_id`.
MACHINE_ID = "sagemaker-capture"


def machine(project_id: str) -> Actor:
    """The account, limited to this project. Only this process can be it: no token leads to it."""
    user = User(
        id=MACHINE_ID, first_name="", last_name="", username=MACHINE_ID, created_date=clock.EPOCH, is_admin=True
    )
    return Actor(user, is_session=False, only_project_id=project_id)
