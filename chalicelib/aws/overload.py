"""Transient failures of AWS: the table, the bucket or the parameter store is overloaded or unreachable."""

from __future__ import annotations

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from pynamodb.exceptions import PutError, PynamoDBException

from chalicelib.errors import Unavailable

# Clients raise these only after several retries of their own.
_CODES = {
    "InternalServerError",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}
_SERVER_ERROR = 500


def is_overload(error: BaseException) -> bool:
    """True if the same request may succeed a moment later."""
    if isinstance(error, Unavailable):
        return True
    if isinstance(error, PynamoDBException):
        # A PutError without a cause: the table repeatedly accepted only a part of a batch.
        return is_overload(error.cause) if error.cause else isinstance(error, PutError)
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"].get("Code") in _CODES or status >= _SERVER_ERROR
    # No answer: the connection failed or timed out.
    return isinstance(error, HTTPClientError | NoConnection)
