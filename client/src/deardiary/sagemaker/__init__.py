"""Iterations of SageMaker training jobs: ``from deardiary import sagemaker``, then `start` as in any other script."""

from deardiary.sagemaker.job import Job, find_job
from deardiary.sagemaker.lifecycle import start

__all__ = ["Job", "find_job", "start"]
