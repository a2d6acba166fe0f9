"""Scan a text token by token. Errors name the column and the expected token."""

from __future__ import annotations

import re

from chalicelib.errors import InvalidPayload
from chalicelib.services.search.values import NUMBER_FORM, to_number

MAX_CHARACTERS = 4096
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_SHOWN = re.compile(r"""'[^']{0,60}'|"[^"]{0,60}"|\w{1,30}|[\s\S]?""")


class Scanner:
    """A position in a text. Errors are InvalidPayload with `field` and `column`, which counts characters from 1."""

    def __init__(self, text: str, field: str) -> None:
        self.text = text
        self.index = 0
        self._field = field
        if len(text) > MAX_CHARACTERS:
            raise self.error(f"this is longer than {MAX_CHARACTERS} characters", MAX_CHARACTERS)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise self.error("this is not Unicode", error.start) from None
        self.skip()

    def error(self, problem: str, index: int | None = None) -> InvalidPayload:
        column = (self.index if index is None else index) + 1
        return InvalidPayload(
            f"{self._field}, column {column}: {problem} (docs/search.md)", field=self._field, column=column
        )

    def expected(self, what: str, index: int | None = None, meant: str = "") -> InvalidPayload:
        index = self.index if index is None else index
        match = _SHOWN.match(self.text, index)
        shown = match[0] if match else ""
        is_quoted = len(shown) > 1 and shown[0] in "'\""
        found = shown if is_quoted else repr(shown) if shown else "the end"
        hint = f", did you mean {meant}?" if meant else ""
        return self.error(f"expected {what}, found {found}{hint}", index)

    def skip(self) -> None:
        space = _SPACE.match(self.text, self.index)
        self.index = space.end() if space else self.index

    def at_end(self) -> bool:
        return self.index == len(self.text)

    def peek(self) -> str:
        """The next character, or an empty text at the end."""
        return self.text[self.index : self.index + 1]

    def accept(self, symbol: str) -> bool:
        """Skip the symbol and the space after it. True if the symbol was next, else False."""
        accepted = self.text.startswith(symbol, self.index)
        if accepted:
            self.index += len(symbol)
            self.skip()
        return accepted

    def accept_keyword(self, keyword: str) -> bool:
        """Like `accept`, for a whole word in any case."""
        word = _WORD.match(self.text, self.index)
        return word is not None and word[0].lower() == keyword and self.accept(word[0])

    def match(self, form: re.Pattern[str]) -> str:
        """Return the match and skip it, without the space after it. An empty text if there is no match."""
        match = form.match(self.text, self.index)
        self.index = match.end() if match else self.index
        return match[0] if match else ""

    def word(self) -> str:
        return self.match(_WORD)

    def number(self) -> int | float | None:
        """A number, or NaN, Infinity and -Infinity; None if there is none."""
        return to_number(self.match(NUMBER_FORM))

    def quoted(self) -> str:
        """The text in the quotes that open here. A quote in it is doubled or follows a backslash."""
        quote, start = self.peek(), self.index
        escaped = (quote + quote, "\\" + quote, "\\\\")
        characters: list[str] = []
        index = start + 1
        while index < len(self.text):
            if self.text[index : index + 2] in escaped:
                index += 1
            elif self.text[index] == quote:
                self.index = index + 1
                return "".join(characters)
            characters.append(self.text[index])
            index += 1
        raise self.error(f"the quote {quote} that opens here is never closed", start)
