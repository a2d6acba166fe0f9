"""Alert rules: JSON in the row of their project or experiment, which every flush reads anyway."""

from __future__ import annotations

from chalicelib.errors import NotFound
from chalicelib.storage import experiment as experiments
from chalicelib.storage import project as projects
from chalicelib.storage.experiment import ExperimentRow
from chalicelib.storage.project import ProjectRow
from chalicelib.storage.table import conditional, item, keys


def read_rules_of_project(project_id: str) -> str | None:
    return item.get(ProjectRow, keys.project(project_id)).alert_rules


def read_rules_of_experiment(project_id: str, experiment_id: str) -> str | None:
    return item.get(ExperimentRow, keys.experiment(project_id, experiment_id)).alert_rules


def write_rules_of_project(project_id: str, rules: str) -> None:
    """NotFound without the project."""
    with conditional.otherwise(NotFound):
        ProjectRow(*keys.project(project_id)).update([ProjectRow.alert_rules.set(rules)], projects.ALIVE)


def write_rules_of_experiment(project_id: str, experiment_id: str, rules: str) -> None:
    """NotFound without the experiment."""
    row = ExperimentRow(*keys.experiment(project_id, experiment_id))
    with conditional.otherwise(NotFound):
        row.update([ExperimentRow.alert_rules.set(rules)], experiments.ALIVE)
