"""`deardiary import` of what other trackers wrote: everything, twice, and after a kill at any request."""

from __future__ import annotations

import dataclasses
import json
import math
import socket
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary_exchange.origins import origin as origins
from deardiary_exchange.origins.table import ORIGINS
from deardiary_exchange.runs import Unreadable
from tests.client.cli.conftest import Said, run, server
from tests.exchange.record import RECORDED, RECORDINGS, unpack
from tests.support.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Said]
    Bring = Callable[..., "Imported"]

__all__ = ["run", "server"]

TRACKERS = {"mlruns": "mlflow"}
NAMES = ("first", "second")
# Long after every recording: a run without an end is over by then.
LATER_MS = 2_000_000_000_000


@pytest.fixture(autouse=True)
def _much_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "now_ms", lambda: LATER_MS)


@dataclasses.dataclass(frozen=True)
class Imported:
    """What an import said, and what is there now."""

    said: Any
    client: deardiary.Client
    project: str

    def iteration(self, name: str) -> Any:
        return next(each for each in self.iterations() if each.name == name)

    def iterations(self) -> list[Any]:
        listed = self.client.iterations.list
        experiments = list(self.client.experiments.list(self.project))
        return [each for one in experiments for each in listed(one.id, include=["parameters", "tags", "labels"])]

    def size(self) -> list[int]:
        """How much is there: iterations, files, points, versions."""
        found = self.iterations()
        files = [each for each in found for _ in self.files(each.name)]
        points = [one.count for each in found for one in self.client.metrics.summary(each.id).values()]
        versions = [each for model in self.client.models.list(self.project) for each in self.versions(model.name)]
        return [len(found), len(files), sum(points), len(versions)]

    def curve(self, name: str, key: str) -> list[tuple[int, str]]:
        columns = self.client.metrics.columns(self.iteration(name).id, [key])
        return list(zip(columns["step"], map(repr, columns["value"]), strict=True))

    def files(self, name: str) -> dict[str, Any]:
        found = self.iteration(name)
        listed = self.client.resources.list(found.experiment_id, iteration_id=found.id)
        return {each.name: each for each in listed if each.state == "ready"}

    def content(self, name: str, file: str, folder: Path) -> bytes:
        path = folder / "content"
        path.unlink(missing_ok=True)
        return self.client.resources.download(self.files(name)[file].id, path).read_bytes()

    def not_taken(self, name: str) -> list[str]:
        (report,) = (each for each in self.said["runs"] if each["name"] == name)
        return list(report["not_taken"])

    def versions(self, model: str) -> list[Any]:
        found = next(self.client.models.list(self.project, name=model))
        return list(self.client.modelversions.list(found.id))


@pytest.fixture
def bring(run: Run, server: Server, tmp_path: Path) -> Bring:
    """Import a recording by the command, into a project of its name."""

    def bring(name: str, to: str | None = None) -> Imported:
        if name == "aim":
            pytest.importorskip("aimrocks", reason="aimrocks is for Python 3.12 and older")
        location = tmp_path / name
        if not location.exists():
            unpack(name, location)
        found = location / RECORDINGS[name].location
        said = run("import", TRACKERS.get(name, name), str(found), "--to", to or name, "--json").json
        client = server.client()
        return Imported(said, client, client.projects.find_or_create(to or name).id)

    return bring


def test_every_recording_has_its_origin() -> None:
    assert {path.name.partition(".")[0] for path in RECORDED.iterdir()} == set(RECORDINGS)
    assert {TRACKERS.get(name, name) for name in RECORDINGS} <= set(ORIGINS)


