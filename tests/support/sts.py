"""A stand-in for AWS STS that checks signatures of version 4 with botocore, and knows a few keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from chalicelib.aws import sts
from deardiary.keyless import Keys
from tests.support.server import StsConnection

ACCOUNT = "123456789012"
_SCOPE_REGION = 2  # AKID/date/region/sts/aws4_request
_ANSWER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult><Arn>{arn}</Arn><UserId>AROAEXAMPLE:job-1</UserId><Account>{account}</Account>
  </GetCallerIdentityResult></GetCallerIdentityResponse>"""
_REFUSED = b"<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>"


def signature(host: str, headers: Mapping[str, str], body: str, keys: Keys) -> str:
    """The Authorization that botocore gives to this request at the time of its X-Amz-Date."""
    scope = headers["authorization"].split("Credential=")[1].split("/")
    unsigned = {name: value for name, value in headers.items() if name.lower() not in ("authorization", "host")}
    request = AWSRequest("POST", f"https://{host}/", headers=unsigned, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    auth: Any = SigV4Auth(Credentials(keys.access, keys.secret, keys.token), "sts", scope[_SCOPE_REGION])
    found = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    names = auth.signed_headers(auth.headers_to_sign(request))
    credential = f"Credential={auth.scope(request)}"
    return f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={found}"


class FakeSts:
    """Its `connect` takes the place of that of `chalicelib.aws.sts`. `callers` has the ARN of each key."""

    def __init__(self) -> None:
        self.callers: dict[Keys, str] = {}
        self.sent: list[tuple[str, dict[str, str]]] = []

    def keys(self, arn: str) -> Keys:
        """New credentials of this caller."""
        made = Keys(f"ASIAEXAMPLE{len(self.callers):09}", f"secret-{len(self.callers)}", "session/token+1==")
        self.callers[made] = arn
        return made

    def role(self, name: str, account: str = ACCOUNT, session: str = "job-1") -> Keys:
        return self.keys(f"arn:aws:sts::{account}:assumed-role/{name}/{session}")

    def connect(self, host: str) -> StsConnection:
        return StsConnection(host, self.send)

    def send(self, host: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        self.sent.append((host, dict(headers)))
        for keys, arn in self.callers.items():
            if headers["authorization"] == signature(host, headers, sts.BODY, keys):
                return 200, _ANSWER.format(arn=arn, account=arn.split(":")[4]).encode()
        return 403, _REFUSED
