"""`deardiary.wandb`: scripts for Weights & Biases that change one import."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from deardiary import testing, wandb
from deardiary.tracking import console
from deardiary.wandb import state
from deardiary.wire.shapes import IterationStatus
from tests.support.server import Server, server_on_moto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(console, "_captures", [])
    monkeypatch.setattr(state, "run", None)
    monkeypatch.setenv("DEARDIARY_CAPTURE", "none")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def memory() -> Iterator[testing.MemoryServer]:
    with testing.recording() as server:
        yield server


def only(memory: testing.MemoryServer) -> Any:
    (recorded,) = memory.iterations
    return recorded


def steps(recorded: Any, key: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in recorded.points[key]]


def test_a_script_of_wandb_logs_here(memory: testing.MemoryServer) -> None:
    run = wandb.init(
        project="Iris", name="first", notes="n", tags=["a"], group="g", job_type="train", config={"lr": 0.1}
    )
    assert (wandb.run, wandb.config.lr, run.project, run.group, wandb.run.resumed) == (run, 0.1, "Iris", "g", False)
    wandb.config.epochs = 2
    wandb.config["model"] = {"depth": 3}
    for epoch in range(wandb.config["epochs"]):
        wandb.log({"loss": 1.0 / (epoch + 1), "val": {"acc": np.float32(epoch)}})
    wandb.summary["best"] = 0.75
    wandb.summary["best"] = 0.5
    wandb.run.summary.update({"loss": 0.25, "kind": "good"})
    wandb.finish()
    assert wandb.run is None
    found = only(memory)
    assert (found.project, found.experiment, found.name, found.notes) == ("Iris", "runs", "first", "n")
    assert (found.status, found.tags) == (IterationStatus.SUCCEEDED, ["a"])
    assert found.labels == {"group": "g", "job_type": "train", "kind": "good"}
    assert found.parameters == {"lr": "0.1", "epochs": "2", "model.depth": "3"}
    assert steps(found, "loss") == [(0, 1.0), (1, 0.5)]
    assert steps(found, "val.acc") == [(0, 0.0), (1, 1.0)]
    assert (steps(found, "best"), steps(found, "summary/loss")) == ([(2, 0.75), (2, 0.5)], [(2, 0.25)])
    assert dict(run.summary) == {"loss": 0.25, "val.acc": 1.0, "best": 0.5, "kind": "good"}


def test_a_step_is_common_to_all_keys_and_grows_when_it_is_committed(memory: testing.MemoryServer) -> None:
    with wandb.init() as run:
        run.log({"a": 1}, commit=False)
        run.log({"b": 2}, commit=False)
        wandb.log()
        run.log({"a": 3})
        run.log({"a": 4}, step=10)
        run.log({"b": 5}, step=10)
        assert run.step == 10
        run.log({"late": 6}, step=4)
        run.log({"a": 7}, step=11, commit=True)
        assert run.step == 12
    found = only(memory)
    assert (found.project, found.experiment) == ("uncategorized", "runs")
    assert steps(found, "a") == [(0, 1), (1, 3), (10, 4), (11, 7)]
    assert (steps(found, "b"), steps(found, "late")) == ([(0, 2), (10, 5)], [(4, 6)])


def test_a_metric_may_have_another_axis(memory: testing.MemoryServer) -> None:
    with wandb.init() as run:
        run.define_metric("epoch")
        run.define_metric("val/*", step_metric="epoch", summary="max")
        for epoch in (5, 7):
            run.log({"loss": 1, "epoch": epoch, "val/acc": epoch / 10})
    assert steps(only(memory), "val/acc") == [(5, 0.5), (7, 0.7)]
    assert steps(only(memory), "loss") == [(0, 1), (1, 1)]


def test_a_failure_ends_the_run_failed(memory: testing.MemoryServer) -> None:
    with pytest.raises(ZeroDivisionError), wandb.init():
        raise ZeroDivisionError
    assert wandb.run is None
    wandb.init()
    wandb.finish(exit_code=3)
    assert [each.status for each in memory.iterations] == [IterationStatus.FAILED] * 2


def test_everything_that_wandb_draws_becomes_a_file(memory: testing.MemoryServer, tmp_path: Path) -> None:
    from matplotlib import pyplot as plt

    (tmp_path / "a.mp4").write_bytes(b"mp4")
    images = [wandb.Image(np.full((2, 2), value), caption=f"no {value}") for value in (0.0, 5.0)]
    table = wandb.Table(columns=["image", "score"])
    table.add_data(images[0], np.float64(0.5))
    table.add_column("more", ["x"])
    figure = plt.figure()
    with wandb.init() as run:
        run.log(
            {
                "images": images,
                "image": images[0],
                "table": table,
                "frame": pd.DataFrame({"a": [1]}),
                "plot": plt,
                "figure": figure,
                "array": np.arange(5),
                "histogram": wandb.Histogram([1, 2, 3], num_bins=2),
                "counted": wandb.Histogram(np_histogram=np.histogram([1, 2, 3], bins=3)),
                "sound": wandb.Audio(np.zeros(4), sample_rate=8000),
                "video": wandb.Video(str(tmp_path / "a.mp4")),
                "page": wandb.Html("<p>"),
                "words": "good",
                "list": [1, 2],
                "empty": [],
                "nothing": None,
            }
        )
    plt.close("all")
    found = only(memory)
    assert found.points == {}
    assert set(found.files) == {
        *("media/images/00000000-0.png", "media/images/00000000-1.png", "media/image/00000000.png"),
        *("media/table/00000000.csv", "media/table/image/00000000.png", "media/frame/00000000.csv"),
        *("media/plot/00000000.png", "media/figure/00000000.png", "media/array/00000000.json"),
        *("media/histogram/00000000.json", "media/counted/00000000.json", "media/sound/00000000.wav"),
        *("media/video/00000000.mp4", "media/page/00000000.html", "media/words/00000000.txt"),
        *("media/list/00000000.json", "media/empty/00000000.json"),
    }
    assert found.files["media/table/00000000.csv"] == b"image,score,more\r\nmedia/table/image,0.5,x\r\n"
    assert len(json.loads(found.files["media/histogram/00000000.json"])["counts"]) == 2


def test_a_value_that_cannot_be_logged_is_a_warning(
    memory: testing.MemoryServer, caplog: pytest.LogCaptureFixture
) -> None:
    with wandb.init() as run:
        for _ in range(2):
            run.log({"loss": 1, "odd": object()})
    assert caplog.text.count("'odd', object is not recorded") == 1
    assert len(steps(only(memory), "loss")) == 2


def test_a_setting_changes_only_if_that_is_allowed(memory: testing.MemoryServer) -> None:
    with wandb.init(config=argparse.Namespace(lr=0.1, sizes=[1])) as run:
        run.config.update({"lr": 0.1})
        with pytest.raises(wandb.UsageError, match=r"config.lr is 0.1 and is to become 0.2"):
            run.config.lr = 0.2
        run.config.update({"lr": 0.2}, allow_val_change=True)
        run.config.setdefaults({"lr": 5, "seed": 1})
        assert run.config.as_dict() == {"lr": 0.2, "sizes": [1], "seed": 1}
        with pytest.raises(AttributeError, match="'nothing'"):
            _ = run.config.nothing
    assert only(memory).parameters == {"lr": "0.1", "sizes": "[1]", "seed": "1"}
    assert only(memory).labels == {"config/lr": "0.2"}


def test_settings_that_cannot_be_recorded_change_nothing(memory: testing.MemoryServer) -> None:
    with pytest.raises(ValueError, match="1 to 250 characters"):
        wandb.init(config={"lr": 0.1, "": 1})
    assert (wandb.run, memory.iterations) == (None, [])
    with wandb.init(config={"lr": 0.1}) as run:
        for wrong in ({"seed": 1, "": 1}, {"seed": 1, "a": {"b": 1}, "a.b": 2}):
            with pytest.raises(ValueError, match=r"1 to 250 characters|twice"):
                run.config.update(wrong)
        assert run.config.as_dict() == {"lr": 0.1}
        run.config.update({"seed": 1})
    assert only(memory).parameters == {"lr": "0.1", "seed": "1"}


def test_files_are_stored_when_they_are_saved_and_when_the_run_ends(
    memory: testing.MemoryServer, tmp_path: Path
) -> None:
    with wandb.init() as run:
        wandb.save("*.npy")
        (tmp_path / "weights.npy").write_bytes(b"1")
        wandb.save("weights.npy")
        (tmp_path / "late.npy").write_bytes(b"2")
        with open(f"{run.dir}/model.h5", "wb") as file:  # noqa: PTH123 - as scripts do
            file.write(b"3")
    assert only(memory).files == {"weights.npy": b"1", "late.npy": b"2", "model.h5": b"3"}


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: wandb.log({"a": 1}), "wandb.log"),
        (lambda: wandb.config.lr, "wandb.config"),
        (lambda: wandb.summary["a"], "wandb.summary"),
        (lambda: wandb.save("x"), "wandb.save"),
    ],
)
def test_a_call_before_init_says_so(use: Any, words: str) -> None:
    with pytest.raises(wandb.UsageError, match=f"wandb.init.* before {words}"):
        use()


def test_what_is_not_there_says_where_to_look() -> None:
    with pytest.raises(AttributeError, match="has no 'sweep'"):
        _ = wandb.sweep
    assert {"log", "run", "Image", "keras"} <= set(dir(wandb))


def test_a_disabled_run_records_nothing(memory: testing.MemoryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert wandb.login()
    with wandb.init(config={"lr": 1}) as run:
        run.log({"loss": 1, "image": wandb.Image(np.zeros((2, 2)))})
        run.summary["a"] = 1
        assert run.config.lr == 1
    assert memory.iterations == []


def test_the_variables_of_wandb_are_read(memory: testing.MemoryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PROJECT": "P", "NAME": "n", "TAGS": "a,b", "RUN_GROUP": "g", "ENTITY": "e"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    wandb.init(settings=wandb.Settings(run_name="other"))
    assert wandb.init() is wandb.run
    wandb.init(reinit=True, name="second").finish()
    first, second = memory.iterations
    assert (first.project, first.name, first.tags, first.labels) == (
        "P",
        "other",
        ["a", "b"],
        {"entity": "e", "group": "g"},
    )
    assert (first.status, second.name) == (IterationStatus.SUCCEEDED, "second")


@pytest.fixture(scope="module")
def real() -> Iterator[Server]:
    with server_on_moto() as server:
        yield server


@pytest.fixture
def server(real: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr("deardiary.tracking.start.connect_later", real.client)
    return real


def test_a_run_is_resumed_by_its_id(server: Server) -> None:
    for part in range(2):
        with wandb.init(project="Resumed", id="one", resume="allow", config={"lr": 1}) as run:
            assert (run.resumed, run.step) == (part > 0, 2 * part)
            run.log({"loss": part})
            run.log({"loss": part + 0.5})
    client = server.client()
    (curve,) = client.metrics.curves(run.id).values()
    assert (list(curve.step), list(curve.value)) == ([0, 1, 2, 3], [0, 0.5, 1, 1.5])


def test_an_artifact_is_a_model_with_versions(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.csv").write_text("1")
    with wandb.init(project="Artifacts", name="maker") as run:
        for number in (1, 2):
            artifact = wandb.Artifact("digits", type="dataset", description="d", metadata={"rows": number})
            artifact.add_dir(str(tmp_path / "set"))
            with artifact.new_file("notes/readme.txt") as file:
                file.write(f"version {number}")
            artifact.add_reference("s3://bucket/more")
            run.log_artifact(artifact).wait()
    with wandb.init(project="Artifacts", name="reader") as run:
        used = run.use_artifact("team/digits:latest", type="dataset")
        folder = used.download()
        assert (used.version, folder) == ("v2", "artifacts/digits-v2")
        assert (tmp_path / folder / "notes" / "readme.txt").read_text() == "version 2"
        assert (tmp_path / folder / "train.csv").read_text() == "1"
        first = wandb.use_artifact("digits:v1").download(str(tmp_path / "v1"))
        assert (tmp_path / first / "notes" / "readme.txt").read_text() == "version 1"
        with pytest.raises(wandb.UsageError, match="no artifact 'digits:v9'"):
            run.use_artifact("digits:v9")
        with pytest.raises(wandb.UsageError, match="has 2 files"):
            used.file()
    inputs = server.client().inputs.list(run.id)
    assert len(list(inputs)) == 2


def test_a_model_is_logged_and_used(server: Server, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"weights")
    with wandb.init(project="Models") as run:
        run.log_model("model.pkl", name="iris")
    with wandb.init(project="Models") as run:
        assert (tmp_path / run.use_model("iris")).read_bytes() == b"weights"


def test_a_file_of_a_resumed_run_is_restored(server: Server, tmp_path: Path) -> None:
    (tmp_path / "model-best.h5").write_text("best")
    with wandb.init(project="Restored", id="it"):
        wandb.save("model-best.h5")
    with wandb.init(project="Restored", id="it") as run:
        with wandb.restore("model-best.h5") as file:
            assert file.read() == "best"
        with pytest.raises(wandb.UsageError, match="no file 'other'"):
            run.restore("other")


@pytest.mark.parametrize("name", ["", "a:b", "a/b"])
def test_the_name_of_an_artifact_is_checked(name: str) -> None:
    with pytest.raises(ValueError, match="artifact"):
        wandb.Artifact(name, type="model")


def test_files_that_are_not_there_are_refused() -> None:
    artifact = wandb.Artifact("a", "model")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        artifact.add_file("nowhere")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        artifact.add_dir("nowhere")