@pytest.mark.parametrize("name", ["mlflow", "mlruns"])
def test_mlflow(bring: Bring, name: str, tmp_path: Path) -> None:
    there = bring(name)
    (experiment,) = (each for each in there.client.experiments.list(there.project) if each.name == "digits")
    assert (experiment.description, experiment.labels) == ("of the post office", {"team": "vision"})
    parent, child = there.iteration("sweep"), there.iteration("rate 0.1")
    assert (parent.notes, parent.labels) == ("three rates", {"mlflow.user": "ada"})
    assert milliseconds(parent.created_date) == 1_700_000_000_000
    assert (child.parent_iteration_id, milliseconds(child.end_date)) == (parent.id, 1_700_000_001_500)
    assert child.parameters == {"rate": "0.1", "layers": "[3, 4]"}
    assert {"stage": "first", "mlflow.user": "grace"}.items() <= child.labels.items()
    assert (child.git_sha, child.entrypoint) == ("a" * 40, "train.py")
    assert there.curve("rate 0.1", "loss") == [(0, "1.5"), (1, "0.75"), (2, "0.5"), (5, "0.25"), (7, "0.1875")]
    odd = [(-3, "1.0"), (0, "nan"), (1, "inf"), (2, "-inf"), (2, "0.30000000000000004")]
    assert there.curve("rate 0.1", "odd") == odd
    statuses = {each.name: each.status_id.name for each in there.iterations()}
    assert statuses == {
        "sweep": "SUCCEEDED",
        "rate 0.1": "SUCCEEDED",
        "rate 0.01": "SUCCEEDED",
        "failed": "FAILED",
        "killed": "KILLED",
        "left running": "KILLED",
    }
    assert set(there.files("rate 0.1")) == {"notes.txt", "model/weights.bin", "reader/weights.bin"}
    assert there.content("rate 0.1", "notes.txt", tmp_path) == b"seven\n"
    (read,) = there.client.inputs.list(there.iteration("rate 0.01").id)
    assert (read.name, read.digest, read.context, read.labels) == ("mnist", "9f3c", "training", {"rows": "60000"})
    first, second = there.versions("digits")
    assert (first.iteration_id, first.aliases, first.labels) == (child.id, ("champion",), {"checked": "yes"})
    assert (first.resource_id, first.source) == (
        there.files("rate 0.1")["model/weights.bin"].id,
        f"runs:/{child.id}/model",
    )
    assert (second.stage_id.name, second.resource_id) == ("PRODUCTION", None)
    (logged,) = there.versions("readers")
    assert (logged.source, logged.resource_id) == (
        f"runs:/{child.id}/reader",
        there.files("rate 0.1")["reader/weights.bin"].id,
    )
    assert there.said["not_taken"] == ["deleted runs of the experiment 'digits': 1"]
    assert {each.name for each in there.client.experiments.list(there.project)} == {"digits", "empty"}
    assert {each.name for each in there.client.models.list(there.project)} == {
        *("digits", "readers", "without a version"),
    }


def test_wandb(bring: Bring, tmp_path: Path) -> None:
    there = bring("wandb")
    first = there.iteration("first")
    assert (first.notes, sorted(first.tags), first.status_id.name) == (
        "a first try",
        ["baseline", "lr=0.1"],
        "SUCCEEDED",
    )
    assert {"group": "sweep", "job_type": "train", "user": "ada"}.items() <= first.labels.items()
    assert first.parameters == {
        "rate": "0.1",
        "model.depth": "3",
        "model.sizes": "[3, 4]",
        "none": "None",
        "late": "x",
    }
    assert there.curve("first", "eval.accuracy") == [(0, "0.0"), (1, "0.1"), (2, "0.2"), (5, "0.5")]
    assert there.curve("first", "odd") == [(6, "nan"), (7, "inf"), (8, "-inf")]
    assert there.curve("first", "best") == [(9, "0.5")]
    assert [line.text for line in there.client.iterations.output(first.id)] == ["a line of output"]
    # The folder of W&B has moved, so that the files of its artifacts are not where it says.
    assert sorted(there.files("first")) == [
        "artifacts/digits-model/1/manifest.json",
        "media/errors/00000009.csv",
        "media/hist/00000008.json",
        "media/samples/00000009.png",
        "media/word/00000007.txt",
        "weights.bin",
    ]
    assert there.files("first")["media/samples/00000009.png"].description == "a digit"
    assert there.content("first", "media/errors/00000009.csv", tmp_path) == b"image,seen\r\n7.png,1\r\n1.png,7\r\n"
    lost, away = sorted(there.not_taken("first"), reverse=True)
    assert lost.startswith("the last digits of 'big'")
    assert away.startswith("file 'artifacts/digits-model/1/weights.bin': [Errno 2]")
    second = there.iteration("second")
    assert (second.status_id.name, second.error_message) == ("FAILED", "exit code 3")
    assert there.curve("second", "loss") == [(0, "0.1"), (1, "0.05"), (2, "0.025")]
    assert there.content("second", "media/alerts/00000000.txt", tmp_path).endswith(b"slow\nthe loader waits")
    (version,) = there.versions("digits-model")
    assert (version.aliases, version.description) == (("best",), "weights")
    assert version.resource_id == there.files("first")["artifacts/digits-model/1/manifest.json"].id


