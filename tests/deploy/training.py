"""A training job for the rehearsal: the process with its role, and what SageMaker says of it and sends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from chalicelib.routes.capture import PATTERN
from deardiary.keyless import Keys
from infra.resources.policy import CAPTURE
from infra.stage import Stage
from tests.deploy.rehearsal import REGION, Checkout
from tests.support.live import HANGS_SECONDS, line_of
from tests.support.sagemaker import ARN, event_of, serving

# The script of a user. `capture=()`: a snapshot of this repository would take long.
TRAIN = """
import sys
from deardiary import sagemaker
with sagemaker.start("Captured", "nightly", capture=()) as iteration:
    for step in range(5):
        iteration.log({"loss": 1 / (1 + step)})
    with open("weights.bin", "wb") as file:
        file.write(b"weights" * 1000)
    iteration.log_resource("weights.bin")
    assert iteration.flush(120)
    print(iteration.id, flush=True)
    sys.stdin.readline()
    raise ValueError("no data")
"""
TOKEN = "token-of-the-container"


@contextmanager
def credentials_endpoint(keys: Keys) -> Iterator[dict[str, str]]:
    """The variables of a container whose role has these keys. Only its token may read them."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_allowed = self.headers.get("Authorization") == TOKEN
            answer = {"AccessKeyId": keys.access, "SecretAccessKey": keys.secret, "Token": keys.token}
            body = json.dumps(answer).encode() if is_allowed else b"{}"
            self.send_response(200 if is_allowed else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{server.server_port}/role",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": TOKEN,
        }
    finally:
        server.shutdown()
        server.server_close()


class Container:
    """The process of a training job. It has the URL of the server, the variables of SageMaker and no more."""

    def __init__(self, folder: Path, job: str, url: str, role: dict[str, str]) -> None:
        self.failure_file = folder / "ml" / "output" / "failure"
        config = folder / "ml" / "input" / "config"
        config.mkdir(parents=True)
        resources = {"current_host": "algo-1", "hosts": ["algo-1"], "current_instance_type": "ml.m5.xlarge"}
        (config / "hyperparameters.json").write_text(json.dumps({"lr": "0.1", "optimizer": '"adam"'}))
        (config / "resourceconfig.json").write_text(json.dumps(resources))
        variables = {
            "DEARDIARY_URL": url,
            "SAGEMAKER_BASE_DIR": str(folder / "ml"),
            "TRAINING_JOB_NAME": job,
            "TRAINING_JOB_ARN": f"{ARN}:training-job/{job}",
            "AWS_REGION": REGION,
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "NO_PROXY": "127.0.0.1",
        }
        self._said = folder / "stderr"
        with self._said.open("w") as said:
            self._process = subprocess.Popen(  # noqa: S603 - our own script, our own interpreter
                [sys.executable, "-c", TRAIN],
                cwd=folder,
                env=variables | role,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )

    def iteration_id(self) -> str:
        """The id that the script prints after everything is stored."""
        found = line_of(self._process)
        assert found, self._said.read_text()
        return found

    def fail(self) -> str:
        """Let the script raise its error; return what it has written for SageMaker."""
        self._process.communicate("\n", timeout=HANGS_SECONDS)
        assert self._process.returncode == 1
        return self.failure_file.read_text()

    def kill(self) -> None:
        """End the process as a lack of memory does: it says nothing more to anyone."""
        self._process.kill()
        self._process.communicate()


class SageMaker:
    """What the account knows of its jobs. `emit` goes through EventBridge, `deliver` waits for the function."""

    def __init__(self, checkout: Checkout, stage: Stage, jobs: dict[str, dict[str, Any]]) -> None:
        self._aws, self._stage, self._jobs = checkout.aws, stage, jobs

    def emit(self, job: dict[str, Any]) -> None:
        self._jobs[job["TrainingJobName"]] = job
        detail = json.dumps(event_of(job)["detail"])
        entry = {"Source": "rehearsal", "DetailType": PATTERN["detail-type"][0], "Detail": detail}
        assert self._aws("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def deliver(self, job: dict[str, Any], *, said: dict[str, Any] | None = None) -> None:
        """Call the function with the event of this state, while SageMaker describes the job as `said`."""
        self._jobs[job["TrainingJobName"]] = said or job
        event, deadline = json.dumps(event_of(job)).encode(), time.monotonic() + HANGS_SECONDS
        while self._invoke(event) is not None:  # EventBridge repeats the event, too
            assert time.monotonic() < deadline

    def _invoke(self, event: bytes) -> str | None:
        answer = self._aws("lambda").invoke(FunctionName=CAPTURE.name(self._stage), Payload=event)
        error: str | None = answer.get("FunctionError")
        return error


@contextmanager
def sagemaker_of(checkout: Checkout, stage: Stage) -> Iterator[SageMaker]:
    """The emulator has no SageMaker: another server describes jobs, and events have a source of ours.

    Only AWS itself sends events of the source `aws.sagemaker`.
    """
    functions, events, name = checkout.aws("lambda"), checkout.aws("events"), CAPTURE.name(stage)
    (rule,) = [each for each in events.list_rules()["Rules"] if "sagemaker" in each.get("EventPattern", "")]
    assert json.loads(rule["EventPattern"]) == PATTERN
    jobs: dict[str, dict[str, Any]] = {}
    with serving(jobs) as endpoint:
        known = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        variables = known | {"AWS_ENDPOINT_URL_SAGEMAKER": endpoint}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        events.put_rule(Name=rule["Name"], EventPattern=json.dumps({**PATTERN, "source": ["rehearsal"]}))
        yield SageMaker(checkout, stage, jobs)
