"""Run the code blocks of a page from top to bottom, as a reader would who types all of them.

- ``python`` blocks share one namespace. One whose first line is ``# NAME.py`` is written to that file instead.
- ``sh`` blocks may hold ``deardiary …``, ``python NAME.py …`` and ``export NAME=VALUE``; ``> FILE``, ``&`` and
  ``NAME=VALUE`` before a command work as in a shell. A word in capitals is the id of the object of that name in the
  Python namespace: ITERATION is ``iteration.id``.
- A ``text`` block is the output of the block before it; ``…`` in it stands for any text.
- ``<!-- not run: REASON -->`` before a block leaves it out.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deardiary import ApiToken
from deardiary.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
_ASSIGNMENT = re.compile(r"[A-Z_]+=")
_PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b")


@dataclass(frozen=True)
class Block:
    language: str
    code: str
    reason: str | None  # the reason not to run it


def blocks_of(page: str) -> list[Block]:
    found = _BLOCK.finditer((DOCS / page).read_text())
    return [Block(each["language"], each["code"], each["reason"]) for each in found]


class Reader:
    """A reader with a terminal, a Python session and a working directory."""

    def __init__(self, page: str, given: Mapping[str, Any]) -> None:
        self.page = page
        self.namespace: dict[str, Any] = {"__name__": "__main__", **given}

    def read(self) -> None:
        printed = ""
        for block in blocks_of(self.page):
            if block.reason is not None:
                continue
            if block.language == "text":
                assert _fits(block.code, printed), f"{self.page} shows:\n{block.code}\nprinted was:\n{printed}"
            else:
                with contextlib.redirect_stdout(io.StringIO()) as stdout:
                    self._run(block)
                printed = stdout.getvalue()

    def _run(self, block: Block) -> None:
        if block.language == "sh":
            for line in block.code.replace("\\\n", "").splitlines():
                self._command(shlex.split(line, comments=True))
        elif block.language == "python":
            self._python(block.code)
        else:
            raise AssertionError(f"{self.page} has a block in {block.language!r} that nothing runs")

    def _python(self, code: str) -> None:
        name = re.match(r"# (\w+\.py)\n", code)
        if name:
            Path(name[1]).write_text(code)
        else:
            exec(compile(code, self.page, "exec"), self.namespace)  # noqa: S102 - our own page

    def _command(self, words: list[str]) -> None:
        words = [self._filled_in(each) for each in words]
        if words[:1] == ["export"]:
            os.environ.update(_assignments(words))
            return
        given = _assignments(words)
        words = [each for each in words[len(given) :] if each != "&"]
        target = words[words.index(">") + 1] if ">" in words else None
        words = words[: words.index(">")] if target else words
        with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
            for name, value in given.items():
                patch.setenv(name, value)
            if target:
                stack.enter_context(contextlib.redirect_stdout(stack.enter_context(Path(target).open("w"))))
            _run_program(words, patch)

    def _filled_in(self, word: str) -> str:
        name = _ASSIGNMENT.match(word)
        start = name.end() if name else 0
        return word[:start] + _PLACEHOLDER.sub(self._meant, word[start:])

    def _meant(self, match: re.Match[str]) -> str:
        value = self.namespace.get(match[0].lower())
        if isinstance(value, ApiToken):
            return str(value.token)
        return match[0] if value is None else str(getattr(value, "id", value))


def _assignments(words: list[str]) -> dict[str, str]:
    found = (each.partition("=") for each in words if _ASSIGNMENT.match(each))
    return {name: value for name, _, value in found}


def _run_program(words: list[str], patch: pytest.MonkeyPatch) -> None:
    match words:
        case [] | ["wait"]:
            pass
        case ["deardiary", *arguments]:
            assert main(arguments) == 0, words
        case ["python", file, *_]:
            patch.setattr(sys, "argv", words[1:])
            runpy.run_path(file, run_name="__main__")
        case _:
            raise AssertionError(f"Nothing here runs {words}")


def _fits(shown: str, printed: str) -> bool:
    pattern = ".*?".join(re.escape(part) for part in re.sub(r" +", " ", shown).strip().split("…"))
    return re.fullmatch(pattern, re.sub(r" +", " ", printed).strip(), re.DOTALL) is not None
