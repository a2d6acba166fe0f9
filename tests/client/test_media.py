"""Images, figures, tables, sound and other values that an iteration logs: the files that they become."""

from __future__ import annotations

import csv
import io
import json
import math
import wave
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

import deardiary
from deardiary.media import histogram, png, table
from deardiary.testing import MemoryServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deardiary import ActiveIteration

mpl.use("Agg")
RED, HALF = (255, 0, 0), (128, 128, 128)


class Tensor:
    """As much of a tensor of PyTorch as the client uses."""

    dtype = "torch.float32"

    def __init__(self, values: Any) -> None:
        self._values = np.asarray(values, dtype=np.float32)

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> np.ndarray[Any, Any]:
        return self._values


def logged(*logs: Callable[[ActiveIteration], object]) -> dict[str, bytes]:
    """The files of an iteration that logs this and ends."""
    memory = MemoryServer()
    with deardiary.start("Iris", "sweep", client=memory.client(), capture=()) as iteration:
        for log in logs:
            log(iteration)
    (recorded,) = memory.iterations
    return recorded.files


def image_of(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_files_are_named_by_key_and_step_and_wait_for_no_network() -> None:
    def log(iteration: ActiveIteration) -> None:
        for step in (None, None, 7, None):
            iteration.log_text("notes/a", "x", step)
        iteration.log_image("samples", [np.zeros((2, 2)), np.ones((2, 2))], 3, caption=["first", "second"])

    assert set(logged(log)) == {
        *(f"media/notes/a/0000000{step}.txt" for step in (0, 1, 7, 8)),
        "media/samples/00000003-0.png",
        "media/samples/00000003-1.png",
    }


@pytest.mark.parametrize(
    ("array", "mode", "pixel"),
    [
        (np.full((2, 3), 128, np.uint8), "L", 128),
        (np.full((2, 3), 0.5), "L", 128),
        (np.full((2, 3, 1), True), "L", 255),
        (np.full((2, 3, 2), 9, np.int64), "LA", (9, 9)),
        (np.tile(np.array([1.0, 0.0, 0.0], np.float16), (2, 3, 1)), "RGB", RED),
        (np.tile(np.array([300, -1, 0]), (2, 3, 1)), "RGB", RED),
        (np.tile(np.array([math.inf, -math.inf, math.nan]), (2, 3, 1)), "RGB", RED),
        (np.full((3, 2, 5), 0.5), "RGB", HALF),
        (np.full((4, 2, 5), 255, np.uint8), "RGBA", (255,) * 4),
        (Tensor(np.full((3, 2, 3), 0.5)), "RGB", HALF),
        (Tensor(np.full((2, 5), 0.5)), "L", 128),
        (Tensor(np.full((5, 6, 3), 0.5)), "RGB", HALF),
    ],
)
def test_arrays_and_tensors_are_png_images(array: Any, mode: str, pixel: Any) -> None:
    (content,) = logged(lambda it: it.log_image("samples", array)).values()
    image = image_of(content)
    assert (image.format, image.mode, image.getpixel((1, 1))) == ("PNG", mode, pixel)


def test_a_tensor_has_its_channels_first_where_both_would_do() -> None:
    tensor = np.zeros((3, 2, 3))
    tensor[0] = 1.0
    (content,) = logged(lambda it: it.log_image("samples", Tensor(tensor))).values()
    assert (image_of(content).size, image_of(content).getpixel((0, 0))) == ((3, 2), RED)


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9), st.data())
def test_pixels_come_back_exactly(channels: int, width: int, height: int, data: st.DataObject) -> None:
    size = channels * width * height
    pixels = data.draw(st.binary(min_size=size, max_size=size))
    assert image_of(png.encode(pixels, width, height, channels)).tobytes() == pixels


