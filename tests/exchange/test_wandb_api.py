"""`deardiary import wandb-api`: wandb's own package reads a server on this machine, to which wandb has synced runs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary_exchange.origins.wandb import remote
from tests.client.cli.conftest import Said, run, server
from tests.exchange.real_wandb import sync, wandb_in_this_process
from tests.exchange.record import unpack
from tests.exchange.test_kills import survives
from tests.exchange.test_load import state
from tests.exchange.test_origins import Imported
from tests.support.server import Server
from tests.support.wandb_server import StoredArtifact, StoredRun, WandbServer, wandb_server

if TYPE_CHECKING:
    Bring = Callable[[str], Imported]

__all__ = ["run", "server"]

WEIGHTS = bytes(range(256))
START_S = 1_700_000_000


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WandbServer]:
    """A server with the recorded runs, as wandb sends them."""
    folder = tmp_path_factory.mktemp("synced")
    with wandb_server() as stored:
        sync(stored, unpack("wandb", folder / "offline"), folder)
        # The files of the artifacts were left where they were recorded.
        assert all(each.startswith("unknown query CreateArtifact") for each in stored.refused), stored.refused
        with wandb_in_this_process(folder):
            yield stored


@pytest.fixture
def wandb(synced: WandbServer) -> Iterator[WandbServer]:
    """That server, with nothing but what a test adds."""
    kept = synced.runs, synced.artifacts
    synced.runs, synced.artifacts = {}, {}
    synced.refused.clear()
    synced.asked.clear()
    yield synced
    refused, synced.refused = synced.refused, []
    synced.runs, synced.artifacts = kept
    synced.failing.clear()
    synced.gone.clear()
    assert (refused, +synced.busy) == ([], {})


@pytest.fixture
def bring(run: Callable[..., Said], server: Server, synced: WandbServer) -> Bring:
    """Import the runs of the server into this project."""

    def bring(to: str) -> Imported:
        said = run("import", "wandb-api", f"{synced.url}/team/digits", "--to", to, "--json")
        client = server.client()
        assert said.out, said.err
        return Imported(json.loads(said.out), client, client.projects.find_or_create(to).id)

    return bring


def a_run(name: str = "r1", steps: int = 3, **more: Any) -> StoredRun:
    rows = [{"loss": 1 / (step + 1), "_step": step, "_timestamp": START_S + step} for step in range(steps)]
    summary = {**rows[-1], "_wandb": {"runtime": steps}}
    machine = {
        "m": {"startedAt": "2023-11-14T22:13:20.5Z", "python": "CPython 3.11.7", "host": "vm", "username": "ada"}
    }
    config = {"_wandb": {"value": {"e": machine}}, "rate": {"value": 0.1}}
    history = [json.dumps(row) for row in rows]
    return StoredRun(name, config=config, summary=summary, history=history, **{"state": "finished", **more})


def test_a_run_is_the_same_whether_its_files_or_its_server_are_read(
    synced: WandbServer, bring: Bring, run: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = unpack("wandb", tmp_path)
    (tmp_path / "weights").write_bytes(WEIGHTS)
    monkeypatch.setattr("deardiary_exchange.origins.wandb.artifacts.Path", lambda _: tmp_path / "weights")
    assert run("import", "wandb", str(folder), "--to", "offline").status == 0
    synced.refused.clear()
    complete(synced)
    online = bring("online")
    client = online.client
    offline = client.projects.find_or_create("offline").id
    assert without_what_one_side_lacks(client, online.project) == without_what_one_side_lacks(client, offline)
    assert (online.iteration("first").labels["entity"], online.iteration("second").error_message) == ("team", "")
    assert synced.refused == []
    assert [*bring("online").said["outcomes"]] == ["unchanged"]


def test_killed_again_and_again_it_goes_on(
    wandb: WandbServer, run: Callable[..., Said], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb.artifacts["QTM="] = StoredArtifact("QTM=", "net", 0, "model", files={"w": b"w"})
    one, two = a_run(files={"w.bin": b"w"}, logged=["QTM="]), a_run("r2", 30, used=["QTM="])
    two.log = [("2023-11-14T22:13:20", "", f"line {n}") for n in range(3)]
    wandb.runs = {"r1": one, "r2": two}
    where = f"{wandb.url}/team/digits"
    survives(lambda to: run("import", "wandb-api", where, "--to", to), "wandb-api", server, monkeypatch)


def complete(synced: WandbServer) -> None:
    """Add what the sync did not send: artifacts whose files have moved, and times that are those of the run."""
    synced.runs = dict(sorted(synced.runs.items(), key=lambda each: str(each[1].shown["displayName"])))
    first, second = synced.runs.values()
    date = "2026-11-29T07:02:35.943Z"
    synced.artifacts["QXJ0MQ=="] = StoredArtifact(
        *("QXJ0MQ==", "digits-model", 0, "model", "weights", '{"a": 1}', ["best", "latest"], {"weights.bin": WEIGHTS}),
        created=date,
    )
    first.logged.append("QXJ0MQ==")
    first.log = [(date, level, text) for _, level, text in first.log]
    first.dates["weights.bin"] = "2026-11-29T07:02:35.939Z"
    # Runs of older clients have no environment in their config.
    about = {"startedAt": "2026-11-29T07:02:35.953Z", "host": "vm", "username": "ada"}
    second.files["wandb-metadata.json"] = json.dumps(about).encode()


def without_what_one_side_lacks(client: deardiary.Client, project: str) -> Any:
    """All that a project has, but for an offline run's exit code and alerts, and what only a server knows: entity."""
    found = [json.dumps(_known_to_both(each), default=str) for each in state(client, project)]
    return sorted(each for each in found if "media/alerts/" not in each)


