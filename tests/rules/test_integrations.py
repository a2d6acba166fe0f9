"""Each integration has an example, a page whose code is the example's, an extra and a test with the real framework."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROOM = REPOSITORY / "client" / "src" / "deardiary" / "integrations"
NAMES = sorted(path.stem for path in ROOM.glob("*.py") if not path.stem.startswith("_"))
PAGES = REPOSITORY / "docs" / "integrations"


def code_of(page: Path) -> list[str]:
    blocks = re.findall(r"^```python\n(.+?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
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


def test_there_is_a_page_for_nothing_else() -> None:
    assert sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "index") == NAMES
