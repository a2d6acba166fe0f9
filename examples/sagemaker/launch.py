"""Run `train.py` in one of SageMaker's own containers, which have the training toolkit: `python launch.py ROLE_ARN`.

Needs `pip install "sagemaker<3"` and AWS credentials. `source_dir` has a requirements.txt, which the toolkit installs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sagemaker.sklearn import SKLearn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", help="the ARN of the job's role; it may read the secret")
    parser.add_argument("--url", required=True, help="the diary, like https://…/api")
    parser.add_argument("--secret", default="deardiary/token", help="the secret that holds an API token")
    parser.add_argument("--checkpoints", required=True, help="where a spot job keeps what it must not lose: s3://…")
    given = parser.parse_args()
    estimator = SKLearn(
        entry_point="train.py",
        source_dir=str(Path(__file__).parent),
        framework_version="1.4-2",
        role=given.role,
        instance_type="ml.m5.large",
        hyperparameters={"epochs": 20, "learning_rate": 0.003},
        environment={"DEARDIARY_URL": given.url, "DEARDIARY_TOKEN_SECRET": given.secret},
        use_spot_instances=True,
        max_run=3600,
        max_wait=7200,
        checkpoint_s3_uri=given.checkpoints,
    )
    estimator.fit()


if __name__ == "__main__":
    main()