def test_tensorboard(bring: Bring, tmp_path: Path) -> None:
    there = bring("tensorboard")
    first, trial = there.iteration("first"), there.iteration("first/trial")
    assert milliseconds(first.created_date) == 1_700_000_000_000
    assert (trial.parent_iteration_id, trial.parameters) == (first.id, {"rate": "0.1", "model": "deep", "on": "True"})
    assert there.curve("first", "loss") == [(0, "1.5"), (1, "0.75"), (2, "0.5"), (5, "0.25")]
    assert there.curve("first", "odd") == [(-3, "1.0"), (0, "nan"), (1, "inf"), (2, "-inf")]
    assert there.curve("first/both/train", "both") == [(3, "1.0")]
    assert there.curve("second", "loss") == [(0, repr(0.10000000149011612))]
    assert set(there.files("first")) == {
        "media/samples/00000007.png",
        "media/weights/00000007.json",
        "media/notes/00000007.txt",
    }
    assert there.content("first", "media/notes/00000007.txt", tmp_path) == b"seven"
    assert there.not_taken("first") == ["values of 'curve': those of the plugin 'pr_curves' are not kept"]


def test_trackio(bring: Bring, tmp_path: Path) -> None:
    there = bring("trackio")
    first = there.iteration("first")
    assert (first.parameters, first.labels) == ({"rate": "0.1", "model.depth": "3"}, {"group": "sweep"})
    assert there.curve("first", "odd") == [(-3, "nan"), (6, "inf"), (7, "-inf")]
    assert there.curve("first", "system/memory") == [(0, "12.5")]
    assert there.content("first", "media/errors/00000009.csv", tmp_path) == b"image,seen\r\n7.png,1\r\n1.png,7\r\n"
    assert there.files("first")["media/samples/00000008.png"].description == "a digit"
    assert there.content("first", "artifacts/digits-model/2/docs/more.txt", tmp_path) == b"version 1\n"
    assert [(each.version, each.aliases) for each in there.versions("digits-model")] == [(1, ()), (2, ("best",))]
    (read,) = there.client.inputs.list(there.iteration("second").id)
    assert (read.name, read.source_type) == ("digits-model:v0", "model")
    assert {each.name for each in there.client.experiments.list(there.project)} == {"digits", "letters"}


def test_goodseed(bring: Bring, run: Run, tmp_path: Path) -> None:
    there = bring("goodseed")
    first = there.iteration("first")
    assert (first.notes, sorted(first.tags)) == ("a first try", ["baseline", "lr=0.1"])
    assert milliseconds(first.created_date) == 1_700_000_000_000
    assert first.parameters == {"rate": "0.1", "layers": "3", "on": "True", "nothing": "None", "model/depth": "deep"}
    assert there.curve("first", "below") == [(-3, "2.0")]
    assert there.curve("first", "odd") == [(1, "inf")]
    assert there.curve("first", "half") == [(0, "1.0")]
    assert [each.startswith("the fractions of 1 steps of 'half'") for each in there.not_taken("first")] == [True]
    assert set(there.files("first")) == {"media/notes/00000000.txt", "media/stages/00000001.txt"}
    statuses = {each.name: each.status_id.name for each in there.iterations()}
    assert statuses == {"first": "SUCCEEDED", "failed": "FAILED", "lost": "KILLED"}
    location = str(tmp_path / "goodseed" / "home")
    said = run("import", "goodseed", location, "--to", "finer steps", "--step-factor", "2", "--json").json
    finer = Imported(said, there.client, there.client.projects.find_or_create("finer steps").id)
    assert (finer.curve("first", "half"), finer.not_taken("first")) == ([(1, "1.0")], [])