def _known_to_both(item: Any) -> Any:
    if isinstance(item, tuple) and isinstance(item[0], dict):
        fields = {key: value for key, value in item[0].items() if key not in ("error_message", "labels")}
        labels = {key: value for key, value in item[0]["labels"].items() if key not in ("entity", "user")}
        return fields, labels, item[1:]
    if isinstance(item, tuple) and item[0] == "digits-model":
        return item[:3]  # a model has no date of its own
    return item


def test_a_run_is_read_whole(wandb: WandbServer, bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in {"_ROWS": 10, "_LINES": 3, "_FILES": 2}.items():
        monkeypatch.setattr(remote, name, count)
    wandb.runs["r1"] = one = a_run(steps=25)
    one.history[5] = json.dumps({"odd": "NaN", "_step": 5, "_timestamp": START_S})
    one.history[6] = '{"odd": -Infinity, "a": {"b": 2}, "_step": 6, "_timestamp": 1700000000}'
    one.events = [json.dumps({"system.cpu": each / 2, "_timestamp": START_S + each}) for each in range(3)]
    one.log = [(f"2023-11-14T22:13:{20 + n % 9}", "error" if n % 2 else "", f"line {n}") for n in range(7)]
    one.files = {f"notes/{n}.txt": b"%d" % n for n in range(3)} | {
        "empty": b"",
        "artifact/7/wandb_manifest.json": b"x",
    }
    one.summary |= {"best": 0.25, "loss": 0.125, "word": "seven"}
    one.shown = {
        "notes": "a try",
        "tags": ["lr=0.1"],
        "groupName": "g",
        "jobType": "train",
        "sweep": "s7",
        "user": "eve",
    }
    there = bring("whole")
    found = there.iteration("r1")
    assert (found.notes, list(found.tags), found.parameters) == ("a try", ["lr=0.1"], {"rate": "0.1"})
    people = {"user": "ada", "account": "eve", "entity": "team"}
    assert found.labels == {"group": "g", "job_type": "train", "sweep": "s7", "host": "vm", "word": "seven"} | people
    assert (found.status_id.name, found.python_version) == ("SUCCEEDED", "3.11.7")
    assert found.created_date == datetime(2023, 11, 14, 22, 13, 20, 500_000, timezone.utc)
    assert found.end_date == datetime.fromtimestamp(START_S + 25, timezone.utc).replace(microsecond=500_000)
    assert len(there.curve("r1", "loss")) == 23
    assert there.curve("r1", "odd") == [(5, "nan"), (6, "-inf")]
    assert there.curve("r1", "a.b") == [(6, "2.0")]
    assert there.curve("r1", "system/cpu") == [(0, "0.0"), (1, "0.5"), (2, "1.0")]
    assert (there.curve("r1", "best"), there.curve("r1", "summary/loss")) == ([(24, "0.25")], [(24, "0.125")])
    lines = [(line.stream, line.text) for line in there.client.iterations.output(found.id)]
    assert lines == [("stderr" if n % 2 else "stdout", f"line {n}") for n in range(7)]
    assert len(there.files("r1")) == 4
    assert there.content("r1", "empty", tmp_path) == b""
    assert there.content("r1", "notes/2.txt", tmp_path) == b"2"
    assert there.not_taken("r1") == []


def test_artifacts_keep_their_numbers(wandb: WandbServer, bring: Bring, tmp_path: Path) -> None:
    """v0 was deleted; the second run has logged v1 again, and v2."""
    for number in (1, 2):
        wandb.artifacts[f"QTE{number}"] = StoredArtifact(
            *(f"QTE{number}", "net", number, "model"),
            aliases=["best"] * (number == 1) + ["latest"] * (number == 2),
            files={"a/w.bin": b"%d" % number, "x": b"same"},
            references={"far": "s3://bucket/key"},
        )
    wandb.artifacts["VGFi"] = StoredArtifact("VGFi", "run-r1-table", 0, "run_table")
    wandb.runs["r1"] = a_run("r1", logged=["QTE1", "VGFi"])
    wandb.runs["r2"] = a_run("r2", logged=["QTE1", "QTE2"], used=["QTE1"])
    there = bring("artifacts")
    assert [(each.version, each.aliases) for each in there.versions("net")] == [(2, ("best",)), (3, ())]
    assert there.content("r2", "artifacts/net/3/a/w.bin", tmp_path) == b"2"
    manifest = json.loads(there.content("r1", "artifacts/net/2/manifest.json", tmp_path))
    assert (manifest["files"], manifest["references"]) == (["a/w.bin", "x"], {"far": "s3://bucket/key"})
    assert set(there.files("r2")) == {"artifacts/net/3/" + name for name in ("a/w.bin", "x", "manifest.json")}
    (read,) = there.client.inputs.list(there.iteration("r2").id)
    assert (read.name, read.source_type) == ("net:v1", "model")
    again = bring("artifacts")
    assert ([*again.said["outcomes"]], again.size()) == (["unchanged"], there.size())


def test_a_run_that_is_here_costs_few_requests(wandb: WandbServer, bring: Bring) -> None:
    wandb.runs["r1"] = a_run(files={"w.bin": b"w"})
    bring("twice")
    wandb.asked.clear()
    assert [*bring("twice").said["outcomes"]] == ["unchanged"]
    of_the_project = {"Viewer", "GetDefaultEntity", "ServerFeaturesQuery", "Runs"}
    assert set(wandb.asked) - of_the_project == {"Run", "RunConsoleLogTail", "RunOutputArtifacts"}
    assert set(wandb.asked.values()) == {1}


def test_a_running_run_is_brought_again(wandb: WandbServer, bring: Bring) -> None:
    wandb.runs["r1"] = a_run(steps=2, state="running")
    wandb.runs["r2"] = a_run("r2", state="pending")
    there = bring("growing")
    assert there.said["not_taken"] == ["run r2: it has not begun"]
    assert (there.iteration("r1").status_id.name, there.iteration("r1").end_date) == ("RUNNING", None)
    wandb.runs = {"r1": a_run(steps=4, state="crashed")}
    again = bring("growing")
    assert again.said["runs"][0]["outcome"] == "completed"
    assert ([step for step, _ in again.curve("r1", "loss")], again.iteration("r1").status_id.name) == (
        [0, 1, 2, 3],
        "KILLED",
    )


def test_a_busy_server_is_asked_again(wandb: WandbServer, bring: Bring) -> None:
    wandb.artifacts["QTE="] = StoredArtifact("QTE=", "net", 0, "model", files={"w": b"w"})
    wandb.runs["r1"] = a_run(files={"w.bin": b"w"}, logged=["QTE="])
    wandb.busy.update(Runs=1, HistoryPage=2, RunFiles=1, stored=1, manifests=1, artifactsV2=1)
    there = bring("busy")
    assert (there.said["outcomes"], there.size()) == ({"created": 2}, [1, 3, 3, 1])


def test_a_run_that_cannot_be_read_fails_alone(wandb: WandbServer, bring: Bring) -> None:
    """It is not ended, so that the next import reads it again."""
    wandb.runs = {"r1": a_run(), "r2": a_run("r2", steps=5)}
    wandb.failing.add("RunFiles")
    there = bring("failing")
    assert there.said["outcomes"] == {"failed": 2}
    assert "RunFiles is not supported" in there.not_taken("r1")[-1]
    assert there.iteration("r1").end_date is None
    wandb.failing.clear()
    wandb.refused.clear()
    assert bring("failing").said["outcomes"] == {"completed": 2}


def test_an_old_server_without_its_console_gives_the_file(wandb: WandbServer, bring: Bring) -> None:
    wandb.runs["r1"] = a_run(files={"output.log": b"one\ntwo\r\n"})
    wandb.failing.update(("RunConsoleLogPage", "RunConsoleLogTail"))
    there = bring("old")
    assert [line.text for line in there.client.iterations.output(there.iteration("r1").id)] == ["one", "two"]
    wandb.refused.clear()


def test_steps_far_apart_are_read_in_few_pages(wandb: WandbServer, bring: Bring) -> None:
    one = wandb.runs["r1"] = a_run(steps=2)
    one.history = [json.dumps({"loss": step, "_step": step * 10**7}) for step in range(5)]
    there = bring("sparse")
    assert [step for step, _ in there.curve("r1", "loss")] == [0, 10**7, 2 * 10**7, 3 * 10**7, 4 * 10**7]
    assert wandb.asked["HistoryPage"] < 10


def test_rows_that_are_in_parquet_and_live_come_once(
    wandb: WandbServer, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_ROWS", 4)
    one = wandb.runs["r1"] = a_run(steps=9, exported=6, files={"media/a.png": b"\x89PNG"})
    image = {"_type": "image-file", "path": "media/a.png"}
    one.history[1] = '{"odd": NaN, "a": {"b": 2}, "l": [1, 2], "_step": 1, "_timestamp": 1700000001}'
    one.history[5] = json.dumps({"seen": image, "word": "seven", "_step": 5, "_timestamp": START_S + 5})
    there = bring("parquet")
    assert wandb.asked["parquet"] > 0
    assert [step for step, _ in there.curve("r1", "loss")] == [0, 2, 3, 4, 6, 7, 8]
    assert (there.curve("r1", "odd"), there.curve("r1", "a.b")) == ([(1, "nan")], [(1, "2.0")])
    names = {"media/l/00000001.json", "media/seen/00000005.png", "media/word/00000005.txt"}
    assert (set(there.files("r1")), there.said["runs"][0]["files"]) == (names, 3)


def test_samples_that_wandb_leaves_out_are_reported(
    wandb: WandbServer, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_SAMPLES", 4)
    events = [json.dumps({"system.cpu": each, "_timestamp": START_S + each}) for each in range(16)]
    wandb.runs["r1"] = a_run(events=events)
    there = bring("samples")
    assert len(there.curve("r1", "system/cpu")) == 4
    assert there.not_taken("r1") == ["some of the system metrics: W&B gives at most 4 samples"]


def test_media_that_wandb_lacks_are_reported(wandb: WandbServer, bring: Bring) -> None:
    one = wandb.runs["r1"] = a_run(files={"media/a.png": b"\x89PNG"})
    images = [{"_type": "image-file", "path": f"media/{name}.png"} for name in ("a", "lost")]
    one.history += [json.dumps({"seen": image, "_step": 7 + step}) for step, image in enumerate(images)]
    there = bring("media")
    assert set(there.files("r1")) == {"media/seen/00000007.png"}
    assert there.not_taken("r1") == ["file 'media/seen/8': W&B does not have media/lost.png"]


def test_files_that_are_gone_are_reported(wandb: WandbServer, bring: Bring) -> None:
    """The run is as whole as it will ever be, and ends."""
    wandb.artifacts["QTI="] = StoredArtifact("QTI=", "net", 0, "model", files={"w": b"w"})
    wandb.runs["r1"] = a_run(files={"w.bin": b"w"}, logged=["QTI="])
    wandb.gone.update(("stored", "artifactsV2"))
    there = bring("gone")
    assert (there.said["outcomes"], set(there.files("r1"))) == ({"created": 2}, {"artifacts/net/1/manifest.json"})
    run_file, entry = there.not_taken("r1")
    assert run_file.startswith("file 'w.bin': file w.bin: W&B answers:")
    assert entry.startswith("file 'artifacts/net/1/w': artifact net:v0: W&B answers:")
    assert [*bring("gone").said["outcomes"]] == ["unchanged"]
    wandb.refused.clear()


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("digits", "digits is no project of W&B: give ENTITY/PROJECT"),
        ("{url}/team", "is no project of W&B"),
        ("{url}/team/absent", "Could not find project"),
    ],
)
def test_a_wrong_location_is_refused(
    wandb: WandbServer, run: Callable[..., Said], server: Server, location: str, said: str
) -> None:
    answer = run("import", "wandb-api", location.format(url=wandb.url), "--to", "wrong")
    assert answer.status == 1
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_wrong_key_is_refused(
    wandb: WandbServer, run: Callable[..., Said], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", wandb.url)
    monkeypatch.setenv("WANDB_API_KEY", "9" * 40)
    answer = run("import", "wandb-api", "team/digits", "--to", "no key")
    assert (answer.status, "credentials" in answer.err) == (1, True), answer.err
    assert not list(server.client().projects.list(name="no key"))
    wandb.refused.clear()


def test_the_history_is_not_held(wandb: WandbServer, bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    """What wandb has read of a list is dropped, page by page."""
    wandb.runs = {f"r{n}": a_run(f"r{n}") for n in range(5)}
    kept: list[int] = []
    monkeypatch.setattr(
        "deardiary_exchange.origins.wandb.server.each_of", lambda pages: _watched(remote.each_of(pages), pages, kept)
    )
    monkeypatch.setattr("deardiary_exchange.origins.wandb.server._PAGE", 2)
    assert bring("pages").said["outcomes"] == {"created": 5}
    assert max(kept) <= 2


def _watched(items: Iterator[Any], pages: Any, kept: list[int]) -> Iterator[Any]:
    for item in items:
        kept.append(len(pages.objects))
        yield item


def test_a_time_of_any_precision_is_read() -> None:
    for fraction in ("", ".5", ".50", ".500000", ".500000123"):
        found = remote.time_of(f"2023-11-14T22:13:20{fraction}Z")
        assert math.isclose(found.timestamp(), START_S + (0.5 if fraction else 0))
