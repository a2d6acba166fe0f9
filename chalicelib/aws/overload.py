"""Which failures of AWS pass by themselves: the table, the bucket or the parameter store is overloaded or away."""

from __future__ import annotations

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from pynamodb.exceptions import PutError, PynamoDBException

from chalicelib.errors import Unavailable

# Each client has tried again several times before one of these comes out of it.
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
    """Whether the same request may well succeed in a moment."""
    if isinstance(error, Unavailable):
        return True
    if isinstance(error, PynamoDBException):
        # Without a cause: a batch of which the table took only a part, time and again.
        return is_overload(error.cause) if error.cause else isinstance(error, PutError)
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"].get("Code") in _CODES or status >= _SERVER_ERROR
    # No answer came: the connection failed, or time ran out.
    return isinstance(error, HTTPClientError | NoConnection)
