"""Each integration has an example, a page whose code is the example's, an extra and a test with the real framework.

The commands of a page install from a clone, and all that its examples import.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROOM = REPOSITORY / "client" / "src" / "deardiary" / "integrations"
NAMES = sorted(path.stem for path in ROOM.glob("*.py") if not path.stem.startswith("_"))
PAGES = REPOSITORY / "docs" / "integrations"
PROJECT = (ROOM.parents[2] / "pyproject.toml").read_text()

# The distribution of an imported module, if its name is another.
DISTRIBUTIONS = {"hydra": "hydra-core", "sklearn": "scikit-learn", "PIL": "pillow"}
# What the distributions bring, beside the module of their own name. All but a few bring numpy.
BRINGS = {
    "lightning": {"torch"},
    "accelerate": {"torch"},
    "fastai": {"torch"},
    "transformers": {"tokenizers"},
    "trl": {"datasets"},
    "ultralytics": {"pillow"},
    "tensorboard": {"torch.utils.tensorboard"},
}


def code_of(page: Path, language: str = "python") -> list[str]:
    blocks = re.findall(rf"^```{language}\n(.+?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("name", NAMES)
def test_the_code_of_a_page_is_that_of_the_example(name: str) -> None:
    examples = (REPOSITORY / "examples" / "integrations").glob(f"train_{name}*.py")
    lines = {line.strip() for path in examples for line in path.read_text().splitlines()}
    assert code_of(PAGES / f"{name}.md")
    assert [line for line in code_of(PAGES / f"{name}.md") if line not in lines] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_integration_has_an_extra_a_row_in_the_index_and_a_training_in_the_tests(name: str) -> None:
    assert f"({name}.md)" in (PAGES / "index.md").read_text()
    assert re.search(rf"^{name.replace('_', '-')} = ", (ROOM.parents[2] / "pyproject.toml").read_text(), re.MULTILINE)
    assert f'"{name}": Training(' in (REPOSITORY / "tests" / "integrations" / "test_trainings.py").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_of_a_page_install_what_its_examples_import(name: str) -> None:
    commands = [line.partition("#")[0].split() for line in code_of(PAGES / f"{name}.md", "sh")]
    assert commands[0][:3] == ["pip", "install", f'"./client[{name.replace("_", "-")}]"']
    installed, ran = {"numpy"}, set()
    for words in commands:
        if words[:2] == ["pip", "install"]:
            installed |= {each for word in words[2:] for each in brought_by(word.strip('"'))}
            continue
        example = REPOSITORY / words[-1]
        assert words[-2] == "python"
        assert imported_by(example) <= installed, words
        ran.add(example)
    assert ran == {REPOSITORY / path for path in re.findall(r"examples/\S+\.py", (PAGES / f"{name}.md").read_text())}
    assert ran


def brought_by(requirement: str) -> set[str]:
    """The distributions that a requirement of a page installs."""
    extra = re.fullmatch(r"\./client\[([\w-]+)\]", requirement)
    named = re.findall(rf"^{extra[1]} = (.+)$", PROJECT, re.MULTILINE)[0] if extra else f'"{requirement}"'
    found = {word for text in re.findall(r'"([^"<>=]+)', named) for word in re.findall(r"[\w-]+", text)}
    return found.union(*(BRINGS.get(each, set()) for each in found))


def imported_by(example: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(example.read_text())))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    tops = {each if each in BRINGS["tensorboard"] else each.partition(".")[0] for each in modules}
    tops -= {"deardiary", *sys.stdlib_module_names}
    return {DISTRIBUTIONS.get(each, each.replace("_", "-")) for each in tops}


def test_there_is_a_page_for_nothing_else() -> None:
    assert sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "index") == NAMES
