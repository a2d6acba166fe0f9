"""Pages are found by links and use plain words, decisions have one form, the glossary explains each term once."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PAGES = set(DOCS.rglob("*.md"))
# Pronouns that hide the actor, and words with a plainer equivalent: the glossary's last table has it.
AVOIDED = re.compile(
    r"\b(who(m)?ever|whatever|nobody|somebody|anew|for ever|go(es)? on)\b"
    r"|\b(brings?|brought|heard|mends?|puts? down|looks? at)\b",
    re.IGNORECASE,
)


def linked(path: Path) -> set[Path]:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text())
    return {(path.parent / link).resolve() for link in links}


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [DOCS.parent / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        waiting += [each for each in linked(page) if each.suffix == ".md" and each not in reached]
    assert PAGES - reached == set()


def test_links_into_a_page_name_a_heading() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)]+)\)", page.read_text()):
            text = ((page.parent / target) if target else page).read_text()
            headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, (page, target, anchor)


def test_a_decision_has_context_decision_and_price() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text()
        assert text.startswith(f"# {page.name[:4]}. "), page
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Price"], page
        assert page in linked(DOCS / "architecture.md"), page


def test_the_glossary_explains_each_term_once() -> None:
    rows = re.findall(r"^\| (\*\*.+?) \| (.+?) \| .+ \|$", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    terms = [term for head, _ in rows for term in re.findall(r"\*\*(.+?)\*\*", head)]
    assert len(terms) > 60
    assert sorted(terms) == sorted(set(terms))


def test_pages_use_plain_words() -> None:
    texts = [*PAGES - {DOCS / "glossary.md"}, DOCS.parent / "README.md", DOCS.parent / "client" / "README.md"]
    lines = ((page.name, line) for page in texts for line in page.read_text().splitlines())
    assert [(name, line) for name, line in lines if AVOIDED.search(line)] == []
