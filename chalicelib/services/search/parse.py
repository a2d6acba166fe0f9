"""The language of `filter` and `order_by`, by recursive descent.

    filter     = and, { "or", and } ;
    and        = not, { "and", not } ;
    not        = "not", not | "(", filter, ")" | comparison ;
    comparison = name, ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "like" | "contains" ), literal
               | name, "in", "(", literal, { ",", literal }, ")"
               | name, "is", [ "not" ], "null" ;
    order      = term, { ",", term } ;
    term       = name, [ "asc" | "desc" ] ;
    name       = "parameters", ".", key | "labels", ".", key | "metrics", ".", key, [ ".", part ]
               | "tags" | attribute ;
    part       = "first" | "last" | "min" | "max" | "count" | "last_step" ;
    attribute  = "id" | "status" | "notes" | "created_date" | … (ast.ATTRIBUTES) ;
    key        = ( letter | digit | "_" | "." | "-" | "/" ), { the same } | quoted ;
    quoted     = text in '…', "…" or, for keys, `…`; a quote in it is doubled or follows a backslash ;
    literal    = number | text in '…' or "…" | "true" | "false" ;

Keywords are case-insensitive; names and texts are case-sensitive. A number is decimal, with or without
exponent, or one of NaN, Infinity and -Infinity. docs/search.md describes the language with examples.

A bare metric key may contain dots. Its last component is the part if it is one of those six and another component
precedes it; otherwise it belongs to the key. `metrics.train.loss` is the last value of "train.loss",
`metrics.train.min` the minimum of "train", `metrics.min` the last value of "min". A quoted key ends at its quote:
`metrics."train.min"` is the last value of "train.min", and `metrics."train.min".max` its maximum.

In `like`, % matches any text and _ any one character; a backslash before %, _ or a backslash means that character.
"""

from __future__ import annotations

import re

from chalicelib.services.search.ast import (
    ATTRIBUTES,
    PARTS,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Kind,
    Name,
    Not,
    Term,
)
from chalicelib.services.search.scanner import Scanner
from chalicelib.services.search.values import NULLS, PATTERNS, TEXT, Literal, Type, Value

MAX_DEPTH = 50
MAX_TERMS = 8
_DOT = re.compile(r"\.")
_BARE_KEY = re.compile(r"[\w./-]+")
# Longest first: "<" is a prefix of "<=".
_SYMBOLS = ("!=", "<=", ">=", "=", "<", ">")
_NAMES = "parameters.<key>, metrics.<key>, labels.<key>, tags or an attribute (" + ", ".join(ATTRIBUTES) + ")"


def parse_filter(text: str) -> Condition:
    """Parse a filter. InvalidPayload with the column of the first error."""
    scan = Scanner(text, "filter")
    condition = _any_of(scan, 0)
    if not scan.at_end():
        raise scan.expected('"and", "or" or the end')
    return condition


def parse_order(text: str) -> tuple[Term, ...]:
    """Parse an order. InvalidPayload with the column of the first error."""
    scan = Scanner(text, "order_by")
    terms = [_term(scan)]
    while scan.accept(","):
        if len(terms) == MAX_TERMS:
            raise scan.error(f"at most {MAX_TERMS} names can be ordered by")
        terms.append(_term(scan))
    if not scan.at_end():
        raise scan.expected('"asc", "desc", a comma or the end')
    return tuple(terms)


def _any_of(scan: Scanner, depth: int) -> Condition:
    conditions = [_all_of(scan, depth)]
    while scan.accept_keyword("or"):
        conditions.append(_all_of(scan, depth))
    return conditions[0] if len(conditions) == 1 else AnyOf(tuple(conditions))


def _all_of(scan: Scanner, depth: int) -> Condition:
    conditions = [_not(scan, depth)]
    while scan.accept_keyword("and"):
        conditions.append(_not(scan, depth))
    return conditions[0] if len(conditions) == 1 else AllOf(tuple(conditions))


def _not(scan: Scanner, depth: int) -> Condition:
    start = scan.index
    if scan.accept_keyword("not"):
        return Not(_not(scan, _deeper(scan, depth, start)))
    if scan.accept("("):
        condition = _any_of(scan, _deeper(scan, depth, start))
        if not scan.accept(")"):
            raise scan.expected('"and", "or" or a closing parenthesis')
        return condition
    return _comparison(scan)


def _deeper(scan: Scanner, depth: int, start: int) -> int:
    if depth == MAX_DEPTH:
        raise scan.error(f"parentheses and nots can be {MAX_DEPTH} deep at most", start)
    return depth + 1


