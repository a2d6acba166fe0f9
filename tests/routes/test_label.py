"""Labels of projects, experiments, iterations, models and versions: merged by PATCH, short or long."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.services.lifecycle import deletion
from chalicelib.services.lifecycle.sweep import resume_deletions
from chalicelib.storage import label
from deardiary.wire import limits
from tests.support.api import (
    check_invalid,
    end,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_project,
    pages,
    rows,
)
from tests.support.server import Reply, Server

LONG = {"long": "v" * (label.MAX_SHORT_BYTES + 1)}
NAMES = map(str, itertools.count())


@dataclass(frozen=True)
class Kind:
    """A kind of owner: where it is created and listed, where one is, and the longest value of a label."""

    parent: str
    one: str
    most: int
    fixed: str = ""

    def new(self, server: Server, ids: dict[str, str], **body: Any) -> Reply:
        body = {"name": next(NAMES), **body}
        if self.fixed:
            body = {name: value for name, value in body.items() if name != "name"} | {self.fixed: ids[self.fixed]}
        return server.call("POST", self.parent.format(**ids), body)


KINDS = {
    "project": Kind("/projects", "/projects/{}", limits.MAX_LABEL_CHARACTERS),
    "experiment": Kind("/projects/{project_id}/experiments", "/experiments/{}", limits.MAX_EXPERIMENT_LABEL_CHARACTERS),
    "iteration": Kind("/experiments/{experiment_id}/iterations", "/iterations/{}", limits.MAX_LABEL_CHARACTERS),
    "model": Kind("/projects/{project_id}/models", "/models/{}", limits.MAX_MODEL_LABEL_CHARACTERS),
    "version": Kind(
        "/models/{model_id}/versions", "/modelversions/{}", limits.MAX_MODEL_LABEL_CHARACTERS, "iteration_id"
    ),
}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@pytest.fixture(scope="module")
def ids(server: Server) -> dict[str, str]:
    project = new_project(server)
    experiment = new_experiment(server, project)
    model = made(server.call("POST", f"/projects/{project}/models", {"name": "m"}))["id"]
    iteration = new_iteration(server, experiment)
    return {"project_id": project, "experiment_id": experiment, "iteration_id": iteration, "model_id": model}


def labels_of(server: Server, kind: Kind, owner_id: str) -> Any:
    return found(server.call("GET", kind.one.format(owner_id)))["labels"]


def patch(server: Server, kind: Kind, owner_id: str, labels: Any, **body: Any) -> Reply:
    return server.call("PATCH", kind.one.format(owner_id), {"labels": labels, **body})


def listed(server: Server, kind: Kind, ids: dict[str, str], owner_id: str, query: str = "") -> Any:
    (row,) = [each for each in pages(server, kind.parent.format(**ids) + query, 50) if each["id"] == owner_id]
    return row["labels"]


@kinds
@pytest.mark.parametrize("more", [{}, LONG], ids=["short", "long"])
def test_labels_are_whole_in_every_answer(
    server: Server, ids: dict[str, str], kind: Kind, more: dict[str, str]
) -> None:
    labels = {"team": "nlp", "é ü/.": "", **more}
    new = made(kind.new(server, ids, labels=labels))
    assert new["labels"] == labels
    assert labels_of(server, kind, new["id"]) == labels
    assert listed(server, kind, ids, new["id"]) == labels
    assert found(patch(server, kind, new["id"], {}))["labels"] == labels
    assert found(server.call("PATCH", kind.one.format(new["id"]), {}))["labels"] == labels


@kinds
def test_without_labels_there_are_none(server: Server, ids: dict[str, str], kind: Kind) -> None:
    new = made(kind.new(server, ids))
    assert new["labels"] == labels_of(server, kind, new["id"]) == listed(server, kind, ids, new["id"]) == {}


@kinds
@pytest.mark.parametrize("more", [{}, LONG], ids=["short", "long"])
def test_a_patch_merges_and_a_null_removes(
    server: Server, ids: dict[str, str], kind: Kind, more: dict[str, str]
) -> None:
    owner_id = made(kind.new(server, ids, labels={"a": "1", "b": "2", **more}))["id"]
    for _ in range(2):
        changed = found(patch(server, kind, owner_id, {"b": None, "c": "3", "a": "4", "absent": None}))
        assert changed["labels"] == {"a": "4", "c": "3", **more}
    assert labels_of(server, kind, owner_id) == {"a": "4", "c": "3", **more}
    assert found(patch(server, kind, owner_id, dict.fromkeys(("a", "c", *more))))["labels"] == {}
    assert labels_of(server, kind, owner_id) == {}


@kinds
def test_labels_change_together_with_other_fields(server: Server, ids: dict[str, str], kind: Kind) -> None:
    owner_id = made(kind.new(server, ids, labels={"a": "1"}))["id"]
    field = {"notes" if kind is KINDS["iteration"] else "description": "d"}
    changed = found(patch(server, kind, owner_id, LONG, **field))
    assert changed["labels"] == {"a": "1", **LONG}
    assert changed.items() >= field.items()
    assert found(server.call("GET", kind.one.format(owner_id))) == changed
    if kind.fixed:
        return
    renamed = found(patch(server, kind, owner_id, {"a": None}, name=next(NAMES)))
    assert found(server.call("GET", kind.one.format(owner_id))) == renamed
    assert renamed["labels"] == LONG


@kinds
def test_the_longest_values_are_accepted_and_longer_ones_are_not(
    server: Server, ids: dict[str, str], kind: Kind
) -> None:
    key = "k" * limits.MAX_KEY_CHARACTERS
    owner_id = made(kind.new(server, ids, labels={key: "\U0001f600" * kind.most}))["id"]
    assert labels_of(server, kind, owner_id) == {key: "\U0001f600" * kind.most}
    found(patch(server, kind, owner_id, {key: "v" * kind.most}))
    send: list[Callable[[Any], Reply]] = [partial(patch, server, kind, owner_id)]
    send.append(lambda labels: kind.new(server, ids, labels=labels))
    for call in send:
        check_invalid(call({"key": "v" * (kind.most + 1)}), "labels.key")
        check_invalid(call({key + "k": "v"}), "labels")
        check_invalid(call({"": "v"}), "labels")
        check_invalid(call({"line\n": "v"}), "labels")
        check_invalid(call({"key": 1}), "labels.key")
        check_invalid(call(["key"]), "labels")
    check_invalid(kind.new(server, ids, labels={"key": None}), "labels.key")
    check_invalid(patch(server, kind, owner_id, None), "labels")
    assert labels_of(server, kind, owner_id) == {key: "v" * kind.most}


@kinds
def test_an_owner_has_up_to_500_labels(server: Server, ids: dict[str, str], kind: Kind) -> None:
    most = {f"{number:03}": "v" for number in range(limits.MAX_LABELS)}
    check_invalid(kind.new(server, ids, labels=most | {"more": ""}), "labels")
    owner_id = made(kind.new(server, ids, labels=most))["id"]
    check_invalid(patch(server, kind, owner_id, {"more": ""}), "labels")
    others = {f"other {number}": "w" for number in range(limits.MAX_LABELS)}
    assert found(patch(server, kind, owner_id, dict.fromkeys(most) | others))["labels"] == others


@kinds
def test_all_labels_together_fit_one_item(server: Server, ids: dict[str, str], kind: Kind) -> None:
    size = limits.MAX_LABELS_BYTES // limits.MAX_LABELS
    most = {f"{number:03}": "v" * (size - 3) for number in range(limits.MAX_LABELS)}
    owner_id = made(kind.new(server, ids, labels=most))["id"]
    assert labels_of(server, kind, owner_id) == listed(server, kind, ids, owner_id) == most
    check_invalid(patch(server, kind, owner_id, {"000": "v" * size * 2}), "labels")
    check_invalid(kind.new(server, ids, labels=most | {"000": "v" * size * 2}), "labels")


@kinds
def test_a_deletion_leaves_no_label(server: Server, kind: Kind, ids: dict[str, str]) -> None:
    owner_id = made(kind.new(server, ids, labels=LONG))["id"]
    assert [key for key in rows() if key[1] == f"LABELS#{owner_id}"] != []
    purge = "" if kind is KINDS["version"] else "?purge=true"
    assert server.call("DELETE", kind.one.format(owner_id) + purge).status == 204
    assert [key for key in rows() if owner_id in key[0] + key[1]] == []


def test_a_deletion_of_the_project_leaves_no_label(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "REQUEST_SECONDS", -1.0)
    own = {"project_id": made(KINDS["project"].new(server, {}, labels=LONG))["id"]}
    for name in ("experiment", "iteration", "model", "version"):
        own[f"{name}_id"] = made(KINDS[name].new(server, own, labels=LONG))["id"]
    assert server.call("DELETE", f"/projects/{own['project_id']}?purge=true").status == 202
    assert resume_deletions(60)
    assert [key for key in rows() if any(each in key[0] + key[1] for each in own.values())] == []


def test_a_lowered_or_raised_number_of_labels_moves_them(server: Server, ids: dict[str, str]) -> None:
    """One place at a time: in the owner's row, or in a row of their own."""
    kind = KINDS["iteration"]
    owner_id = made(kind.new(server, ids, labels={"a": "1"}))["id"]
    for labels, apart in (({}, False), (LONG, True), ({"b": "2"}, True), (dict.fromkeys(LONG), False)):
        found(patch(server, kind, owner_id, labels))
        assert [key for key in rows() if key[1] == f"LABELS#{owner_id}"] == (
            [(f"EXPERIMENT#{ids['experiment_id']}", f"LABELS#{owner_id}")] if apart else []
        )
    assert labels_of(server, kind, owner_id) == {"a": "1", "b": "2"}


