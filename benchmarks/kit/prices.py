"""AWS's prices in us-east-1, on demand, without the free tier. In US dollars.

List prices since November 2024, when DynamoDB's on-demand units became half as dear; compared with copies of the price
lists on 2026-11-23. Sources: aws.amazon.com/dynamodb/pricing/on-demand, aws.amazon.com/lambda/pricing (arm64),
aws.amazon.com/api-gateway/pricing (REST), aws.amazon.com/cloudwatch/pricing (logs).
"""

from __future__ import annotations

from dataclasses import dataclass

API_REQUEST = 3.50 / 1e6
LAMBDA_REQUEST = 0.20 / 1e6
LAMBDA_GB_SECOND = 0.0000133334
WRITE_UNIT = 0.625 / 1e6
READ_UNIT = 0.125 / 1e6
LOG_BYTE = 0.50 / 1e9

MEMORY_GB = 1.0
# A function gets CPU in proportion to its memory, one whole vCPU at 1,769 MB.
VCPU = 1024 / 1769


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The usage of a number of requests: seconds are the billed durations of the function in total."""

    requests: float
    seconds: float
    write_units: float
    read_units: float
    log_bytes: float = 0


def dollars(usage: Usage) -> dict[str, float]:
    """The cost by charged item; the bill is their sum."""
    return {
        "api": usage.requests * API_REQUEST,
        "lambda": usage.requests * LAMBDA_REQUEST + usage.seconds * MEMORY_GB * LAMBDA_GB_SECOND,
        "writes": usage.write_units * WRITE_UNIT,
        "reads": usage.read_units * READ_UNIT,
        "logs": usage.log_bytes * LOG_BYTE,
    }
