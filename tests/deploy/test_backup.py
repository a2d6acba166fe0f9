"""A backup of the deployed stage becomes a stage in another region."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import requests

import deardiary
from infra.stage import Stage
from tests.deploy.rehearsal import Checkout, Deployed, Deployment, found

STANDBY = Stage("standby", "000000000000", "eu-west-1")
DOMAIN = "diary.example.org"
CERTIFICATE = "arn:aws:acm:eu-west-1:000000000000:certificate/1a2b"
BACKUP = "s3://backups-of-dev/daily"


def test_a_backup_becomes_a_stage_in_another_region(deployment: Deployment, tmp_path: Path) -> None:
    here = deployment.checkout
    there = replace(here, region=STANDBY.region)
    client = deployment.server.client()
    (tmp_path / "model.pkl").write_bytes(b"weights" * 1000)
    with deardiary.start("Safe", "first", parameters={"lr": 0.1}, client=client) as run:
        run.log({"loss": 0.5})
        resource = run.log_resource(tmp_path / "model.pkl")
    here.aws("s3").create_bucket(Bucket="backups-of-dev")
    here.infra("backup", "--stage", "dev", "--to", BACKUP)

    there.infra("restore", "--stage", "standby", "--from", BACKUP)
    there.infra("up", "--stage", "standby", "--add-stage")
    give_domain(there)
    acl = create_web_acl(there)
    printed = there.infra("deploy", "--stage", "standby", "--web-acl", acl)
    assert len(behind(there, acl)) == 1
    url = found(r"\nurl: (\S+)", printed)
    server = Deployed(url, found(r"password: (\S+)", deployment.printed))  # passwords are those of the backup
    copy = server.client()
    assert [point.value for point in copy.metrics.list(run.id)] == [0.5]
    assert copy.resources.download(resource.id, tmp_path / "copy").read_bytes() == b"weights" * 1000
    server.transport.close()
    assert f"sign in: deardiary login https://{DOMAIN}\n" in printed
    check_served_at_the_domain(there, found(r"password: (\S+)", deployment.printed))
    there.infra("doctor", "--stage", "standby")

    assert STANDBY.table in there.aws("dynamodb").list_tables()["TableNames"]
    assert STANDBY.table not in here.aws("dynamodb").list_tables()["TableNames"]
    there.infra("down", "--stage", "standby", "--yes", "--delete-data")
    assert there.aws("dynamodb").list_tables()["TableNames"] == []
    assert there.aws("apigateway").get_domain_names()["items"] == []
    assert behind(there, acl) == []


def create_web_acl(checkout: Checkout) -> str:
    seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "standby"}
    rules = {"DefaultAction": {"Allow": {}}, "VisibilityConfig": seen}
    made = checkout.aws("wafv2").create_web_acl(Name="standby", Scope="REGIONAL", **rules)
    return str(made["Summary"]["ARN"])


def behind(checkout: Checkout, acl: str) -> list[str]:
    """The ARNs of what the web ACL protects."""
    arns: list[str] = checkout.aws("wafv2").list_resources_for_web_acl(WebACLArn=acl)["ResourceArns"]
    return arns


def give_domain(checkout: Checkout) -> None:
    config = checkout.folder / ".chalice" / "config.json"
    settings = json.loads(config.read_text())
    domain = {"domain_name": DOMAIN, "certificate_arn": CERTIFICATE, "tls_version": "TLS_1_2"}
    settings["stages"]["standby"]["api_gateway_custom_domain"] = domain
    config.write_text(json.dumps(settings))


def check_served_at_the_domain(checkout: Checkout, password: str) -> None:
    """As API Gateway serves it: by the Host, without the name of a stage in the path."""
    at = {"Host": DOMAIN, "X-Forwarded-Proto": "https"}
    home = requests.get(checkout.endpoint, headers=at, allow_redirects=False, timeout=30)
    assert (home.status_code, home.headers["location"]) == (302, f"https://{DOMAIN}/ui")
    page = at | {"Origin": f"https://{DOMAIN}"}
    body = {"username": "admin", "password": password}
    signed_in = requests.post(f"{checkout.endpoint}/auth/session", json=body, headers=page, timeout=30)
    cookie, *attributes = signed_in.headers["set-cookie"].split("; ")
    assert cookie.startswith("__Host-deardiary=")
    assert {"Path=/", "Secure"} <= {*attributes}
    me = requests.get(f"{checkout.endpoint}/auth/me", headers=page | {"Cookie": cookie}, timeout=30)
    assert me.json()["username"] == "admin"
    (rule,) = checkout.aws("s3").get_bucket_cors(Bucket=STANDBY.bucket)["CORSRules"]
    assert f"https://{DOMAIN}" in rule["AllowedOrigins"]