def test_labels_stay_open_after_the_end(server: Server, ids: dict[str, str]) -> None:
    kind = KINDS["iteration"]
    for labels in ({"a": "1"}, LONG):
        owner_id = made(kind.new(server, ids))["id"]
        ended = end(server, owner_id)
        changed = found(patch(server, kind, owner_id, labels, notes="n"))
        assert changed == {**ended, "labels": labels, "notes": "n"}
        check_invalid(patch(server, kind, owner_id, {"b": "2"}, git_sha="0"), "end_date")
        assert labels_of(server, kind, owner_id) == labels


def test_the_end_may_bring_labels(server: Server, ids: dict[str, str]) -> None:
    owner_id = made(KINDS["iteration"].new(server, ids, labels={"a": "1"}))["id"]
    assert end(server, owner_id, labels=LONG)["labels"] == {"a": "1", **LONG}
    assert labels_of(server, KINDS["iteration"], owner_id) == {"a": "1", **LONG}


def test_other_lists_and_the_snapshot_have_labels_too(server: Server, ids: dict[str, str]) -> None:
    parent = made(KINDS["iteration"].new(server, ids, labels=LONG))["id"]
    child = made(KINDS["iteration"].new(server, ids, labels=LONG, parent_iteration_id=parent))["id"]
    version = made(KINDS["version"].new(server, {**ids, "iteration_id": child}, labels=LONG))
    read = {"kind": "model", "modelversion_id": version["id"]}
    made(server.call("POST", f"/iterations/{parent}/inputs", read))
    assert found(server.call("PUT", f"/models/{ids['model_id']}/aliases/best", {"version": version["version"]}))
    for path in (f"/iterations/{parent}/children", f"/modelversions/{version['id']}/uses"):
        assert [each["labels"] for each in pages(server, path, 1)] == [LONG]
    assert [each["labels"] for each in pages(server, f"/iterations/{child}/modelversions", 1)] == [LONG]
    for path in (f"/models/{ids['model_id']}/aliases/best", f"/iterations/{child}/snapshot"):
        assert found(server.call("GET", path))["labels"] == LONG
    assert found(server.call("PUT", f"/iterations/{child}/snapshot", {"git_sha": "0"}))["labels"] == LONG


