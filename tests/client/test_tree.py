from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deardiary.transfer import paths

ROOT = Path("/data/target")


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "\\etc\\passwd", "//host/share", "\\\\host\\share", "C:evil", "c:\\evil", "C:/evil"),
        *("sub/C:/evil", "sub/c:evil", "sub\\d:", "a/b/Z:"),
        *("../up", "a/../../up", "a\\..\\up", "..", "a/..", "a\0b"),
    ],
)
def test_a_name_outside_the_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        paths.path_of(name, ROOT)


@pytest.mark.parametrize("name", ["", ".", "a/", "a/.", "a\\"])
def test_a_name_that_names_no_file_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names no file"):
        paths.path_of(name, ROOT)


@pytest.mark.parametrize(
    ("name", "below"),
    [("a", "a"), ("a/b c/ü☃", "a/b c/ü☃"), ("a\\b", "a/b"), ("./a//b", "a/b"), ("..a/b..", "..a/b..")],
)
def test_other_names_are_kept(name: str, below: str) -> None:
    assert paths.path_of(name, ROOT) == ROOT / below


@given(st.text(alphabet="ab./\\:~ \0ü", max_size=12))
def test_no_name_leads_out(name: str) -> None:
    try:
        path = paths.path_of(name, ROOT)
    except ValueError:
        return
    assert Path(os.path.normpath(path)).is_relative_to(ROOT)
    assert path != ROOT


def test_a_link_in_the_way_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    (root / "a").mkdir(parents=True)
    (root / "a" / "link").symlink_to(outside)
    paths.create_folders(root, root / "a" / "b" / "c")
    assert (root / "a" / "b").is_dir()
    with pytest.raises(ValueError, match="is a link"):
        paths.create_folders(root, root / "a" / "link" / "c")
    assert list(outside.iterdir()) == []


def test_the_files_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "sub" / "empty").mkdir(parents=True)
    for name in ("b", "sub/ä c", "sub/a"):
        (tmp_path / name).write_text(name)
    (tmp_path / "elsewhere").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert [name for name, _ in paths.files_in(tmp_path)] == ["b", "sub/a", "sub/ä c"]
    assert [name for name, _ in paths.files_in(tmp_path, "run 1/")] == ["run 1/b", "run 1/sub/a", "run 1/sub/ä c"]


def test_a_path_that_is_too_long_for_a_name(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 100] * 3)
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    with pytest.raises(ValueError, match="255 characters"):
        paths.files_in(tmp_path)
