"""Alert rules: conditions on the points of a flush. A rule that holds makes an alert, once for each iteration.

A flush reads the rules with the rows of its project and experiment, and with the row of its iteration which of them
have fired. So a rule costs no read, and a write only when it fires. The points are stored before; if the server dies in
between, the client sends the flush again, and the rules are tested again.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Protocol

from chalicelib import clock, ids
from chalicelib.errors import Conflict, InvalidPayload, NotFound
from chalicelib.services import access, alert
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.search.ast import Comparison, Kind, Name
from chalicelib.services.search.evaluate import predicate
from chalicelib.services.search.parse import parse_filter
from chalicelib.services.search.values import NULLS, Value
from chalicelib.storage import alert as alerts
from chalicelib.storage import alertrule as storage
from chalicelib.storage.reads.lineage import IterationLineage
from deardiary.wire.shapes import Alert, AlertRule, AlertRules

_IS_NAN = re.compile(r"\bis\s+nan\s*$", re.IGNORECASE)
_ORDERED = ("<", "<=", ">", ">=")


class Points(Protocol):
    """The stored points of one key; None as step if it was not sent."""

    @property
    def values(self) -> Sequence[float]: ...

    @property
    def steps(self) -> Sequence[int | None]: ...


def get_rules_of_project(actor: Actor, project_id: str) -> AlertRules:
    access.project(actor, project_id, Need.READ)
    return AlertRules(rules=_read(storage.read_rules_of_project(project_id)))


def get_rules_of_experiment(actor: Actor, experiment_id: str) -> AlertRules:
    project_id = access.experiment(actor, experiment_id, Need.READ).project.id
    return AlertRules(rules=_read(storage.read_rules_of_experiment(project_id, experiment_id)))


def put_rules_of_project(actor: Actor, project_id: str, rules: Sequence[AlertRule]) -> AlertRules:
    """Replace all rules of the project. InvalidPayload for a condition that is none."""
    access.project(actor, project_id, Need.UPDATE)
    storage.write_rules_of_project(project_id, _checked(rules))
    return AlertRules(rules=tuple(rules))


def put_rules_of_experiment(actor: Actor, experiment_id: str, rules: Sequence[AlertRule]) -> AlertRules:
    project_id = access.experiment(actor, experiment_id, Need.UPDATE).project.id
    storage.write_rules_of_experiment(project_id, experiment_id, _checked(rules))
    return AlertRules(rules=tuple(rules))


def check_points(line: IterationLineage, sent: Mapping[str, Points]) -> None:
    """Test the rules above an iteration on points that are stored. A rule that has fired is not tested again."""
    for text in line.alert_rules:
        for rule in _read(text):
            rule_hash = ids.hash_texts("rule", rule.name, rule.condition)
            found = None if rule_hash in line.marks.fired else _first_match(rule.condition, sent)
            if found is not None:
                _fire(line, rule, rule_hash, found)


def _fire(line: IterationLineage, rule: AlertRule, rule_hash: str, found: str) -> None:
    made = Alert(
        id=alerts.new_alert_id(line.iteration.id, rule_hash),
        iteration_id=line.iteration.id,
        title=rule.name,
        text=f"{rule.condition}: {found}",
        level=rule.level,
        created_date=clock.now(),
    )
    # Conflict: another flush was faster. NotFound: the iteration has just been deleted.
    with suppress(Conflict, NotFound):
        alerts.create_alert(line.iteration, made, alert.event_of(line, made, "", rule=rule.name), fired=rule_hash)


def _first_match(condition: str, sent: Mapping[str, Points]) -> str | None:
    """The first point for which the condition holds, in words; None if there is none."""
    comparison = _parsed(condition)
    points = sent.get(comparison.name.key)
    if points is None:
        return None
    holds = predicate(comparison)
    if not any(holds(_Point(each)) for each in _candidates(comparison, points.values)):
        return None
    value, step = next(pair for pair in zip(points.values, points.steps, strict=True) if holds(_Point(pair[0])))
    return f"{value:g}" + ("" if step is None else f" at step {step}")


def _candidates(comparison: Comparison, values: Sequence[float]) -> Iterator[float]:
    """The values that decide: for an order the extremes, otherwise each value once."""
    if comparison.comparator not in _ORDERED:
        yield from dict.fromkeys(values)
        return
    numbers = [each for each in values if not math.isnan(each)]
    if numbers:
        yield from (max(numbers), min(numbers))


class _Point:
    """A point, as a condition sees an iteration."""

    id = ""
    tags: Sequence[str] = ()

    def __init__(self, number: float) -> None:
        self._number = number

    def value(self, _name: Name) -> Value:
        return self._number


@lru_cache(256)
def _parsed(condition: str) -> Comparison:
    """InvalidPayload if it is not one comparison of a metric with numbers."""
    parsed = parse_filter(_IS_NAN.sub("= NaN", condition))
    if isinstance(parsed, Comparison) and parsed.comparator not in NULLS and _is_value(parsed.name):
        return parsed
    raise InvalidPayload("A rule compares a metric with a number: metrics.loss > 10, or metrics.loss is NaN")


def _is_value(name: Name) -> bool:
    """True for a metric without a part of its summary."""
    return name.kind is Kind.METRICS and name.part == "last"


def _checked(rules: Sequence[AlertRule]) -> str:
    """The rules as JSON."""
    for number, rule in enumerate(rules):
        try:
            _parsed(rule.condition)
        except InvalidPayload as error:
            raise InvalidPayload(error.message, **{**error.details, "field": f"rules[{number}].condition"}) from None
    return json.dumps([[rule.name, rule.condition, rule.level] for rule in rules], ensure_ascii=False)


@lru_cache(256)
def _read(text: str | None) -> tuple[AlertRule, ...]:
    rows = json.loads(text) if text else []
    return tuple(AlertRule(name=name, condition=condition, level=level) for name, condition, level in rows)