def test_a_version_keeps_its_labels_through_promotions(server: Server, ids: dict[str, str]) -> None:
    kind = KINDS["version"]
    first, second = (made(kind.new(server, ids, labels={"a": "1", **LONG}))["id"] for _ in range(2))
    for owner_id, stage in ((first, 3), (second, 3), (first, 2), (second, 4)):
        assert found(patch(server, kind, owner_id, {"stage": str(stage)}, stage_id=stage))["stage_id"] == stage
    assert labels_of(server, kind, first) == {"a": "1", "stage": "2", **LONG}
    assert labels_of(server, kind, second) == {"a": "1", "stage": "4", **LONG}


def test_a_change_of_labels_updates_the_date_of_a_model_once(server: Server, ids: dict[str, str]) -> None:
    owner_id = made(KINDS["model"].new(server, ids))["id"]
    first = found(patch(server, KINDS["model"], owner_id, {"a": "1"}))
    assert first["updated_date"] is not None
    assert found(patch(server, KINDS["model"], owner_id, {"a": "1"})) == first


def test_the_same_creation_again_answers_the_labels_of_the_first(server: Server, ids: dict[str, str]) -> None:
    path = KINDS["iteration"].parent.format(**ids)
    first = made(server.call("POST", path, {"id_key": "labelled", "labels": {"a": "1", **LONG}}))
    assert found(server.call("POST", path, {"id_key": "labelled", "labels": {"a": "2"}})) == first


