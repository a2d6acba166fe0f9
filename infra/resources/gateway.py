"""The API Gateway of a stage: its URL, and the answers that it gives without calling a function.

By default it answers 403 `{"message": "Missing Authentication Token"}` to an unknown route, echoes an Authorization
header that it cannot parse, and sends no CORS headers. Chalice imports the API again at each deployment, which removes
these settings, so set them after each deployment.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_apigateway import APIGatewayClient
    from types_boto3_apigateway.literals import GatewayResponseTypeType

    from infra.stage import Stage

API_STAGE = "api"  # the name in .chalice/config.json

# Type: status (None: unchanged), code, message, seconds until a retry. None of them echoes the request.
_ANSWERS: dict[GatewayResponseTypeType, tuple[int | None, str, str, int | None]] = {
    "MISSING_AUTHENTICATION_TOKEN": (404, "NOT_FOUND", "There is no such route", None),
    "INVALID_SIGNATURE": (404, "NOT_FOUND", "There is no such route", None),
    "RESOURCE_NOT_FOUND": (404, "NOT_FOUND", "There is no such route", None),
    "REQUEST_TOO_LARGE": (413, "PAYLOAD_TOO_LARGE", "The body is larger than the API takes", None),
    "UNSUPPORTED_MEDIA_TYPE": (422, "INVALID_PAYLOAD", "The API takes JSON", None),
    "THROTTLED": (429, "TOO_MANY_REQUESTS", "Too many requests at once; try again shortly", 1),
    "QUOTA_EXCEEDED": (429, "TOO_MANY_REQUESTS", "Too many requests; try again later", 60),
    "INTEGRATION_TIMEOUT": (503, "UNAVAILABLE", "The server took too long; try again shortly", 1),
    "INTEGRATION_FAILURE": (503, "UNAVAILABLE", "The server did not answer; try again shortly", 1),
    "DEFAULT_4XX": (None, "INVALID_PAYLOAD", "The API refuses this request", None),
    "DEFAULT_5XX": (None, "SERVER_ERROR", "Something went wrong before the server was asked", None),
}


def converge_answers(gateway: APIGatewayClient, api_id: str, cors_origins: Sequence[str]) -> list[str]:
    """Give the gateway's own answers our error form and CORS headers."""
    for kind, (status, code, message, retry_after) in _ANSWERS.items():
        headers = _headers(cors_origins, retry_after)
        details = {"details": {"kind": "route"}} if code == "NOT_FOUND" else {}
        body = {"application/json": json.dumps({"code": code, "message": message, **details})}
        parameters = {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()}
        given = {} if status is None else {"statusCode": str(status)}
        gateway.put_gateway_response(
            restApiId=api_id, responseType=kind, responseParameters=parameters, responseTemplates=body, **given
        )
    gateway.create_deployment(restApiId=api_id, stageName=API_STAGE)
    return [f"api {api_id}: answers errors in our form"]


def inspect_answers(gateway: APIGatewayClient, api_id: str) -> list[str]:
    """The gateway's own answers that are not in our error form, a line each."""
    found = gateway.get_gateway_responses(restApiId=api_id, limit=500)["items"]
    templates = {each["responseType"]: each.get("responseTemplates", {}).get("application/json", "") for each in found}
    wrong = [kind for kind, (_, code, _, _) in _ANSWERS.items() if f'"{code}"' not in templates.get(kind, "")]
    return [f"the answers {', '.join(wrong)} of the gateway are not in our form"] if wrong else []


def url_of(api_id: str, stage: Stage) -> str:
    """The URL of the API. An emulator, which AWS_ENDPOINT_URL names, serves it below its own address."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return f"{endpoint.rstrip('/')}/_aws/execute-api/{api_id}/{API_STAGE}"
    suffix = "amazonaws.com.cn" if stage.partition == "aws-cn" else "amazonaws.com"
    return f"https://{api_id}.execute-api.{stage.region}.{suffix}/{API_STAGE}"


def _headers(cors_origins: Sequence[str], retry_after: int | None) -> dict[str, str]:
    """A fixed header can name one origin only. These answers contain no user's data, so several origins become `*`."""
    origin = cors_origins[0] if len(cors_origins) == 1 else "*"
    cors = {"Access-Control-Allow-Origin": origin} if cors_origins else {}
    return cors if retry_after is None else {**cors, "Retry-After": str(retry_after)}
