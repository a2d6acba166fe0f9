"""The project that captures the SageMaker jobs of a stage's account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.failure import InfraError
from infra.resources.table import has_table

if TYPE_CHECKING:
    from infra.stage import Clients, Stage


def check_project(stage: Stage, clients: Clients) -> None:
    """InfraError without the project: the function would fail at each event."""
    from chalicelib.errors import NotFound
    from chalicelib.storage import project

    project_id = stage.capture_sagemaker
    if not has_table(clients.dynamodb, stage.table):
        raise InfraError(f"stage {stage.name} has no projects yet: deploy it without --capture-sagemaker first")
    try:
        project.get_project(project_id)
    except NotFound:
        raise InfraError(f"--capture-sagemaker: stage {stage.name} has no project {project_id}") from None
