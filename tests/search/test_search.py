"""The language of `filter` and `order_by`: meaning, errors and their columns, and the resulting order."""

from __future__ import annotations

import math
from datetime import datetime, timezone

import pytest

from chalicelib.errors import InvalidPayload
from chalicelib.services.search.budget import MAX_STEPS, Budget
from chalicelib.services.search.evaluate import predicate
from chalicelib.services.search.facts import Facts
from chalicelib.services.search.parse import MAX_DEPTH, MAX_TERMS, parse_filter, parse_order
from chalicelib.services.search.scanner import MAX_CHARACTERS
from deardiary.wire.shapes import IterationStatus
from tests.search.subjects import facts, ordered, summary

SUBJECT = facts(
    parameters={"lr": "0.010", "optimizer": "adam", "net/depth": "12", "val loss": "x", "seed": "9007199254740993"},
    summaries={
        "loss": summary(0.2, first=0.9, min=0.1, max=0.9, count=7, last_step=6),
        "train.loss": summary(0.5),
        "train": summary(3.0, min=2.0),
        "min": summary(4.0),
        "val loss": summary(1.0, min=0.25),
        "bad": summary(math.nan),
        "huge": summary(math.inf),
    },
    tags=("best", "v1.2"),
    notes='50% "off" at C:\\data',
    status_id=IterationStatus.FAILED,
    git_dirty=True,
    git_sha="abc123",
    error_message="line one\nline two",
)


def holds(text: str, subject: Facts = SUBJECT) -> bool:
    return predicate(parse_filter(text))(subject)


