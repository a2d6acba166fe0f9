"""The search of runs: filters, orders, pages, and their grammar."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import InvalidPayload
from chalicelib.routes.mlflow.filters import parse_filter, parse_order
from chalicelib.routes.mlflow.filters import test_of as condition_of
from chalicelib.routes.mlflow.run_search import GRAMMAR
from chalicelib.services.search.order import encode
from tests.support.api import found, new_person, new_project
from tests.support.mlflow import Mlflow, refusal
from tests.support.server import Server

LOSSES: list[Any] = [0.5, 0.1, "NaN", 2.0, -1.0, None, 0.5]


class Runs:
    """Seven runs of an experiment; a run without a loss has none."""

    def __init__(self, mlflow: Mlflow) -> None:
        self.mlflow = mlflow
        self.experiment = mlflow.new_experiment()
        self.ids = [self._log(number, loss) for number, loss in enumerate(LOSSES)]
        dataset = {"name": "iris", "digest": "d1", "source_type": "s", "source": "{}"}
        tags = [{"key": "mlflow.data.context", "value": "training"}]
        inputs = [{"dataset": dataset, "tags": tags}]
        found(mlflow.post("runs/log-inputs", run_id=self.ids[2], datasets=inputs))
        found(mlflow.post("runs/update", run_id=self.ids[3], status="FINISHED", end_time=9000))
        found(mlflow.post("runs/update", run_id=self.ids[4], status="SCHEDULED"))

    def _log(self, number: int, loss: Any) -> str:
        tags = [{"key": "group", "value": "even" if number % 2 == 0 else "Odd"}, {"key": "a b", "value": "x"}]
        run = self.mlflow.new_run(
            self.experiment, start_time=1000 + number, run_name=f"r{number}", user_id=f"u{number % 3}", tags=tags
        )
        metrics = [] if loss is None else [{"key": "loss", "value": loss, "timestamp": 1, "step": 0}]
        params = [{"key": "lr", "value": str(number)}] if number != 6 else []
        found(self.mlflow.post("runs/log-batch", run_id=run, metrics=metrics, params=params))
        return run

    def search(self, text: str = "", *order_by: str, **body: Any) -> list[int]:
        ids = self.mlflow.search(self.experiment, filter=text.format(*self.ids), order_by=order_by, **body)
        return [self.ids.index(each) for each in ids]


@pytest.fixture(scope="module")
def runs(mlflow: Mlflow) -> Runs:
    return Runs(mlflow)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", [6, 5, 4, 3, 2, 1, 0]),
        ("metrics.loss < 0.5", [4, 1]),
        ("metric.loss >= 0.5", [6, 3, 0]),
        # NaN is unequal to every number; a run without the metric never matches.
        ("metrics.loss != 0.5", [4, 3, 2, 1]),
        ("metrics.`loss` = 0.5 AND params.lr = '0'", [0]),
        ("params.lr != '1'", [5, 4, 3, 2, 0]),
        ("parameters.lr IS NULL", [6]),
        ("param.lr is not null and tags.group = 'Odd'", [5, 3, 1]),
        ("tags.group ILIKE 'OD%'", [5, 3, 1]),
        ("tags.group LIKE 'OD%'", []),
        ('tag."a b" = "x" and tags.`a b` LIKE \'_\'', [6, 5, 4, 3, 2, 1, 0]),
        ("run_id IN ('{0}', '{3}')", [3, 0]),
        ("attributes.run_id NOT IN ('{0}','{1}','{2}')", [6, 5, 4, 3]),
        ("attribute.run_id = '{2}'", [2]),
        ("attributes.`Run name` = 'r2'", [2]),
        ("run.run_name LIKE 'r%' and start_time > 1004", [6, 5]),
        ("attr.created <= 1000", [0]),
        ("end_time = 9000", [3]),
        ("status = 'FINISHED'", [3]),
        ("status = 'SCHEDULED'", [4]),
        ("status != 'RUNNING'", [4, 3]),
        ("user_id = 'u1'", [4, 1]),
        ("artifact_uri LIKE 'mlflow-artifacts:/%/artifacts' AND user_id = 'u0'", [6, 3, 0]),
        ("tags.`mlflow.runName` = 'r4'", [4]),
        ("dataset.name = 'iris'", [2]),
        ("datasets.digest IN ('d1', 'd2') AND dataset.context = 'training'", [2]),
        ("dataset.context = 'eval'", []),
    ],
)
def test_a_filter_finds_these_runs(runs: Runs, text: str, wanted: list[int]) -> None:
    assert runs.search(text) == wanted


@pytest.mark.parametrize(
    ("order_by", "wanted"),
    [
        # NaN after the numbers, missing at the end, in both directions; then the latest start first.
        (["metrics.loss"], [4, 1, 6, 0, 3, 2, 5]),
        (["metrics.loss DESC"], [3, 6, 0, 1, 4, 2, 5]),
        (["params.lr DESC"], [5, 4, 3, 2, 1, 0, 6]),
        (["tags.group", "start_time ASC"], [1, 3, 5, 0, 2, 4, 6]),
        (["attributes.run_name desc"], [6, 5, 4, 3, 2, 1, 0]),
        (["end_time ASC"], [3, 6, 5, 4, 2, 1, 0]),
        (["`tag`.`group` DESC", "attribute.user_id"], [6, 0, 4, 2, 3, 1, 5]),
    ],
)
def test_an_order_sorts_so(runs: Runs, order_by: list[str], wanted: list[int]) -> None:
    assert runs.search("", *order_by) == wanted
    assert runs.search("", *order_by, max_results=2) == wanted


def test_runs_that_start_at_once_are_in_the_order_of_their_ids(mlflow: Mlflow) -> None:
    experiment = mlflow.new_experiment()
    ids = sorted(mlflow.new_run(experiment, start_time=1) for _ in range(5))
    assert mlflow.search(experiment, max_results=2) == ids


def test_a_page_goes_on_though_runs_are_deleted_and_created(mlflow: Mlflow) -> None:
    experiment = mlflow.new_experiment()
    ids = [mlflow.new_run(experiment, start_time=number) for number in range(4)]
    first = found(mlflow.post("runs/search", experiment_ids=[experiment], max_results=2))
    found(mlflow.post("runs/delete", run_id=ids[3]))
    second = found(
        mlflow.post("runs/search", experiment_ids=[experiment], max_results=2, page_token=first["next_page_token"])
    )
    assert [each["info"]["run_id"] for each in second["runs"]] == [ids[1], ids[0]]
    assert "next_page_token" not in second


def test_several_experiments_are_searched_and_unreadable_ones_left_out(server: Server, mlflow: Mlflow) -> None:
    one, other = mlflow.new_experiment(), mlflow.new_experiment()
    ids = [mlflow.new_run(each, start_time=number) for number, each in enumerate((one, other, one))]
    foreign = Mlflow(server, workspace=new_project(server))
    hidden = foreign.new_run()
    elsewhere = foreign.run(hidden)["info"]["experiment_id"]
    assert mlflow.search(one, other, one, elsewhere, "unknown", "A#B") == ids[::-1]
    assert mlflow.search() == []
    assert Mlflow(server, new_person(server).token).search(one, other) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"filter": "metrics.loss = 'x'"}, "Expected numeric value type for metric. Found 'x'"),
        ({"filter": "start_time = 'x'"}, "Expected numeric value type for numeric attribute: start_time. Found 'x'"),
        ({"filter": "params.lr = 3"}, "Expected a quoted string value for parameter"),
        ({"filter": "params.lr = x"}, "Parameter value is either not quoted or unidentified quote types"),
        ({"filter": "metrics.loss LIKE 'x'"}, "Invalid comparator 'LIKE' not one of"),
        ({"filter": "params.lr > '1'"}, "Invalid comparator '>' not one of"),
        ({"filter": "run_name IN ('a')"}, "Only ['run_id'] attributes support comparison with a list"),
        ({"filter": "run_id IN ()"}, "While parsing a list in the query, expected a non-empty list"),
        ({"filter": "run_id IN (1)"}, "While parsing a list in the query, expected a non-empty list"),
        ({"filter": "foo.bar = 'x'"}, "Invalid entity type 'foo'."),
        ({"filter": "foo = 'x'"}, "Invalid attribute key 'foo' specified."),
        ({"filter": "dataset.source = 'x'"}, "Invalid dataset key 'source' specified."),
        ({"filter": "status IS NULL"}, "IS NULL / IS NOT NULL is only supported for tags and params"),
        ({"filter": "params.a = '1' OR params.a = '2'"}, "Invalid clause(s) in filter string: 'OR params.a"),
        ({"filter": "params.a"}, "Invalid clause(s) in filter string: 'params.a'"),
        ({"filter": "= '1'"}, "Invalid clause(s) in filter string"),
        ({"order_by": ["metrics.loss UP"]}, "Invalid ordering key in order_by clause 'metrics.loss UP'."),
        ({"order_by": ["metrics.loss DESC x"]}, "Invalid order_by clause 'metrics.loss DESC x'."),
        ({"order_by": ["dataset.name"]}, "Invalid order_by entity type 'dataset'"),
        ({"order_by": ["foo"]}, "Invalid attribute key 'foo' specified."),
        ({"max_results": 50_001}, "Invalid value 50001 for parameter 'max_results' supplied"),
        ({"run_view_type": "x"}, "Invalid value \"x\" for parameter 'run_view_type' supplied"),
        ({"page_token": "bad"}, "Invalid page token"),
        ({"experiment_ids": "x"}, "Invalid value \"x\" for parameter 'experiment_ids' supplied"),
    ],
)
def test_a_wrong_search_is_refused(runs: Runs, body: dict[str, Any], message: str) -> None:
    reply = runs.mlflow.post("runs/search", **{"experiment_ids": [runs.experiment], **body})
    assert refusal(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert refusal(reply)[2].startswith(message)


# The grammar, against a plain model.

KEYS = st.sampled_from(["loss", "a b", "mlflow.user", "x"])
TEXTS = st.text(alphabet="aB%_'x\\ ", max_size=5).filter(lambda text: "'" not in text)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SPACE = st.sampled_from([" ", "  ", "\n"])


def _like(pattern: str, text: str) -> bool:
    form = "".join(".*" if each == "%" else "." if each == "_" else re.escape(each) for each in pattern)
    return re.fullmatch(form, text, re.DOTALL) is not None


def _holds(comparator: str, wanted: Any, value: Any) -> bool:
    match comparator:
        case "IS NULL":
            return value is None
        case "IS NOT NULL":
            return value is not None
    if value is None:
        return False
    match comparator:
        case "LIKE":
            return _like(wanted, value)
        case "ILIKE":
            return _like(wanted.lower(), value.lower())
    return COMPARE[comparator](value, wanted)


METRIC = st.tuples(st.just("metrics"), KEYS, st.sampled_from([*COMPARE]), NUMBERS)
TEXT = st.tuples(
    st.sampled_from(["params", "tags"]),
    KEYS,
    st.sampled_from(["=", "!=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL"]),
    TEXTS,
)
KINDS = {"metrics": "metric", "params": "parameter", "tags": "tag"}
VALUES = {"metrics": st.none() | st.floats(), "params": st.none() | TEXTS, "tags": st.none() | TEXTS}


@settings(deadline=None)
@given(st.lists(st.one_of(METRIC, TEXT), max_size=4), SPACE, st.data())
def test_a_filter_means_what_a_plain_model_says(clauses: list[Any], space: str, data: st.DataObject) -> None:
    texts = []
    for kind, key, comparator, wanted in clauses:
        value = "" if "NULL" in comparator else repr(wanted) if kind == "metrics" else f"'{wanted}'"
        texts.append(f"{kind}.`{key}`{space}{comparator}{space}{value}".rstrip(space))
    parsed = parse_filter(f"{space}AND{space}".join(texts), GRAMMAR)
    assert len(parsed) == len(clauses)
    for clause, (kind, key, comparator, wanted) in zip(parsed, clauses, strict=True):
        assert clause.name == (KINDS[kind], key)
        found_value: Any = data.draw(VALUES[kind])
        assert condition_of(clause, lambda _: None)(found_value) is _holds(comparator, wanted, found_value)


@settings(deadline=None)
@given(st.text(alphabet="metricspar.`'\"=<>!()ANDLIKEULT 01", max_size=30))
def test_any_text_parses_or_is_refused(text: str) -> None:
    for parse in (parse_filter, parse_order):
        with suppress(InvalidPayload):
            parse(text, GRAMMAR)


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(), max_size=8), st.booleans())
def test_an_order_of_numbers_is_that_of_a_plain_model(values: list[float | None], descending: bool) -> None:
    def plain(value: float | None) -> tuple[int, float]:
        if value is None or math.isnan(value):
            return (2 if value is None else 1), 0.0
        return 0, -value if descending else value

    ordered = sorted(values, key=lambda value: encode(value, descending=descending))
    assert list(map(plain, ordered)) == sorted(map(plain, values))