def test_images_of_pillow_and_files_and_bytes(tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 2), RED)
    image.save(tmp_path / "given.jpeg")
    content = (tmp_path / "given.jpeg").read_bytes()
    files = logged(
        lambda it: it.log_image("a", image),
        lambda it: it.log_image("b", image.convert("CMYK")),
        lambda it: it.log_image("c", tmp_path / "given.jpeg"),
        lambda it: it.log_image("d", str(tmp_path / "given.jpeg")),
        lambda it: it.log_image("e", content),
        lambda it: it.log_image("f", b"<svg/>"),
        lambda it: it.log_image("g", b"AVIF", form="avif"),
    )
    assert image_of(files["media/a/00000000.png"]).getpixel((0, 0)) == RED
    assert image_of(files["media/b/00000000.png"]).mode == "RGB"
    assert files["media/c/00000000.jpeg"] == files["media/d/00000000.jpeg"] == content
    assert files["media/e/00000000.jpg"] == content
    assert {"media/f/00000000.svg", "media/g/00000000.avif"} < files.keys()


def test_figures_of_matplotlib_and_plotly() -> None:
    figure = Figure()
    axes = figure.add_subplot()
    axes.plot([1, 2])

    class Plotly:
        def to_plotly_json(self) -> None: ...

        def to_html(self, include_plotlyjs: str) -> str:
            return f"<html>{include_plotlyjs}</html>"

    files = logged(
        lambda it: it.log_figure("figure", figure),
        lambda it: it.log_figure("axes", axes),
        lambda it: it.log_figure("plotly", Plotly()),
    )
    assert min(image_of(files[f"media/{key}/00000000.png"]).width for key in ("figure", "axes")) > 300
    assert files["media/plotly/00000000.html"] == b"<html>cdn</html>"


ROWS = [{"name": "a,\n", "score": 1.5, "more": None}, {"name": "ü", "score": 2.0, "boxes": [1, {"x": 2}]}]


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (
            ROWS,
            [["name", "score", "more", "boxes"], ["a,\n", "1.5", "", ""], ["ü", "2.0", "", '[1, {"x": 2}]']],
        ),
        ({"a": [1, 2], "b": ["x", None]}, [["a", "b"], ["1", "x"], ["2", ""]]),
        (pd.DataFrame({"a": [1, 2]}, index=[7, 8]), [["a"], ["1"], ["2"]]),
        ([], [[]]),
    ],
)
def test_tables_are_csv(value: Any, rows: list[list[str]]) -> None:
    (content,) = logged(lambda it: it.log_table("t", value)).values()
    assert list(csv.reader(io.StringIO(content.decode(), newline=""))) == rows


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(st.lists(st.floats(), max_size=50), st.integers(1, 20))
def test_a_histogram_counts_every_value(values: list[float], bins: int) -> None:
    for given_values in (values, np.array(values)):
        body = json.loads(histogram.encode(given_values, bins=bins).content)  # type: ignore[arg-type]
        assert sum(body["counts"]) + body["not_finite"] == len(values)
        assert len(body["edges"]) == len(body["counts"]) + 1
        assert body["edges"] == sorted(set(body["edges"]))


def test_a_histogram_of_arrays_and_of_counts() -> None:
    files = logged(
        lambda it: it.log_histogram("a", np.array([[0.0, 1.0], [1.0, np.nan]]), bins=2),
        lambda it: it.log_histogram("b", counts=[1, 2], edges=[0, 1, 4]),
    )
    assert json.loads(files["media/a/00000000.json"]) == {
        "kind": "histogram",
        "edges": [0.0, 0.5, 1.0],
        "counts": [1.0, 2.0],
        "not_finite": 1,
    }
    assert json.loads(files["media/b/00000000.json"])["edges"] == [0, 1, 4]


def test_sound_is_wav(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"ID3")
    files = logged(
        lambda it: it.log_audio("a", np.array([0.0, 1.0, -2.0, np.nan]), sample_rate=8000),
        lambda it: it.log_audio("b", np.zeros((5, 2), np.int16), sample_rate=16_000),
        lambda it: it.log_audio("c", tmp_path / "a.mp3"),
        lambda it: it.log_audio("d", b"OggS"),
    )
    with wave.open(io.BytesIO(files["media/a/00000000.wav"])) as file:
        assert (file.getframerate(), file.getnchannels()) == (8000, 1)
        assert np.frombuffer(file.readframes(4), "<i2").tolist() == [0, 32767, -32767, 0]
    with wave.open(io.BytesIO(files["media/b/00000000.wav"])) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16_000, 2, 5)
    assert {"media/c/00000000.mp3", "media/d/00000000.ogg"} < files.keys()