def _comparison(scan: Scanner) -> Comparison:
    column = scan.index + 1
    name = _name(scan)
    comparator = _comparator(scan, name.type)
    values: tuple[Value, ...] = ()
    if comparator == "in":
        values = _list(scan, name.type)
    elif comparator not in NULLS:
        values = (_value(scan, TEXT if comparator in PATTERNS else name.type),)
    return Comparison(name, comparator, values, column)


def _comparator(scan: Scanner, kind: Type) -> str:
    start = scan.index
    if scan.accept_keyword("is"):
        return _null(scan)
    comparator = next((each for each in _SYMBOLS if scan.accept(each)), None)
    comparator = comparator or next((each for each in (*PATTERNS, "in") if scan.accept_keyword(each)), None)
    if comparator not in kind.comparators:
        raise scan.expected(f"one of the comparators {' '.join(kind.comparators)}, or is null", start)
    return comparator


def _null(scan: Scanner) -> str:
    comparator = NULLS[1] if scan.accept_keyword("not") else NULLS[0]
    if not scan.accept_keyword("null"):
        raise scan.expected("null" if comparator == NULLS[1] else "null or not null")
    return comparator


def _list(scan: Scanner, kind: Type) -> tuple[Value, ...]:
    if not scan.accept("("):
        raise scan.expected("an opening parenthesis")
    values = [_value(scan, kind)]
    while scan.accept(","):
        values.append(_value(scan, kind))
    if not scan.accept(")"):
        raise scan.expected("a comma or a closing parenthesis")
    return tuple(values)


def _value(scan: Scanner, kind: Type) -> Value:
    start = scan.index
    literal = _literal(scan)
    try:
        if literal is None:
            raise ValueError
        value = kind.fit(literal)
    except ValueError:
        raise scan.expected(kind.expected, start, _quoted(scan, kind, start)) from None
    scan.skip()
    return value


def _quoted(scan: Scanner, kind: Type, start: int) -> str:
    """A word without its quotes, in quotes, if that would be right; else an empty text."""
    scan.index = start
    word = scan.word()
    try:
        kind.fit(word)
    except ValueError:
        return ""
    return f'"{word}"' if word else ""


def _literal(scan: Scanner) -> Literal | None:
    if scan.peek() in ("'", '"'):
        return scan.quoted()
    for keyword, value in (("true", True), ("false", False)):
        if scan.accept_keyword(keyword):
            return value
    return scan.number()


def _term(scan: Scanner) -> Term:
    start = scan.index
    name = _name(scan)
    if name.kind is Kind.TAGS:
        raise scan.error("an iteration has many tags, they give no order", start)
    if scan.accept_keyword("desc"):
        return Term(name, descending=True)
    scan.accept_keyword("asc")
    return Term(name)


def _name(scan: Scanner) -> Name:
    start = scan.index
    match scan.word():
        case "parameters":
            name = Name(Kind.PARAMETERS, _key(scan)[0])
        case "labels":
            name = Name(Kind.LABELS, _key(scan)[0])
        case "metrics":
            name = _metric(scan)
        case "tags":
            name = Name(Kind.TAGS)
        case word if word in ATTRIBUTES:
            name = Name(None, ATTRIBUTES[word][0])
        case word:
            raise scan.error(_not_a_name(word), start) if word else scan.expected(_NAMES, start)
    scan.skip()
    return name


def _not_a_name(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, (*ATTRIBUTES, "parameters", "metrics", "labels", "tags"), n=1, cutoff=0.75)
    meant = near[0] if near else f"parameters.{word} or metrics.{word}"
    return f"{word!r} is no field of an iteration, did you mean {meant}? Expected {_NAMES}"


def _key(scan: Scanner) -> tuple[str, bool]:
    """The key after a dot, and True if it was quoted."""
    if not scan.match(_DOT):
        raise scan.expected("a dot and a key")
    if scan.peek() in ("'", '"', "`"):
        return scan.quoted(), True
    key = scan.match(_BARE_KEY)
    if not key:
        raise scan.expected("a key, in quotes if it is more than letters, digits and _ . - /")
    return key, False


def _metric(scan: Scanner) -> Name:
    key, quoted = _key(scan)
    if quoted:
        return Name(Kind.METRICS, key, _part(scan))
    before, _, last = key.rpartition(".")
    return Name(Kind.METRICS, before, last) if before and last in PARTS else Name(Kind.METRICS, key, "last")


def _part(scan: Scanner) -> str:
    """The part after a quoted key; "last" without one."""
    if not scan.match(_DOT):
        return "last"
    start, part = scan.index, scan.word()
    if part not in PARTS:
        raise scan.expected("one of " + ", ".join(PARTS), start)
    return part
