"""A file that a comment, a docstring or a page names by folder and name exists."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
# Not after a slash, a brace or a colon, which begin absolute paths, URLs and paths of other machines.
NAMED = re.compile(r"(?<![\w/.}<:~-])((?:\.?[\w-]+/)+[\w.-]+\.(?:py|md))\b")
# Folders that the repository does not hold: installed, generated or cached.
ELSEWHERE = {".git", ".venv", ".deardiary", "node_modules", "__pycache__", "build", "dist"}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def files() -> Iterator[str]:
    for folder, inner, names in os.walk(REPOSITORY):
        inner[:] = [name for name in inner if name not in ELSEWHERE and not name.endswith("_cache")]
        yield from (str((Path(folder) / name).relative_to(REPOSITORY)) for name in names)


FILES = sorted(files())
# A release's description of its files stays unchanged.
TEXTS = [name for name in FILES if name.endswith((".py", ".md")) and name != "CHANGELOG.md"]


def prose(path: Path) -> Iterator[str]:
    """Yield comments and docstrings of a module, or a whole page."""
    text = path.read_text()
    if path.suffix == ".md":
        yield text
        return
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    yield from (token.string for token in tokens if token.type == tokenize.COMMENT)
    yield from (ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, DOCUMENTED))


def exists(name: str) -> bool:
    """True for a path from the repository's root, or from a folder in it, such as a layer."""
    return any(each == name or each.endswith(f"/{name}") for each in FILES)


def test_every_file_that_a_text_names_exists() -> None:
    named = {(text, name) for text in TEXTS for part in prose(REPOSITORY / text) for name in NAMED.findall(part)}
    assert len(named) > 50
    assert {(text, name) for text, name in named if not exists(name)} == set()


def test_links_of_pages_lead_to_files() -> None:
    for page in (REPOSITORY / name for name in TEXTS if name.endswith(".md")):
        links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
        assert [link for link in links if not (page.parent / link).exists()] == [], page


def test_a_name_of_no_file_is_recognised() -> None:
    assert NAMED.findall("see storage/no_such.py, `.github/no-such.md`. And docs/batches.md") == [
        "storage/no_such.py",
        ".github/no-such.md",
        "docs/batches.md",
    ]
    assert not exists("storage/no_such.py")
    assert exists("security/test_matrix.py")
    assert not NAMED.findall("/opt/ml/code/train.py https://host/x.py {root}/x.py")
