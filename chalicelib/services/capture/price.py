"""The price of a training job: its billable seconds by a list of prices, which has a date."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_FILE = Path(__file__).with_name("prices.json")
_SECONDS_PER_HOUR = 3600


class Price(NamedTuple):
    """US dollars for an hour of all instances, None if that is unknown, and what the number is or why there is none."""

    usd_per_hour: float | None
    source: str


def price_of(instances: Iterable[tuple[str, int]], region: str) -> Price:
    """The price of instances of these types and numbers."""
    prices = _prices()
    listed = f"list price of {prices['date']}, {prices['region']}"
    counts = list(instances)
    unknown = sorted({kind for kind, _ in counts if kind not in prices["usd_per_hour"]})
    if unknown or not counts:
        return Price(None, f"unknown: {', '.join(unknown) or 'the instances'} not in the {listed}")
    total = sum(prices["usd_per_hour"][kind] * count for kind, count in counts)
    each = " + ".join(f"{count} x {kind} {prices['usd_per_hour'][kind]:g}" for kind, count in counts)
    differs = "" if region == prices["region"] else f"; prices of {region} differ"
    return Price(total, f"USD an hour: {each}, {listed}{differs}")


def cost_usd(usd_per_hour: float, seconds: int) -> float:
    return round(usd_per_hour * seconds / _SECONDS_PER_HOUR, 6)


@cache
def _prices() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_FILE.read_text())
    return found
