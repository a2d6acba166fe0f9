"""`sync` reads, writes and removes only a spool's own files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import deardiary
import deardiary.client
from deardiary import Client
from deardiary.spool import lines
from tests.support.spools import change_upload, iterations_of, spool_in, sync

if TYPE_CHECKING:
    from collections.abc import Callable


def test_rejected_records_are_not_written_through_a_link(copies: list[Path], client: Client, tmp_path: Path) -> None:
    spool = spool_in(copies[0])
    (tmp_path / "elsewhere").mkdir()
    (spool / "rejected").symlink_to(tmp_path / "elsewhere")
    segment = spool / "00000001.log"
    segment.write_bytes(lines.seal(lines.dump({"tags": 5})) + segment.read_bytes())
    assert "is a link" in str(sync(copies[0], client).error)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("way", ["absolute", "upwards", "link", "linked folder", "drive"])
def test_sync_of_a_foreign_spool_reads_and_removes_only_its_own_files(
    copies: list[Path], client: Client, tmp_path: Path, request: pytest.FixtureRequest, way: str
) -> None:
    secret = tmp_path / "files" / "secret"
    secret.parent.mkdir()
    secret.write_text("not for everybody")
    spool = spool_in(copies[0])
    names = {
        "absolute": str(secret),
        "upwards": "files/../../../../files/secret",
        "link": "files/link",
        "linked folder": "files/secret",
        "drive": "files/C:secret",
    }
    (spool / "files" / "link").symlink_to(secret)
    if way == "linked folder":
        shutil.rmtree(spool / "files")
        (spool / "files").symlink_to(secret.parent)
    change_upload(spool, names[way])
    result = sync(copies[0], client)
    assert result.rejected > 0
    assert secret.read_text() == "not for everybody"
    (iteration,) = iterations_of(client, request.node.name)
    assert list(client.resources.list(iteration.experiment_id)) == []


def linked(path: Path, secret: Path) -> None:
    path.unlink()
    path.symlink_to(secret)


def hard_linked(path: Path, secret: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a file that belongs to another user")
    path.unlink()
    path.hardlink_to(secret)
    os.chown(path, 12345, -1)


def too_large(path: Path, secret: Path) -> None:
    os.truncate(path, 64 * 2**20 + 1)


@pytest.mark.parametrize(
    ("harm", "message"),
    [(linked, "is a link"), (hard_linked, "hard link to a file of another user"), (too_large, "has more than")],
)
def test_a_linked_or_oversized_segment_is_not_read(
    copies: list[Path], client: Client, tmp_path: Path, harm: Callable[[Path, Path], None], message: str
) -> None:
    """The file has the content of a segment, so that reading it would show."""
    segment, secret = spool_in(copies[0]) / "00000001.log", tmp_path / "secret"
    shutil.copy(segment, secret)
    harm(segment, secret)
    result = sync(copies[0], client)
    assert (result.points, result.is_done) == (0, False)
    assert message in str(result.error)
    assert secret.exists()


@pytest.mark.parametrize("harm", [linked, hard_linked])
def test_a_description_of_a_run_that_is_a_link_is_not_read(
    copies: list[Path], client: Client, tmp_path: Path, harm: Callable[[Path, Path], None]
) -> None:
    described, secret = spool_in(copies[0]) / "run.json", tmp_path / "secret"
    shutil.copy(described, secret)
    harm(described, secret)
    assert deardiary.sync(copies[0], client=client, tell=lambda _: None) == []


def test_a_folder_that_is_a_link_is_not_entered(copies: list[Path], client: Client, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "link").symlink_to(spool_in(copies[0]))
    assert deardiary.sync(tmp_path / "given", client=client, tell=lambda _: None) == []


def test_files_that_are_not_of_the_spool_stay_in_its_folder(copies: list[Path], client: Client) -> None:
    (spool_in(copies[0]) / "thesis.tex").write_text("years of work")
    assert sync(copies[0], client).is_done
    assert [path.name for path in spool_in(copies[0]).iterdir()] == ["thesis.tex"]
