"""Names of SageMaker jobs: the experiment that a job belongs to, and its tuning job."""

from __future__ import annotations

import re

# The name of a training job of a pipeline: the execution, the step and ten characters.
_OF_PIPELINE = re.compile(r"pipelines-[0-9a-z]{12}-(.+)-[0-9A-Za-z]{10}")
_UUID = re.compile(r"(^|-)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
# A date, a number or a hash at the end of a name.
_COUNTED = re.compile(r"(^|-)(\d+|(?=[a-f]*\d)[0-9a-f]{8,})$")
UNNAMED = "SageMaker"


def base_of(job: str) -> str:
    """The name without what makes it unique: `digits-2026-11-29-06-33-18-123` and `digits-7` are of `digits`."""
    found = _OF_PIPELINE.fullmatch(job)
    name = _UUID.sub("", found[1] if found else job)
    while (shorter := _COUNTED.sub("", name)) != name:
        name = shorter
    return name.strip("-") or UNNAMED


def name_in(arn: str) -> str:
    """The last part of an ARN: the name of a job."""
    return arn.rpartition("/")[2]
