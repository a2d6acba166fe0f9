"""A token from AWS Secrets Manager, for environments where the token itself would be too long or visible."""

import json
from typing import Any

from deardiary import settings
from deardiary.errors import ClientError

_STATUS = {"ResourceNotFoundException": 404, "AccessDeniedException": 403, "UnrecognizedClientException": 403}


def read_token(name: str) -> str:
    """The token in the secret of that name or ARN: all of it, or the field ``token`` of a JSON object.

    boto3's default AWS credentials read it, such as a job's role. ClientError 403 or 404 as AWS answers, 0 if AWS
    cannot be reached, 422 if the secret holds no token, 403 without boto3.
    """
    return _token_in(name, _fetch(name))


def _fetch(name: str) -> str:
    try:
        import boto3
        import botocore.exceptions
        from botocore.config import Config
    except ImportError:
        message = "DEARDIARY_TOKEN_SECRET needs boto3: pip install boto3"
        raise ClientError(403, "SECRET_UNREADABLE", message) from None
    # Without a network, as in an isolated job, boto3's defaults would retry for minutes.
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    try:
        secrets: Any = boto3.client(
            "secretsmanager", region_name=_region_of(name) or settings.aws_region(), config=config
        )
        return str(secrets.get_secret_value(SecretId=name).get("SecretString", ""))
    except botocore.exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        message = f"The secret {name} cannot be read ({code}); may this role call secretsmanager:GetSecretValue on it?"
        raise ClientError(_STATUS.get(code, 0), "SECRET_UNREADABLE", message) from error
    except botocore.exceptions.BotoCoreError as error:
        raise ClientError(0, "SECRET_UNREADABLE", f"The secret {name} cannot be read: {error}") from error


def _region_of(name: str) -> str | None:
    parts = name.split(":")
    return parts[3] if parts[0] == "arn" and len(parts) > len(("arn", "aws", "secretsmanager", "region")) else None


def _token_in(name: str, text: str) -> str:
    token: object = text.strip()
    if text.lstrip().startswith("{"):
        try:
            token = json.loads(text).get("token")
        except ValueError:
            token = None
    if not isinstance(token, str) or not token:
        raise ClientError(422, "SECRET_INVALID", f'The secret {name} is neither a token nor {{"token": "…"}}')
    return token