texts = st.sampled_from(["", "1", "é", "v" * 1500])
keys = st.sampled_from(["a", "b", "c.d", "é"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(KINDS)),
    st.dictionaries(keys, texts),
    st.lists(st.dictionaries(keys, texts | st.none()), max_size=4),
)
def test_patches_in_a_row_are_a_merge(
    server: Server, ids: dict[str, str], name: str, first: dict[str, str], patches: list[dict[str, str | None]]
) -> None:
    kind = KINDS[name]
    owner_id = made(kind.new(server, ids, labels=first))["id"]
    wanted: dict[str, str | None] = dict(first)
    for each in patches:
        wanted = {key: value for key, value in (wanted | each).items() if value is not None}
        assert found(patch(server, kind, owner_id, each))["labels"] == wanted
    assert labels_of(server, kind, owner_id) == wanted


def flush(server: Server, iteration_id: str, batch_id: str, **body: Any) -> Reply:
    return server.call("POST", f"/iterations/{iteration_id}/log", {"batch_id": batch_id, **body})


def test_labels_ride_in_a_flush_once(server: Server) -> None:
    iteration = new_iteration(server, labels={"a": "1", "b": "2"})
    kind = KINDS["iteration"]
    made(flush(server, iteration, "1", labels={"b": None, "c": "3"}, metrics={"m": {"value": [1.0]}}))
    assert labels_of(server, kind, iteration) == {"a": "1", "c": "3"}
    found(patch(server, kind, iteration, {"c": "later"}))
    made(flush(server, iteration, "1", labels={"b": None, "c": "3"}, metrics={"m": {"value": [1.0]}}))
    assert labels_of(server, kind, iteration) == {"a": "1", "c": "later"}
    made(flush(server, iteration, "2", labels=LONG))
    made(flush(server, iteration, "3", labels={"a": None}))
    assert labels_of(server, kind, iteration) == {"c": "later", **LONG}


def test_a_refused_flush_names_the_label_and_stores_nothing(server: Server) -> None:
    iteration = new_iteration(server)
    check_invalid(flush(server, iteration, "1", labels={"k": "v" * 8001}), "labels.k")
    many = {f"{number}": "" for number in range(limits.MAX_LABELS + 1)}
    check_invalid(flush(server, iteration, "2", labels=many, parameters={"p": "1"}), "labels")
    assert labels_of(server, KINDS["iteration"], iteration) == {}
    assert found(server.call("GET", f"/iterations/{iteration}/parameters"))["data"] == []


def test_a_flush_after_the_end_may_bring_labels_unless_its_points_are_late(server: Server) -> None:
    iteration = new_iteration(server)
    end(server, iteration)
    made(flush(server, iteration, "1", labels={"a": "1"}))
    check_invalid(flush(server, iteration, "2", labels={"b": "1"}, metrics={"m": {"value": [1.0]}}), "end_date")
    assert labels_of(server, KINDS["iteration"], iteration) == {"a": "1"}


FILTERS = [
    ('labels.team = "nlp"', "ab"),
    ('labels.team != "nlp"', "c"),
    ("not labels.team = 'nlp'", "cd"),
    ('labels.team in ("nlp", "vision")', "abc"),
    ('labels.team like "%si%"', "c"),
    ("labels.team is null", "d"),
    ("labels.rows > 99", "a"),
    ('labels.rows = "1e2"', "a"),
    ('labels."two words!" = "x"', "b"),
    ('labels.long like "v%"', "d"),
    ('labels.long is not null or labels.team = "vision"', "cd"),
]