def test_aim(bring: Bring, run: Run, tmp_path: Path) -> None:
    there = bring("aim")
    first, second = there.iteration("first"), there.iteration("second")
    assert (first.notes, sorted(first.tags)) == ("a first try", ["baseline"])
    assert first.parameters == {
        "hparams.rate": "0.1",
        "hparams.layers": "[3, 4]",
        "hparams.on": "True",
        "hparams.nothing": "None",
        "hparams.model.depth": "deep",
        "empty": "{}",
    }
    assert there.curve("first", "loss/subset=train") == [(0, "1.5"), (1, "0.75"), (2, "0.5"), (5, "0.25")]
    assert there.curve("first", "loss/subset=train/epoch") == [(0, "0.0"), (1, "0.0"), (2, "1.0"), (5, "2.0")]
    assert [step for step, _ in there.curve("first", "loss/subset=val")] == [0, 1, 2, 5]
    odd = [(0, "nan"), (1, "inf"), (2, "-inf"), (3, "0.30000000000000004")]
    assert there.curve("first", "odd/fold=3/subset=test") == odd
    assert there.curve("first", "below") == [(-3, "2.0")]
    assert there.curve("second", "system/gpu/gpu=0") == [(0, "50.0")]
    assert (second.git_sha, second.entrypoint) == ("a" * 40, "train.py")
    lines = {name: [line.text for line in there.client.iterations.output(there.iteration(name).id)] for name in NAMES}
    assert lines == {"first": ['slow {"seconds": 3}'], "second": ["a line of output", "", "another one"]}
    assert set(there.files("first")) == {
        "media/notes/00000000.txt",
        "media/plot/00000002.json",
        "media/samples/subset=val/00000001-0.png",
        "media/samples/subset=val/00000001-1.png",
        "media/sound/00000002.wav",
        "media/weights/00000002.json",
    }
    assert there.files("first")["media/samples/subset=val/00000001-0.png"].description == "a digit"
    assert there.content("first", "media/notes/00000000.txt", tmp_path) == b"seven"
    assert {each.name: each.status_id.name for each in there.iterations()} == {
        **dict.fromkeys(("first", "second", "archived"), "SUCCEEDED"),
        "lost": "KILLED",
    }
    assert there.iteration("archived").labels["aim.archived"] == "true"
    # The folder of the artifacts was below another one when Aim wrote it.
    away, *others = sorted(there.not_taken("first"))
    assert away.startswith("file 'model/weights.bin': [Errno 2]")
    assert [each.partition(":")[0] for each in others] == ["the last digits of 'big'", "values of 'pair'"]
    assert [each.partition(":")[0] for each in there.not_taken("second")] == [
        "the packages and the environment variables of the process",
    ]
    store = tmp_path / "aim"
    run("import", "aim", str(store / "store"), "--to", "with files", "--artifacts", str(store / "artifacts"))
    found = Imported({}, there.client, there.client.projects.find_or_create("with files").id)
    assert found.content("first", "model/weights.bin", tmp_path) == bytes(range(256))


def test_a_repository_of_aim_stays_as_it_is(bring: Bring, tmp_path: Path) -> None:
    store = unpack("aim", tmp_path / "aim")
    before = snapshot(store)
    bring("aim", "once")
    assert snapshot(store) == before


def test_a_run_of_aim_that_cannot_be_read_is_reported(bring: Bring, tmp_path: Path) -> None:
    chunks = sorted((unpack("aim", tmp_path / "aim") / ".aim" / "seqs" / "chunks").iterdir())
    (chunks[0] / "CURRENT").unlink()
    next(chunks[1].glob("MANIFEST-*")).write_bytes(b"no manifest")
    there = bring("aim", "damaged")
    assert len(there.iterations()) == len(chunks) - 2
    sentences = there.said["not_taken"]
    assert len(sentences) == 2, sentences
    assert all(any(str(chunk) in each for each in sentences) for chunk in chunks[:2]), sentences


