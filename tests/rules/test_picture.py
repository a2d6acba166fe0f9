"""The picture of the README is drawn from text: well-formed, column by column, and it loads nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from docs.images import draw

TEXT = "{http://www.w3.org/2000/svg}text"


def drawn(picture: str) -> list[tuple[int, str, str]]:
    """Return column, text and colour of each run of the picture."""
    texts = ET.fromstring(picture).iter(TEXT)  # noqa: S314 - our own picture
    return [
        (round((float(each.attrib["x"]) - draw.MARGIN) / draw.CELL), each.text or "", each.attrib["class"])
        for each in texts
    ]


def test_each_run_of_text_stands_at_its_column() -> None:
    line = "└ a<b  \x1b[32mSUCCEEDED\x1b[0m     0.03"
    assert drawn(draw.svg([line])) == [(0, "└ a<b", ""), (7, "SUCCEEDED", "good"), (21, "0.03", "")]


def test_the_picture_shows_both_commands_and_loads_nothing() -> None:
    picture = Path(draw.PICTURE).read_text(encoding="utf-8")
    texts = [text for _, text, _ in drawn(picture)]
    assert f"$ deardiary iterations ls '{draw.EXPERIMENT}' \\" in texts
    assert any(re.fullmatch(r"\$ deardiary metrics plot( \w{10}){3} valid_accuracy", text) for text in texts)
    assert texts.count("SUCCEEDED") == 4
    assert "prefers-color-scheme: dark" in picture
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(|<image|<script", picture) == []