@pytest.fixture(scope="module")
def searched(server: Server) -> tuple[str, dict[str, str]]:
    """The ids of a project and an experiment with four iterations, by their names."""
    project = new_project(server)
    experiment = new_experiment(server, project)
    labels = {
        "a": {"team": "nlp", "rows": "1e2"},
        "b": {"team": "nlp", "rows": "9", "two words!": "x"},
        "c": {"team": "vision"},
        "d": LONG,
    }
    for name, each in labels.items():
        new_iteration(server, experiment, name=name, labels=each)
    return experiment, {"project": project}


@pytest.mark.parametrize(("text", "names"), FILTERS)
def test_a_filter_compares_labels(server: Server, searched: Any, text: str, names: str) -> None:
    experiment, others = searched
    for path in (f"/experiments/{experiment}/iterations", f"/projects/{others['project']}/iterations"):
        answer = found(server.call("GET", f"{path}?limit=200&filter={quote(text)}"))
        assert "".join(sorted(each["name"] for each in answer["data"])) == names


@pytest.mark.parametrize(
    ("order", "names"),
    [("labels.rows", "bacd"), ("labels.rows desc", "abcd"), ("labels.team desc, labels.rows", "cbad")],
)
def test_an_order_by_labels(server: Server, searched: Any, order: str, names: str) -> None:
    experiment, others = searched
    for path in (f"/experiments/{experiment}/iterations", f"/projects/{others['project']}/iterations"):
        listed = pages(server, f"{path}?order_by={quote(order)}", 1)
        assert "".join(each["name"] for each in listed) == names
        assert [each["labels"] for each in listed if each["name"] == "d"] == [LONG]


@pytest.mark.parametrize("query", ["", "&include=labels", "&fields=labels", "&fields=labels&order_by=labels.rows"])
def test_a_table_of_columns_has_labels(server: Server, searched: Any, query: str) -> None:
    path = f"/experiments/{searched[0]}/iterations"
    rows = {each["id"]: each["labels"] for each in pages(server, path, 200)}
    table = found(server.call("GET", f"{path}?format=columns{query}"))
    assert dict(zip(table["ids"], table["columns"]["fields"]["labels"], strict=True)) == rows


def test_include_accepts_labels(server: Server, searched: Any) -> None:
    path = f"/experiments/{searched[0]}/iterations"
    assert pages(server, f"{path}?include=labels", 2) == pages(server, path, 2)
    assert pages(server, f"{path}?include=labels,tags", 2)[0]["tags"] == []


@kinds
def test_a_blind_writer_sees_no_label_of_others(server: Server, kind: Kind) -> None:
    project = new_project(server, labels={"secret": "sesame"})
    experiment = new_experiment(server, project)
    model = made(server.call("POST", f"/projects/{project}/models", {"name": "m"}))["id"]
    iteration = new_iteration(server, experiment)
    own = {"project_id": project, "experiment_id": experiment, "model_id": model, "iteration_id": iteration}
    writer = new_member(server, project, "create", "update")
    body = {"name": next(NAMES), "id_key": "k", "labels": {"secret": "sesame"}}
    if kind.fixed:
        body = {"id_key": "k", "labels": {"secret": "sesame"}, kind.fixed: iteration}
    if kind is KINDS["model"]:
        del body["id_key"]
    if kind is not KINDS["project"]:
        owner_id = made(server.call("POST", kind.parent.format(**own), body))["id"]
    else:
        owner_id = project
    changed = server.call("PATCH", kind.one.format(owner_id), {"labels": {"mine": "1"}}, token=writer.token)
    assert (changed.status, changed.body) == (204, None)
    if "id_key" in body and kind is not KINDS["project"]:
        again = server.call("POST", kind.parent.format(**own), {**body, "labels": {"mine": "1"}}, token=writer.token)
        assert found(again)["labels"] == {"mine": "1"}
    assert labels_of(server, kind, owner_id) == {"secret": "sesame", "mine": "1"}