def test_a_run_whose_points_cannot_be_read_fails_alone(
    run: Run, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def points(_: Any) -> Any:
        raise Unreadable("a block is damaged")

    location = unpack("goodseed", tmp_path / "store")
    monkeypatch.setattr("deardiary_exchange.origins.goodseed.grouped", points)
    said = run("import", "goodseed", str(location), "--to", "unreadable", "--json")
    assert said.status == 1
    assert {"failed": 3}.items() <= json.loads(said.out)["outcomes"].items()
    assert json.loads(said.out)["runs"][0]["not_taken"][-1] == "a block is damaged"


@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_imported_twice_it_is_there_once(bring: Bring, name: str) -> None:
    first = bring(name)  # for the second time, after the test above
    before = first.size()
    again = bring(name)
    assert ([*again.said["outcomes"]], again.size()) == (["unchanged"], before)


def test_a_cut_file_of_wandb_is_taken_up_to_the_cut(bring: Bring, tmp_path: Path) -> None:
    """A killed process leaves a record that is not whole, and no end."""
    unpack("wandb", tmp_path / "wandb")
    (path,) = (tmp_path / "wandb" / "wandb").glob("*/run-[!f]*.wandb")
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b'"seven') - 9])
    there = bring("wandb", "cut")
    first = there.iteration("first")
    assert (first.status_id.name, first.error_message) == ("KILLED", "")
    assert there.curve("first", "odd") == [(6, "nan")]
    path.write_bytes(content)
    again = bring("wandb", "cut")
    assert {each["name"]: each["outcome"] for each in again.said["runs"]}["first"] == "completed"
    assert again.iteration("first").status_id.name == "SUCCEEDED"
    assert again.curve("first", "odd") == [(6, "nan"), (7, "inf"), (8, "-inf")]


def test_a_damaged_file_is_reported(bring: Bring, tmp_path: Path) -> None:
    unpack("wandb", tmp_path / "wandb")
    (path,) = (tmp_path / "wandb" / "wandb").glob("*/run-[!f]*.wandb")
    content = bytearray(path.read_bytes())
    content[content.index(b'"seven')] ^= 1
    path.write_bytes(content)
    there = bring("wandb", "damaged")
    assert any("is damaged after byte" in each for each in there.not_taken("first"))


def test_what_is_no_origin_is_refused_in_a_sentence(
    run: Run, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.db").write_text("no database at all, but a text that is long enough")
    for name in ORIGINS:
        for location in (tmp_path / "absent", tmp_path / "text.db"):
            said = run("import", name, str(location), "--to", "nothing")
            assert (said.status, said.out) == (1, ""), (name, location)
            assert said.err.startswith("deardiary: "), said.err
            assert "Traceback" not in said.err
    assert run("import", "tensorboard", "--to", "nothing").status == 2
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # without listening, so connections are refused
        assert run("import", "mlflow", f"http://127.0.0.1:{silent.getsockname()[1]}", "--to", "unreached").status == 1
    assert not list(server.client().projects.list(name="unreached"))
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "absent"))
    assert "does not exist. Name the location: Trackio's folder" in run("import", "trackio", "--to", "nothing").err
    assert "--to PROJECT" in run("import", "tensorboard", str(tmp_path)).err
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert "A server of W&B needs: pip install" in run("import", "wandb-api", "a/b", "--to", "nothing").err


def test_a_run_without_an_end_is_over_after_a_silent_day(monkeypatch: pytest.MonkeyPatch) -> None:
    from deardiary import IterationStatus

    monkeypatch.setattr(origins, "now_ms", lambda: 100_000_000)
    running = IterationStatus.RUNNING
    assert origins.ended(running, None, 100_000_000 - origins.SILENT_MS) == (running, None)
    before = 100_000_000 - origins.SILENT_MS - 1
    assert origins.ended(running, None, before) == (IterationStatus.KILLED, before)
    assert origins.ended(IterationStatus.FAILED, 7, before) == (IterationStatus.FAILED, 7)


def test_children_follow_their_parents_and_lost_ones_come_last() -> None:
    parents = {"c": "b", "b": "a", "a": None, "x": "gone", "d": "a"}
    ordered = list(origins.parents_first(parents, str, parents.get))
    assert sorted(ordered) == sorted(parents)
    assert ordered[-1] == "x"
    assert all(parents[each] is None or parents[each] in ordered[:place] for place, each in enumerate(ordered[:-1]))


def test_points_are_grouped_with_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "HELD_POINTS", 3)
    rows = [("ab"[each % 2], each, each, math.sqrt(each)) for each in range(8)]
    parts = list(origins.grouped(iter(rows)))
    assert [len(each.columns) for each in parts] == [2, 1, 2, 1, 1, 1]
    assert sorted((key, step) for key, columns in parts for step in columns.steps) == sorted(
        (key, step) for key, step, _, _ in rows
    )


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each file and folder was last changed, and what is in it."""
    found = [folder, *folder.rglob("*")]
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in found}


def milliseconds(value: datetime) -> int:
    return round(value.timestamp() * 1000)
