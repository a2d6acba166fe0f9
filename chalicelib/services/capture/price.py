"""The price of a training job: its billable seconds by lists of prices, which have dates."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_name("prices.json")
_SECONDS_PER_HOUR = 3600


class Price(NamedTuple):
    """US dollars for an hour of all instances, None if that is unknown, and what the number is or why there is none."""

    usd_per_hour: float | None
    source: str


def price_of(instances: Iterable[tuple[str, int]], region: str) -> Price:
    """The price of instances of these types and numbers. Its date is the oldest of theirs."""
    listed, known = _listed()
    counts = list(instances)
    unknown = sorted({kind for kind, _ in counts if kind not in known})
    if unknown or not counts:
        return Price(None, f"unknown: {', '.join(unknown) or 'the instances'} not in the list of prices of {listed}")
    total = sum(known[kind].usd_per_hour * count for kind, count in counts)
    each = " + ".join(f"{count} x {kind} {known[kind].usd_per_hour}" for kind, count in counts)
    date = min(known[kind].date for kind, _ in counts)
    differs = "" if region == listed else f"; prices of {region} differ"
    return Price(total, f"USD an hour: {each}, list price of {date}, {listed}{differs}")


def cost_usd(usd_per_hour: float, seconds: int) -> float:
    return round(usd_per_hour * seconds / _SECONDS_PER_HOUR, 6)


class _ListPrice(NamedTuple):
    usd_per_hour: float
    date: str


@cache
def _listed() -> tuple[str, dict[str, _ListPrice]]:
    """The region of the prices, and the price of each type."""
    found = json.loads(_FILE.read_text())
    prices = {
        kind: _ListPrice(usd_per_hour, each["date"])
        for each in found["lists"]
        for kind, usd_per_hour in each["usd_per_hour"].items()
    }
    return found["region"], prices
