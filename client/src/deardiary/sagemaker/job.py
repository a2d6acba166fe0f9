"""The training job of this process, as SageMaker describes it.

Every container has these files, with the training toolkit and without:
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deardiary import settings
from deardiary.environment.redact import redacted
from deardiary.errors import without_query
from deardiary.tracking import ranks as ranking

_OBJECTIVE = "_tuning_objective_metric"  # only jobs of a tuning job have this hyperparameter
_OF_TUNING_JOB = re.compile(r"^(.+)-\d{3,}-[0-9a-f]{8}$")  # the name of such a job: tuning job, number, eight digits
_SOURCE = "sagemaker_submit_directory"
_OF_THE_TOOLKIT = ("sagemaker_", "_tuning_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A training job, as one of its processes sees it. The process of ``rank`` 0 logs.

    ``hyperparameters`` are the user's own, as text. ``source`` is the archive of the job's code, as the SageMaker SDK
    names it, without credentials. ``checkpoint_folder`` holds the files for a restart of the job; None without a
    CheckpointConfig. ``channels`` maps each input to its mode ("File", "Pipe"…).
    """

    name: str
    arn: str = ""
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    current_host: str = ""
    instance_type: str = ""
    source: str = ""
    channels: Mapping[str, str] = field(default_factory=dict)
    tuning_job: str | None = None
    rank: int = 0
    failure_file: Path
    checkpoint_folder: Path | None = None

    def parameters(self) -> dict[str, str]:
        """The parameters that an iteration of this job gets in addition to the caller's."""
        known = {
            "sagemaker_job_name": self.name,
            "sagemaker_job_arn": self.arn,
            "sagemaker_hosts": ",".join(self.hosts),
            "sagemaker_instance_type": self.instance_type,
            "sagemaker_source": self.source,
            "sagemaker_tuning_job": self.tuning_job or "",
            **{f"sagemaker_input_{name}": mode for name, mode in self.channels.items()},
        }
        return {**self.hyperparameters, **{name: value for name, value in known.items() if value}}

    def tags(self) -> list[str]:
        return ["sagemaker", self.name, *([self.tuning_job] if self.tuning_job else [])]


def find_job() -> Job | None:
    """The job of this process; None outside of SageMaker. An unreadable file counts as empty."""
    seen = settings.training_job()
    if seen is None:
        return None
    config = seen.base / "input" / "config"
    given = {name: _decoded(value) for name, value in _read(config / "hyperparameters.json").items()}
    resources = _read(config / "resourceconfig.json")
    hosts, current = ranking.hosts_of(seen.base)
    place = ranking.place()
    return Job(
        name=seen.name,
        arn=seen.arn,
        hyperparameters={name: value for name, value in given.items() if not name.startswith(_OF_THE_TOOLKIT)},
        hosts=tuple(hosts),
        current_host=current or "",
        instance_type=str(resources.get("current_instance_type", "")),
        source=redacted(without_query(given.get(_SOURCE, ""))),
        channels={name: _mode(each) for name, each in _read(config / "inputdataconfig.json").items()},
        tuning_job=_tuning_job(seen.name, given),
        rank=place.rank if place else 0,
        failure_file=seen.base / "output" / "failure",
        checkpoint_folder=seen.checkpoint_folder,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        logging.getLogger(__name__).warning("%s cannot be read: %s", path, error)
        return {}
    return data if isinstance(data, dict) else {}


def _decoded(value: object) -> str:
    """A hyperparameter as text. The SageMaker SDK writes text as JSON, with quotes: remove them."""
    text = value if isinstance(value, str) else json.dumps(value)
    try:
        decoded = json.loads(text) if text.startswith('"') else text
    except ValueError:
        return text
    return decoded if isinstance(decoded, str) else text


def _mode(channel: object) -> str:
    return str(channel.get("TrainingInputMode", "File")) if isinstance(channel, dict) else "File"


def _tuning_job(name: str, hyperparameters: Mapping[str, str]) -> str | None:
    found = _OF_TUNING_JOB.match(name) if _OBJECTIVE in hyperparameters else None
    return found[1] if found else None
