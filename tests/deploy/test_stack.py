"""The other way: `chalice package` and CloudFormation, with a stage of its own in the same account."""

from __future__ import annotations

import json

from infra.resources.policy import FUNCTIONS
from infra.stage import Stage
from tests.deploy.rehearsal import Deployed, Deployment, found

PROD = Stage("prod", "000000000000", "us-east-1")
PACKAGES = "packages-of-prod"


def test_a_stack_made_of_the_package_is_a_server(deployment: Deployment) -> None:
    checkout = deployment.checkout
    up = checkout.infra("up", "--stage", "prod")
    template = ".chalice/stack-prod.json"
    checkout.python("infra.package.packager", "package", "--stage", "prod", "--merge-template", template, "build/prod")
    outputs = deploy_stack(deployment)
    finished = checkout.infra("finish", "--stage", "prod", "--api-id", outputs["RestAPIId"])
    server = Deployed(found(r"\nurl: (\S+)", finished), found(r"password: (\S+)", up))
    client = server.client()
    assert client.projects.create("Iris").name == "Iris"
    server.transport.close()
    functions = {each["FunctionName"] for each in checkout.aws("lambda").list_functions()["Functions"]}
    assert {each.name(PROD) for each in FUNCTIONS} <= functions


def deploy_stack(deployment: Deployment) -> dict[str, str]:
    """`aws cloudformation package` and `deploy`, by the calls that they make; return the outputs of the stack."""
    s3, stacks = deployment.checkout.aws("s3"), deployment.checkout.aws("cloudformation")
    folder = deployment.checkout.folder / "build" / "prod"
    template = json.loads((folder / "sam.json").read_text())
    s3.create_bucket(Bucket=PACKAGES)
    s3.upload_file(str(folder / "deployment.zip"), PACKAGES, "deployment.zip")
    for each in template["Resources"].values():
        if each["Type"] == "AWS::Serverless::Function":
            each["Properties"]["CodeUri"] = f"s3://{PACKAGES}/deployment.zip"
    s3.put_object(Bucket=PACKAGES, Key="stack.json", Body=json.dumps(template).encode())
    stacks.create_stack(
        StackName="deardiary-prod",
        TemplateURL=f"{deployment.checkout.endpoint}/{PACKAGES}/stack.json",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    stacks.get_waiter("stack_create_complete").wait(StackName="deardiary-prod", WaiterConfig={"Delay": 1})
    (stack,) = stacks.describe_stacks(StackName="deardiary-prod")["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