@pytest.mark.parametrize(
    "text",
    [
        'parameters.lr = "0.010" and metrics.loss < 0.3 and status = "FAILED" and tags = "best"',
        "parameters.lr = 0.01",
        "parameters.lr <= 1e-2",
        "parameters.lr > -5",
        'parameters.lr != "0.01"',
        "parameters.seed = 9007199254740993",
        'parameters.optimizer in ("sgd", "adam")',
        'parameters.lr in ("1", 0.01)',
        "parameters.optimizer like 'ad%'",
        "parameters.net/depth >= 12",
        "parameters.`val loss` = 'x'",
        "metrics.loss=0.2",
        "metrics.loss.min = .1 and metrics.loss.max = 0.9 and metrics.loss.first = +9e-1",
        "metrics.loss.count = 7 and metrics.loss.last_step = 6 and metrics.loss.last = 0.2",
        "metrics.loss in (1, 0.2)",
        "metrics.train.loss = 0.5",
        "metrics.train.min = 2 and metrics.train = 3",
        "metrics.min = 4 and metrics.min.min = 4",
        'metrics."val loss".min = 0.25 and metrics.`val loss` = 1',
        "metrics.huge > 1e308",
        "tags != 'worst' and tags like 'v1._' and tags in ('x', 'best')",
        "status = 3 and status in ('KILLED', 3) and status != 'RUNNING' and status_id = 3",
        "git_dirty = TRUE and git_dirty != false",
        "git_sha like '%b_1%' and git_sha > 'abc'",
        'notes like "50\\%%"',
        """notes = '50% "off" at C:\\data'""",
        'notes = "50% ""off"" at C:\\data"',
        'notes = "50% \\"off\\" at C:\\\\data"',
        "error_message like '%one%two'",
        "created_date = '2026-01-31T12:00:00Z' and created_date > '2026-01-31'",
        "created_date in ('2026-01-31T13:00:00+01:00')",
        "NOT (parameters.lr = 5) AND NOT NOT tags = 'best'",
        "tags = 'no' and tags = 'no' or tags = 'best'",
        "tags = 'best' or tags = 'no' and tags = 'no'",
        "not tags = 'no' and tags = 'best'",
        "((tags='best'))",
        "metrics.bad = NaN and metrics.loss != nan and metrics.bad in (1, NAN)",
        "metrics.huge = Infinity and metrics.huge = inf and metrics.loss > -Infinity and metrics.loss < +INF",
        "parameters.nothing is null and parameters.lr is not null and metrics.none is null and metrics.bad IS NOT NULL",
        "end_date is null and parent_iteration_id is null and python_version is null and notes is not null",
        "tags is not null and not tags is null",
        "tags contains 'es' and notes contains '50%' and parameters.optimizer CONTAINS 'dam'",
        "status = 'failed' and status in ('Killed', 'Failed')",
        "parameters.lr in ('x', 0.01) and parameters.lr in ('0.010', 5) and parameters.optimizer in ('adam', 5)",
        "git_sha like '_b%2_' and git_sha like '%_12%' and git_sha like '______' and tags like '%_._'",
    ],
)
def test_it_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        'parameters.lr = "0.01"',
        "parameters.optimizer like 'AD%'",
        "parameters.optimizer like 'ad'",
        "parameters.seed = 9007199254740992",
        "tags != 'best'",
        "tags = 'Best'",
        "tags in ('a', 'b')",
        "not (tags = 'best' or tags = 'x')",
        "notes like '50\\%'",
        "status in (1, 2)",
        "git_dirty = false",
        "metrics.bad != NaN",
        "metrics.bad = 1 or metrics.bad != 1 or metrics.bad in (1)",
        "metrics.loss = NaN or metrics.none = NaN or metrics.none != NaN",
        "metrics.bad < Infinity or metrics.bad >= NaN or metrics.loss < NaN",
        "tags contains 'BEST' or notes contains '_' or git_sha contains 'x'",
        "git_sha like '_______' or git_sha like '_b_' or git_sha like '%_abc%'",
    ],
)
def test_it_does_not_hold(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize("comparator", ["=", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("name", ["parameters.none", "metrics.none", "metrics.bad", "parameters.optimizer"])
def test_a_comparison_of_unlike_values_is_false_but_its_negation_is_not(name: str, comparator: str) -> None:
    assert not holds(f"{name} {comparator} 1")
    assert holds(f"not {name} {comparator} 1")


def test_an_iteration_without_an_end_or_a_parent_is_found_by_neither() -> None:
    assert not holds("end_date != '2026-01-31' or parent_iteration_id != 'x' or end_date < '2027-01-01'")


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("metrics.loss", 13, "= != < <= > >= in, or is null, found the end"),
        ("metrics.loss = 'a'", 16, "expected a number, found"),
        ("metrics.loss like 'a'", 14, "comparators"),
        ("metrics.loss = nano", 16, "a number, found 'nano'"),
        ("metrics.loss = --inf", 16, "a number, found"),
        ("metrics.loss is 1", 17, "null or not null, found '1'"),
        ("metrics.loss is not 1", 21, "expected null, found '1'"),
        ("metrics.loss contains 'a'", 14, "comparators"),
        ("status = 'fail'", 10, "a status"),
        ("metrics.loss = 1 metrics.x = 1", 18, '"and", "or" or the end'),
        ("  and", 3, "parameters.<key>"),
        ("params.lr = 1", 1, "parameters.<key>"),
        ("parameters = 1", 11, "a dot"),
        ("parameters.= 1", 12, "a key"),
        ("parameters.val loss = 1", 16, "comparators"),
        ('metrics."a".mean = 1', 13, "one of first"),
        ("parameters.lr = true", 17, "a number, or a text"),
        ("parameters.lr like 1", 20, "a text in quotes"),
        ("parameters.lr = 'open", 17, "never closed"),
        ("parameters.lr in 'a'", 18, "an opening parenthesis"),
        ("parameters.lr in ()", 19, "a number, or a text"),
        ("parameters.lr in ('a'", 22, "a comma or a closing parenthesis"),
        ("parameters.lr == 1", 16, "a number, or a text"),
        ("(tags = 'a'", 12, "closing parenthesis"),
        ("tags = 'a')", 11, '"and", "or" or the end'),
        ("tags = 'a' and", 15, "parameters.<key>"),
        ("tags < 'a'", 6, "= != like contains in"),
        ("tags = 1", 8, "a text in quotes"),
        ("tags.x = '1'", 5, "comparators"),
        ("status < 2", 8, "= != in"),
        ("status = failed", 10, "found 'failed', did you mean \"failed\"?"),
        ("tags in (best, 'a')", 10, "found 'best', did you mean \"best\"?"),
        ("status = 'FINISHED'", 10, '3 or "FAILED"'),
        ("status = 'finished'", 10, "found 'finished'"),
        ("status = 'it'", 10, '2 or "SUCCEEDED"'),
        ("lr < 0.05", 1, "'lr' is no field of an iteration, did you mean parameters.lr or metrics.lr?"),
        ("statu = 1", 1, "did you mean status?"),
        ("metric.loss < 1", 1, "did you mean metrics?"),
        ("status = 5", 10, "a status"),
        ("status = true", 10, "a status"),
        ("git_dirty = 'true'", 13, "true or false"),
        ("created_date > 'yesterday'", 16, "a time in quotes"),
        ("created_date > 5", 16, "a time in quotes"),
        ("notes = 'ü' and 5", 17, "parameters.<key>"),
        ("notes = '\ud800'", 10, "Unicode"),
        ("tags = 'a' " + " " * MAX_CHARACTERS, MAX_CHARACTERS + 1, "longer than 4096"),
        ("(" * 51 + "tags = 'a'" + ")" * 51, MAX_DEPTH + 1, "50 deep"),
        ("not " * 51 + "tags = 'a'", 4 * MAX_DEPTH + 1, "50 deep"),
    ],
)
def test_errors_say_where_and_what_was_expected(text: str, column: int, expected: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        parse_filter(text)
    assert caught.value.details == {"field": "filter", "column": column}
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("metrics.loss down", 14, '"asc", "desc"'),
        ("notes,", 7, "parameters.<key>"),
        ("notes, tags desc", 8, "no order"),
        ("loss desc", 1, "did you mean parameters.loss or metrics.loss?"),
        (", ".join(["notes"] * (MAX_TERMS + 1)), 57, "at most 8"),
    ],
)
def test_errors_of_an_order(text: str, column: int, expected: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        parse_order(text)
    assert caught.value.details == {"field": "order_by", "column": column}
    assert expected in caught.value.message


def test_the_deepest_nesting_is_taken() -> None:
    assert holds("(" * MAX_DEPTH + "tags = 'best'" + ")" * MAX_DEPTH)
    assert holds(" and ".join(["tags='best'"] * 200))


def test_numbers_then_nan_then_missing_in_both_directions() -> None:
    values = {"a": 2.0, "b": -math.inf, "c": math.nan, "e": -1.5, "f": 0.0, "g": -0.0, "h": math.inf}
    some = [facts(id=key, summaries={"m": summary(value)}) for key, value in values.items()]
    some.append(facts(id="d"))
    assert ordered("metrics.m", *some) == ["b", "e", "f", "g", "a", "h", "c", "d"]
    assert ordered("metrics.m DESC", *some) == ["h", "a", "f", "g", "e", "b", "c", "d"]


def test_parameters_go_as_numbers_where_they_are_numbers() -> None:
    values = {"a": "10", "b": "9", "c": "adam", "e": "1e-3", "f": "ad", "g": "NaN", "h": "-inf"}
    some = [facts(id=key, parameters={"p": value}) for key, value in values.items()]
    some.append(facts(id="d"))
    assert ordered("parameters.p asc", *some) == ["h", "e", "b", "a", "f", "c", "g", "d"]
    assert ordered("parameters.p desc", *some) == ["a", "b", "e", "h", "c", "f", "g", "d"]


def test_later_terms_decide_between_equals_and_ids_at_last() -> None:
    some = [
        facts(id="a", status_id=IterationStatus.FAILED, summaries={"m": summary(0.0, last_step=2**63 - 1)}),
        facts(id="b", status_id=IterationStatus.RUNNING, notes="x"),
        facts(id="c", status_id=IterationStatus.FAILED, summaries={"m": summary(0.0, last_step=2**63 - 2)}),
        facts(
            id="d", status_id=IterationStatus.RUNNING, notes="x", created_date=datetime(1, 1, 1, tzinfo=timezone.utc)
        ),
    ]
    assert ordered("status desc, metrics.m.last_step, notes", *some) == ["c", "a", "b", "d"]
    assert ordered("notes desc, created_date", *some) == ["d", "b", "a", "c"]
    assert ordered("id desc", *some) == ["d", "c", "b", "a"]


def steps_of(text: str, subject: Facts) -> int:
    budget = Budget()
    predicate(parse_filter(text), budget)(subject)
    return MAX_STEPS - budget._left


LONG = facts(parameters={"p": "a" * 6000, "digits": "1" * 6000}, tags=("a",) * 50)


@pytest.mark.parametrize(
    "text",
    [
        "parameters.p like '%" + "aa_" * 1200 + "b_a%'",
        "parameters.p like '" + "%a" * 1800 + "%b%'",
        " or ".join(["parameters.p contains 'ba'"] * 120),
        " or ".join(["tags = 'b'"] * 200),
        " or ".join(["parameters.digits = 1"] * 150),
    ],
    ids=["verified everywhere", "many pieces", "contains", "tags", "numbers"],
)
def test_too_much_work_on_many_iterations_is_refused(text: str) -> None:
    with pytest.raises(InvalidPayload, match="too much work") as caught:
        list(map(predicate(parse_filter(text)), [LONG] * 10_000))
    assert caught.value.details["field"] == "filter"
    assert text[caught.value.details["column"] - 1 :].startswith(("parameters.", "tags"))


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("parameters.p like '%" + "a" * 4000 + "b%'", 100),
        ("parameters.p like '%" + "a_" * 1000 + "%b%a%'", 100),
        ("parameters.p in (" + ",".join(["1"] * 1900) + ")", 10),
        ("parameters.digits in (" + ",".join(["1"] * 1900) + ")", 10),
        ("parameters.p like 'a%a_a%' and parameters.p contains 'aaa' and tags = 'b'", 150),
        (" and ".join(["status = 1"] * 200), 200),
    ],
)
def test_reasonable_filters_pass_on_ten_thousand_iterations(text: str, most: int) -> None:
    assert 0 < steps_of(text, LONG) <= most < MAX_STEPS / 10_000


def test_a_text_of_very_many_digits_is_no_number() -> None:
    assert not holds("parameters.digits > 0", LONG)
    assert holds("parameters.digits like '1%'", LONG)
