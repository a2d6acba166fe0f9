"""`sync` sends everything that can be sent, and reports the rest."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
import deardiary.client
from deardiary import Client, IterationStatus
from deardiary.spool import lines
from tests.support.spools import change_upload, iterations_of, said, spool_in, sync

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    "entry",
    [
        {"points": 5},
        {"parameters": 5},
        {"tags": [[1]]},
        {"upload": {}},
        {"register": {}},
        {"snapshot": {"nope": "x"}},
        {"finish": {}},
        {"finish": {"status": 99, "at": 0, "error_message": ""}},
    ],
    ids=str,
)
def test_a_record_that_cannot_be_sent_keeps_no_other_back(
    copies: list[Path], client: Client, request: pytest.FixtureRequest, entry: dict[str, Any]
) -> None:
    segment = spool_in(copies[0]) / "00000001.log"
    segment.write_bytes(lines.seal(lines.dump(entry)) + segment.read_bytes())
    result = sync(copies[0], client)
    assert (result.is_done, result.points, result.rejected) == (True, 1, 1)
    (kept,) = copies[0].rglob("rejected/*.json")
    assert entry.items() <= json.loads(kept.read_text()).items()
    (iteration,) = iterations_of(client, request.node.name)
    assert iteration.status_id == IterationStatus.SUCCEEDED


def replaced(path: Path, by: Callable[[Path], object]) -> None:
    path.unlink(missing_ok=True)
    by(path)


@pytest.mark.parametrize(
    "harm",
    [
        lambda spool: replaced(spool / "run.json", Path.mkdir),
        lambda spool: replaced(spool / "run.json", os.mkfifo),
        lambda spool: replaced(spool / "run.json", lambda path: path.write_text("[" * 100_000)),
        lambda spool: replaced(spool / "00000001.log", os.mkfifo),
        lambda spool: replaced(spool / "lock", lambda path: path.symlink_to(spool.parents[2] / "elsewhere")),
        lambda spool: said(spool, url=5),
        lambda spool: said(spool, spool_id=5),
        lambda spool: said(spool, started_at="9999-12-31T23:59:59-23:59"),
        lambda spool: said(spool, origin={"iteration_id": ".."}),
        lambda spool: said(spool, origin={"iteration_id": 5}),
    ],
)
def test_a_damaged_spool_keeps_no_other_back(
    copies: list[Path], client: Client, tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    harm(spool_in(copies[0]))
    results = deardiary.sync(tmp_path, client=client, tell=lambda _: None)
    assert [each.points for each in results if each.is_done][-1:] == [1]
    assert not (tmp_path / "elsewhere").exists()


def test_earlier_rejections_are_reported_again(copies: list[Path], client: Client) -> None:
    change_upload(spool_in(copies[0]), "/etc/hostname")
    first, second = (sync(copies[0], client) for _ in range(2))
    assert (first.rejected, second.rejected) == (2, 2)
    assert "2 refused for good (see `deardiary sync --rejected`)" in str(second)
