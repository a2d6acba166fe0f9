from __future__ import annotations

import pytest

from deardiary.http.backoff import wait_seconds


@pytest.mark.parametrize(
    ("failures", "jitter", "least_share", "seconds"),
    [(0, 1.0, 0.0, 0.5), (3, 1.0, 0.0, 4.0), (3, 0.25, 0.0, 1.0), (3, 0.0, 0.5, 2.0), (9, 1.0, 0.5, 60.0)],
)
def test_the_wait_doubles_up_to_the_longest_and_is_random(
    failures: int, jitter: float, least_share: float, seconds: float
) -> None:
    wait = wait_seconds(failures, first=0.5, longest=60.0, least_share=least_share, jitter=lambda: jitter)
    assert wait == seconds


def test_after_days_of_failures_the_wait_is_the_longest() -> None:
    assert wait_seconds(100_000, first=0.5, longest=60.0, jitter=lambda: 1.0) == 60.0
