"""Run `train.py` in one of SageMaker's own containers, which have the training toolkit: `python launch.py ROLE_ARN`.

Needs `pip install "sagemaker<3"` and AWS credentials. `source_dir` has a requirements.txt, which the toolkit installs,
and the client, which is packed here from this repository.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from sagemaker.sklearn import SKLearn

SOURCES = Path(__file__).resolve().parent
CLIENT = SOURCES.parents[1] / "client"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", help="the ARN of the job's role; it may read the secret")
    parser.add_argument("--url", required=True, help="the diary, like https://…/api")
    parser.add_argument("--secret", default="deardiary/token", help="the secret that holds an API token")
    parser.add_argument("--checkpoints", required=True, help="where a spot job keeps what it must not lose: s3://…")
    given = parser.parse_args()
    pack = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(SOURCES), str(CLIENT)]
    subprocess.run(pack, check=True)  # noqa: S603 - our own command
    estimator = SKLearn(
        entry_point="train.py",
        source_dir=str(SOURCES),
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
