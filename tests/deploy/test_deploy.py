"""The rehearsal: `make deploy` into an empty account with IAM enforced, then the actions of its users and its owner.

The tests are in the order of a stage's life, and share it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
import requests
from botocore.exceptions import ClientError as AwsError

import deardiary
from chalicelib import ids
from chalicelib.artifacts import Location
from chalicelib.storage.table import keys
from deardiary.keyless import Keys, signed
from infra.dashboard import build
from infra.resources.policy import API, CAPTURE, UPKEEP
from infra.stage import Stage
from tests.deploy.asking import ask_all
from tests.deploy.rehearsal import Checkout, Deployed, Deployment, found
from tests.deploy.training import Container, credentials_endpoint, sagemaker_of
from tests.support.live import HANGS_SECONDS
from tests.support.receiver import Receiver, receiving
from tests.support.sagemaker import training_job
from tests.support.server import environment

T = TypeVar("T")

ACCOUNT, REGION = "000000000000", "us-east-1"
DEV = Stage("dev", ACCOUNT, REGION)


def test_deploy_prints_url_and_password_and_no_file_holds_the_password(deployment: Deployment) -> None:
    *_, healthy, url, admin, password, sign_in = deployment.printed.splitlines()
    assert sign_in == f"sign in: deardiary login {deployment.url}"
    assert [healthy.split(":")[0], url.split(":")[0], admin] == ["healthy", "url", "admin admin: created"]
    secret = password.split()[1]
    files = [path for path in (deployment.checkout.folder / ".chalice").rglob("*.json") if path.is_file()]
    assert {"config.json", "dev.json", "policy-dev.json", "policy-dev-upkeep.json"} <= {path.name for path in files}
    assert not any(secret in path.read_text() or "signing" in path.read_text() for path in files)


def test_a_run_through_gateway_and_function(deployment: Deployment, tmp_path: Path) -> None:
    client = deployment.server.client()
    (tmp_path / "model.pkl").write_bytes(b"weights" * 100_000)
    with deardiary.start("Iris", "first", parameters={"lr": 0.1}, client=client) as run:
        for step in range(5):
            run.log({"loss": 1 / (step + 1)})
        resource = run.log_resource(tmp_path / "model.pkl")
    assert [point.value for point in client.metrics.list(run.id)] == [1.0, 0.5, 1 / 3, 0.25, 0.2]
    copy = client.resources.download(resource.id, tmp_path / "copy")
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == resource.content_hash
    assert client.iterations.get(run.id).status_id == deardiary.IterationStatus.SUCCEEDED


def test_every_route_works_with_the_rights_of_its_function(deployment: Deployment) -> None:
    # This stage serves no `/artifacts`; the test signs their URLs with its secret.
    with environment(deployment.checkout.account() | DEV.settings()):
        got = ask_all(deployment.server)
    assert got == {route: got[route] if got[route] in (200, 201, 204, 302) else "2xx" for route in got}


def test_the_dashboard_is_in_the_package_and_signs_in(deployment: Deployment) -> None:
    if build.built_hash() is None:
        pytest.skip("The dashboard is not built: `make dashboard` says why")
    origin, site = "://".join(urlsplit(deployment.url)[:2]), deployment.url
    with requests.Session() as browser:
        root = browser.get(f"{deployment.url}/", timeout=60, allow_redirects=False)
        assert (root.status_code, root.headers["location"]) == (302, f"{site}/ui")
        page = browser.get(f"{deployment.url}/ui", timeout=60).text
        assert f'data-site="{site}" data-sign-in="required"' in page
        for url in re.findall(rf'"{re.escape(site)}(/ui/[^"]+)"', page):
            asset = browser.get(deployment.url + url, timeout=60)
            assert asset.headers["cache-control"].endswith(("immutable", "no-cache")), url
        headers = {"Sec-Fetch-Site": "same-origin"}
        username, password = "admin", found(r"password: (\S+)", deployment.printed)
        body = {"username": username, "password": password}
        answer = browser.post(f"{deployment.url}/auth/session", json=body, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        cookie = answer.headers["set-cookie"].partition(";")[0]
        me = browser.get(f"{deployment.url}/auth/me", headers=headers | {"Cookie": cookie}, timeout=60)
        assert me.json()["username"] == username
    (rule,) = deployment.checkout.aws("s3").get_bucket_cors(Bucket=DEV.bucket)["CORSRules"]
    assert rule["AllowedOrigins"] == [origin]


def test_an_unknown_route_gets_an_error_of_our_form(deployment: Deployment) -> None:
    for headers in ({}, {"Authorization": "Bearer secret"}):
        answer = requests.get(f"{deployment.url}/nothing/here", headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        assert answer.json()["details"] == {"kind": "route"}
        assert "secret" not in answer.text


def denied(call: Any, **arguments: Any) -> str:
    """Match AWS's refusal of this action."""
    with pytest.raises(AwsError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_the_role_of_the_api_reaches_only_its_own_resources(deployment: Deployment) -> None:
    owner, role = deployment.checkout.aws, deployment.checkout.as_role(f"deardiary-dev-{API.handler}")
    key = {"PK": {"S": "USERS"}, "SK": {"S": "ADMINS"}}
    owner("s3").create_bucket(Bucket="another")
    for bucket, name in (("another", "projects/x"), (DEV.bucket, "backups/x"), (DEV.bucket, "projects/x")):
        owner("s3").put_object(Bucket=bucket, Key=name, Body=b"x")
    owner("ssm").put_parameter(Name="/deardiary/other/jwt-secret", Value="x", Type="SecureString")
    table, s3, ssm = (deployment.checkout.aws(name, role) for name in ("dynamodb", "s3", "ssm"))
    # Check the allowed actions first: a role that can do nothing would pass the refusals below.
    assert "Item" in table.get_item(TableName=DEV.table, Key=key)
    assert s3.get_object(Bucket=DEV.bucket, Key="projects/x")["Body"].read() == b"x"
    assert "signing" in ssm.get_parameter(Name=DEV.secret_parameter, WithDecryption=True)["Parameter"]["Value"]
    refusals = [
        denied(table.scan, TableName=DEV.table),
        denied(table.describe_table, TableName=DEV.table),
        denied(table.update_table, TableName=DEV.table, DeletionProtectionEnabled=False),
        denied(table.delete_table, TableName=DEV.table),
        denied(table.list_tables),
        denied(table.get_item, TableName="deardiary-prod", Key=key),
        denied(table.query, TableName=f"{DEV.table}-2", KeyConditions={}),
        denied(s3.get_object, Bucket="another", Key="projects/x"),
        denied(s3.put_object, Bucket="another", Key="projects/x", Body=b""),
        denied(s3.get_object, Bucket=DEV.bucket, Key="backups/x"),
        denied(s3.delete_object, Bucket=DEV.bucket, Key="backups/x"),
        denied(s3.list_objects_v2, Bucket=DEV.bucket),
        denied(s3.delete_bucket_policy, Bucket=DEV.bucket),
        denied(s3.list_buckets),
        denied(ssm.get_parameter, Name="/deardiary/other/jwt-secret", WithDecryption=True),
        denied(ssm.put_parameter, Name=DEV.secret_parameter, Value="mine", Overwrite=True),
        denied(ssm.get_parameters_by_path, Path="/deardiary", Recursive=True),
    ]
    assert set(refusals) <= {"AccessDenied", "AccessDeniedException"}


def test_the_role_of_upkeep_reads_only_bytes_without_a_hash_and_no_secret(deployment: Deployment) -> None:
    """It finishes uploads of clients that have gone: S3 hashes the staged bytes, which requires the right to read."""
    owner, role = deployment.checkout.aws, deployment.checkout.as_role(f"deardiary-dev-{UPKEEP.handler}")
    project_id = ids.new_id()
    staged, hashed = Location(project_id, ids.new_id()).path, Location(project_id, "0" * 64).path
    for name in (staged, hashed):
        owner("s3").put_object(Bucket=DEV.bucket, Key=name, Body=b"x")
    table, s3, ssm = (deployment.checkout.aws(name, role) for name in ("dynamodb", "s3", "ssm"))
    assert "Items" in table.query(
        TableName=DEV.table, KeyConditionExpression="PK = :p", ExpressionAttributeValues={":p": {"S": "USERS"}}
    )
    copied = s3.copy_object(Bucket=DEV.bucket, Key=hashed, CopySource={"Bucket": DEV.bucket, "Key": staged})
    assert "CopyObjectResult" in copied
    refusals = [
        denied(table.scan, TableName=DEV.table),
        *(denied(s3.get_object, Bucket=DEV.bucket, Key=name) for name in (hashed, "projects/x", "backups/x")),
        denied(s3.head_object, Bucket=DEV.bucket, Key=hashed),
        denied(s3.copy_object, Bucket=DEV.bucket, Key=staged, CopySource={"Bucket": DEV.bucket, "Key": hashed}),
        denied(s3.put_object, Bucket=DEV.bucket, Key="backups/x", Body=b""),
        denied(ssm.get_parameter, Name=DEV.secret_parameter, WithDecryption=True),
    ]
    # The answer to HEAD has no body, so its code is the status.
    assert set(refusals) <= {"AccessDenied", "AccessDeniedException", "403"}


def test_upkeep_works_with_the_rights_of_its_function(deployment: Deployment) -> None:
    run_upkeep(deployment)


def run_upkeep(deployment: Deployment) -> None:
    names = ("version", "id", "account", "region", "detail", "detail-type", "source", "time", "resources")
    event = dict.fromkeys(names, "")
    answer = deployment.checkout.aws("lambda").invoke(FunctionName=UPKEEP.name(DEV), Payload=json.dumps(event).encode())
    assert (answer["StatusCode"], answer.get("FunctionError")) == (200, None)


def test_the_doctor_finds_the_stage_healthy_and_names_a_fault(deployment: Deployment) -> None:
    checkout = deployment.checkout
    said = checkout.infra("doctor", "--stage", "dev")
    assert [line for line in said.splitlines() if not line.startswith("ok ")] == [], said
    logs = {"logGroupName": "/aws/lambda/deardiary-dev"}
    checkout.aws("logs").put_retention_policy(**logs, retentionInDays=1)
    found = json.loads(checkout.infra("doctor", "--stage", "dev", "--json", status=1).partition("\n")[0])
    assert {each["check"]: each["todo"] for each in found if not each["ok"]} == {
        "logs": ".venv/bin/python -m infra up --stage dev"
    }
    checkout.infra("up", "--stage", "dev")
    checkout.infra("doctor", "--stage", "dev")


def test_an_upgrade_loses_nothing_of_a_client_that_logs_all_the_while(deployment: Deployment) -> None:
    client = deployment.server.client()
    source = deployment.checkout.folder / "chalicelib" / "routes" / "openapi.py"
    source.write_text(source.read_text().replace("Experiment tracking in", "Experiments kept in"))
    # On a machine without earlier deployments, the account knows the existing stage.
    (deployment.checkout.folder / ".chalice" / "deployed" / "dev.json").unlink()
    # The rehearsal of the capture, below, needs a deployment too.
    project = client.projects.create("Captured")
    with logging_all_the_while(client) as logged:
        printed = deployment.checkout.infra("deploy", "--stage", "dev", "--capture-sagemaker", project.id)
    assert found(r"\nurl: (\S+)", printed) == deployment.url
    assert "password" not in printed
    described = requests.get(f"{deployment.url}/openapi.json", timeout=30).json()["info"]["description"]
    assert described.startswith("Experiments kept in")
    run, count = logged
    assert len(count) > 10
    assert [point.value for point in client.metrics.list(run.id)] == [float(number) for number in count]


@contextmanager
def logging_all_the_while(client: deardiary.Client) -> Iterator[tuple[Any, list[int]]]:
    """A run that logs 0, 1, 2 … from a thread until the block ends; yield the logged values."""
    stop, count = threading.Event(), list[int]()
    with deardiary.start("Iris", "upgrade", client=client) as run:

        def log() -> None:
            while not stop.wait(0.02):
                run.log({"n": float(len(count))})
                count.append(len(count))

        thread = threading.Thread(target=log)
        thread.start()
        try:
            yield run, count
        finally:
            stop.set()
            thread.join()


def test_a_job_with_only_a_role_logs_is_captured_fails_mails_and_costs(deployment: Deployment, tmp_path: Path) -> None:
    """The whole chain. One script raises an error, the other is killed and says nothing: SageMaker tells its end."""
    client, checkout = deployment.server.client(), deployment.checkout
    (project,) = client.projects.list(name="Captured")
    with (
        receiving() as webhook,
        alerted(checkout, f"http://{webhook.host}/hook") as mails,
        sagemaker_of(checkout, DEV) as sagemaker,
        credentials_endpoint(role_of_jobs(deployment, project.id)) as role,
    ):
        # The first is captured before it logs, the second afterwards.
        sagemaker.emit(training_job(RAISES, minutes=1))
        until(lambda: list(client.iterations.list(project=project.id)))
        raises, dies = (Container(tmp_path / job, job, deployment.url, role) for job in (RAISES, DIES))
        ids = [raises.iteration_id(), dies.iteration_id()]
        sagemaker.emit(training_job(DIES, minutes=2))
        reasons = [f"AlgorithmError: {raises.fail()}", "AlgorithmError: , exit code: 137"]
        dies.kill()
        ends = [training_job(RAISES, end="Failed", FailureReason=reasons[0])]
        ends += [training_job(DIES, end="Failed", FailureReason=reasons[1], BillableTimeInSeconds=7)]
        for job in ends:
            sagemaker.emit(job)
        ended = until(lambda: rows(client, project.id, 'metrics.cost_usd > 0 and status = "FAILED"', at_least=2))
        for job in ends:
            sagemaker.deliver(job)
            sagemaker.deliver(training_job(job["TrainingJobName"], minutes=3))
            sagemaker.deliver(training_job(job["TrainingJobName"]), said=job)
        unanswered = left_in_outbox(checkout)
        # Its alerts come after all others.
        with pytest.raises(ZeroDivisionError), deardiary.start("Iris", "after", client=client) as last:
            _ = 1 / 0
        mailed, posted = told(deployment, [*ids, last.id], mails, webhook)
    assert rows(client, project.id) == ended
    assert [each.id for each in ended] == ids  # the dearest first, and one for each job
    assert [each.metrics["cost_usd"].last for each in ended] == [0.0115, 0.000894]
    for row, reason, error in zip(ended, reasons, ["ValueError: no data", reasons[1]], strict=True):
        check_logged_and_captured(client, row, reason)
        assert row.error_message.splitlines()[-1] == error
        link = f"{deployment.url}/ui#/iterations/{row.id}"
        texts = [each.strip('"') for each in mailed if row.id in each]
        assert set(texts) == {f"{row.name} (Captured / nightly) failed: {error} {link}"}
        hooks = [each for each in posted if each["iteration"]["id"] == row.id]
        assert {(each["event"], each["iteration"]["error"]) for each in hooks} == {("failed", error)}
        assert len({each["id"] for each in hooks}) == 1
        assert len(hooks) == len(texts) == 1 or row.id in unanswered


RAISES, DIES = "digits-2026-11-01-12-00-00-123", "digits-2026-11-01-12-30-00-456"


def role_of_jobs(deployment: Deployment, project_id: str) -> Keys:
    """The credentials of a role that the project allows. Roles of another name, or of another account, are refused."""
    server, other_account = deployment.server, "111111111111"
    server.client().identities.create(f"arn:aws:iam::{ACCOUNT}:role/train-*", project_id)
    for name, account in (("other", ACCOUNT), ("train-nightly", other_account)):
        body = signed(server.role_keys(name, account), deployment.url, REGION, datetime.now(timezone.utc))
        answer = server.call("POST", "/auth/aws", body, token=None)
        assert answer.error == (403, "PROJECT_PERMISSION_REQUIRED")
        assert answer.body["details"]["arn"] == f"arn:aws:iam::{account}:role/{name}"
    return server.role_keys("train-nightly")


def check_logged_and_captured(client: deardiary.Client, row: Any, reason: str) -> None:
    """What the script has logged, and what SageMaker has said, are in one iteration."""
    assert row.status_id == deardiary.IterationStatus.FAILED
    assert client.users.get(str(row.created_by)).username == f"role/train-nightly@{ACCOUNT}"
    assert row.metrics["loss"].count == 5
    (file,) = client.resources.list(row.experiment_id, iteration_id=row.id)
    assert (file.name, file.content_hash) == ("weights.bin", hashlib.sha256(b"weights" * 1000).hexdigest())
    assert row.parameters["optimizer"] == "adam"
    assert row.labels["sagemaker_failure_reason"] == reason
    assert row.labels["sagemaker_price"] == f"USD an hour: 2 x ml.m5.xlarge 0.23, {LISTED}"


LISTED = "list price of 2026-09-01, us-east-1"


def rows(client: deardiary.Client, project_id: str, where: str | None = None, at_least: int = 0) -> list[Any]:
    """The iterations of all experiments, the dearest first; none while there are fewer."""
    listed = list(
        client.iterations.list(
            project=project_id,
            filter=where,
            order_by="metrics.cost_usd desc",
            include=["parameters", "metrics", "labels"],
        )
    )
    return listed if len(listed) >= at_least else []


@contextmanager
def alerted(checkout: Checkout, webhook: str) -> Iterator[Callable[[], list[str]]]:
    """A mail subscription and a webhook. The queue stands in for the mailbox: the emulator sends no mail."""
    arguments = ("alerts", "--stage", "dev")
    said = checkout.infra(*arguments, "--email", "a@example.org", "--webhook", "-", "--on", "failed", stdin=webhook)
    assert "mail to a@example.org: subscribed" in said
    assert "nothing to change" in checkout.infra(*arguments)
    (topic,) = checkout.aws("sns").list_topics()["Topics"]
    sqs = checkout.aws("sqs")
    url = sqs.create_queue(QueueName="mails")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    who, action = {"Service": "sns.amazonaws.com"}, "sqs:SendMessage"
    statement = {"Effect": "Allow", "Principal": who, "Action": action, "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    checkout.aws("sns").subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=arn)
    yield partial(received, sqs, url)


def received(sqs: Any, url: str) -> list[str]:
    """Empty the queue; wait a second for the first message."""
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
    for each in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return [json.loads(each["Body"])["Message"] for each in messages]


def left_in_outbox(checkout: Checkout) -> set[str]:
    """The ids of iterations whose event EventBridge has not confirmed in two seconds. It can come twice."""
    values = {":outbox": {"S": keys.OUTBOX}}
    found_now = checkout.aws("dynamodb").query(
        TableName=DEV.table, KeyConditionExpression="PK = :outbox", ExpressionAttributeValues=values
    )
    return {json.loads(each["detail"]["S"])["iteration"]["id"] for each in found_now["Items"]}


def told(
    deployment: Deployment, iteration_ids: list[str], mails: Callable[[], list[str]], webhook: Receiver
) -> tuple[list[str], list[Any]]:
    """The mails, and the bodies of the webhook, up to those of all these iterations. The upkeep runs meanwhile."""
    mailed: list[str] = []
    posted: list[Any] = []
    deadline = time.monotonic() + HANGS_SECONDS
    while not all(each in "".join(mailed) and each in json.dumps(posted) for each in iteration_ids):
        assert time.monotonic() < deadline, (mailed, posted)
        run_upkeep(deployment)
        mailed += mails()
        posted += [each.body for each in webhook.take_all()]
    return mailed, posted


def until(look: Callable[[], list[T]]) -> list[T]:
    """What is there at last: the emulator runs the function after its answer to the event."""
    deadline = time.monotonic() + HANGS_SECONDS
    while not (found_now := look()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found_now


def test_the_role_of_the_capture_reads_only_the_table(deployment: Deployment) -> None:
    role = deployment.checkout.as_role(f"deardiary-dev-{CAPTURE.handler}")
    table, s3, ssm = (deployment.checkout.aws(name, role) for name in ("dynamodb", "s3", "ssm"))
    key = {"PK": {"S": "USERS"}, "SK": {"S": "ADMINS"}}
    assert "Item" in table.get_item(TableName=DEV.table, Key=key)
    refusals = [
        denied(table.scan, TableName=DEV.table),
        denied(s3.get_object, Bucket=DEV.bucket, Key="projects/x"),
        denied(s3.delete_object, Bucket=DEV.bucket, Key="projects/x"),
        denied(ssm.get_parameter, Name=DEV.secret_parameter, WithDecryption=True),
    ]
    assert set(refusals) <= {"AccessDenied", "AccessDeniedException"}


def test_tokens_outlive_a_new_secret(deployment: Deployment) -> None:
    before = deployment.server.token()
    assert "still verifies" in deployment.checkout.infra("rotate", "--stage", "dev")
    assert deployment.server.call("GET", "/auth/me", token=before).status == 200
    chosen = "another good password"
    deployment.checkout.infra("admin", "--stage", "dev", "--admin-password-stdin", stdin=f"{chosen}\n")
    assert deployment.server.call("GET", "/auth/me", token=before).error == (401, "TOKEN_INVALID")
    with Deployed(deployment.url, chosen).client() as client:
        assert client.whoami().username == "admin"


def test_the_stage_goes_when_its_name_is_typed_and_its_data_stays(deployment: Deployment) -> None:
    checkout = deployment.checkout
    assert "nothing was deleted" in checkout.infra("down", "--stage", "dev", stdin="no\n", status=1)
    said = checkout.infra("down", "--stage", "dev", stdin="dev\n")
    assert "kept: table deardiary-dev" in said
    assert checkout.aws("lambda").list_functions()["Functions"] == []
    assert checkout.aws("apigateway").get_rest_apis()["items"] == []
    roles = [role["RoleName"] for role in checkout.aws("iam").list_roles()["Roles"]]
    assert not [name for name in roles if name.startswith("deardiary-") and not name.endswith("-twin")]
    assert checkout.aws("sns").list_topics()["Topics"] == []
    assert checkout.aws("events").list_rules()["Rules"] == []
    assert checkout.aws("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert checkout.aws("dynamodb").describe_table(TableName=DEV.table)["Table"]["ItemCount"] > 0
    checkout.infra("down", "--stage", "dev", "--yes", "--delete-data")
    assert checkout.aws("dynamodb").list_tables()["TableNames"] == []
    assert json.loads((checkout.folder / ".chalice" / "config.json").read_text())["stages"]["dev"]