def test_video_json_and_html(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"mp4")
    (tmp_path / "a.htm").write_text("<p>")
    files = logged(
        lambda it: it.log_video("a", tmp_path / "a.mp4"),
        lambda it: it.log_video("b", b"\0\0\0 ftypisom"),
        lambda it: it.log_json("c", {"path": tmp_path, "n": [1, None]}),
        lambda it: it.log_html("d", "<p>"),
        lambda it: it.log_html("e", tmp_path / "a.htm"),
    )
    assert files["media/a/00000000.mp4"] == b"mp4"
    assert "media/b/00000000.mp4" in files
    assert json.loads(files["media/c/00000000.json"]) == {"path": str(tmp_path), "n": [1, None]}
    assert files["media/d/00000000.html"] == files["media/e/00000000.html"] == b"<p>"


@pytest.mark.parametrize(
    ("log", "kind", "words"),
    [
        (lambda it: it.log_image("k", 5), TypeError, "An image is a path"),
        (lambda it: it.log_image("k", np.zeros((5, 6, 7))), ValueError, "1 to 4 channels"),
        (lambda it: it.log_image("k", np.zeros((0, 2))), ValueError, "shape"),
        (lambda it: it.log_image("k", b"??"), ValueError, "unknown form"),
        (lambda it: it.log_image("k", "nowhere.png"), FileNotFoundError, "nowhere.png"),
        (lambda it: it.log_image("k", [b"BM", b"BM"], caption=["one"]), ValueError, "1 captions"),
        (lambda it: it.log_image("../k", b"BM"), ValueError, "leads out"),
        (lambda it: it.log_text("", "x"), ValueError, "1 to"),
        (lambda it: it.log_text("k", "x", 1.5), TypeError, "step"),
        (lambda it: it.log_text("k", b"x"), TypeError, "str"),
        (lambda it: it.log_text("k", "x", caption="é" * 2**15 + "e"), ValueError, "caption has at most"),
        (lambda it: it.log_text("k", "x", caption=5), TypeError, "caption is text"),
        (lambda it: it.log_figure("k", 5), TypeError, "matplotlib"),
        (lambda it: it.log_table("k", "a,b"), TypeError, "list of dicts"),
        (lambda it: it.log_table("k", {"a": [1], "b": []}), ValueError, "same length"),
        (lambda it: it.log_histogram("k"), ValueError, "counts and edges"),
        (lambda it: it.log_histogram("k", counts=[1], edges=[1, 1]), ValueError, "rise"),
        (lambda it: it.log_histogram("k", counts=[math.inf], edges=[0, 1]), ValueError, "finite"),
        (lambda it: it.log_histogram("k", [1], bins=0), ValueError, "bin"),
        (lambda it: it.log_audio("k", np.zeros(3)), ValueError, "sample_rate"),
        (lambda it: it.log_audio("k", np.zeros((2, 50)), sample_rate=8), ValueError, "shape"),
        (lambda it: it.log_video("k", [1]), TypeError, "imageio"),
    ],
)
def test_what_is_no_such_value_is_refused_and_takes_no_step(
    log: Callable[[Any], object], kind: type[Exception], words: str
) -> None:
    def try_it(iteration: ActiveIteration) -> None:
        with pytest.raises(kind, match=words):
            log(iteration)
        iteration.log_text("k", "kept")

    assert logged(try_it) == {"media/k/00000000.txt": b"kept"}


def test_after_the_end_nothing_is_logged() -> None:
    memory = MemoryServer()
    with deardiary.start("Iris", "sweep", client=memory.client(), capture=()) as iteration:
        pass
    with pytest.raises(RuntimeError, match="has ended"):
        iteration.log_text("k", "x")


def test_a_table_of_polars_and_of_arrow() -> None:
    class Polars:
        columns = ("a", "b")

        def iter_rows(self) -> list[tuple[int, str]]:
            return [(1, "x")]

    class Arrow:
        def to_pydict(self) -> dict[str, list[Any]]:
            return {"a": [1], "b": ["x"]}

    assert table.encode(Polars()).content == table.encode(Arrow()).content == b"a,b\r\n1,x\r\n"
