"""`deardiary mcp` through the client of its protocol's own SDK."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

import deardiary
from deardiary_exchange.agents import shown
from deardiary_exchange.agents.read_only import ReadOnly
from deardiary_exchange.agents.server import build
from tests.support.loopback import Reply, serve
from tests.support.server import URL, Server, server_on_moto

READING = {
    *("search", "list_projects", "list_experiments", "describe_experiment", "find_iterations", "get_iteration"),
    *("compare_iterations", "read_curves", "read_console", "list_files", "read_file", "lineage", "list_models"),
}
WRITING = {"set_notes", "change_tags", "stop_iteration"}
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="module")
def runs(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two ended iterations of the experiment Iris/sweep and one that runs; their ids by name."""
    client = server.client()
    report = tmp_path_factory.mktemp("files") / "report.md"
    report.write_text("# Report\nThe loss went down.")
    found: dict[str, str] = {}
    for number, name in enumerate(("heron", "wren")):
        given = {"lr": f"0.{number + 1}", "seed": "7"}
        with deardiary.start("Iris", "sweep", name=name, parameters=given, tags=["night"], client=client) as active:
            for step in range(300):
                active.log({"loss": (number + 1) / (step + 1), "broken": math.nan}, step=step)
            active.log_resource(report)
            found[name] = active.id
        (file,) = client.resources.list(active.experiment_id, iteration_id=active.id)
        found[f"{name}'s file"] = file.id
    project = client.projects.find_or_create("Iris")
    model = client.models.create(project.id, "classifier")
    client.modelversions.create(model.id, iteration_id=found["wren"])
    found["running"] = client.iterations.create(client.experiments.find_or_create(project.id, "sweep").id).id
    return found


def asked(client: deardiary.Client, tool: str, *, writes: bool = False, **arguments: Any) -> Any:
    """The answer of a tool; of a refused call its text."""

    async def ask() -> Any:
        async with Client(build(client, writes=writes)) as agent:
            return await agent.call_tool(tool, arguments)

    answer = anyio.run(ask)
    (content,) = answer.content
    return content.text if answer.is_error else json.loads(content.text)


@pytest.fixture
def ask(server: Server) -> Call:
    def call(tool: str, **arguments: Any) -> Any:
        return asked(server.client(), tool, **arguments)

    return call


@pytest.mark.parametrize("writes", [False, True])
def test_tools_that_write_are_there_only_if_they_are_allowed(server: Server, writes: bool) -> None:
    async def tools() -> Any:
        async with Client(build(server.client(), writes=writes)) as agent:
            return (await agent.list_tools()).tools

    found = {each.name: each for each in anyio.run(tools)}
    assert set(found) == READING | (WRITING if writes else set())
    assert {name for name, each in found.items() if each.annotations.read_only_hint} == READING
    assert all(each.description and "\n  " not in each.description for each in found.values())


def test_an_agent_finds_its_way_to_the_best_run(ask: Call, runs: dict[str, str]) -> None:
    assert [each["name"] for each in ask("list_projects")["projects"]] == ["Iris"]
    assert [each["name"] for each in ask("list_experiments", project="Iris")["experiments"]] == ["sweep"]
    keys = ask("describe_experiment", experiment="Iris/sweep")
    assert keys["iterations"] == 3
    assert [each["key"] for each in keys["keys"]["parameters"]] == ["lr", "seed"]
    best = ask("find_iterations", experiment="Iris/sweep", order_by="metrics.loss", limit=1, metrics=["loss"])
    assert best["more"]
    (row,) = best["iterations"]
    assert (row["id"], row["status"], row["metrics"]) == (runs["heron"], "SUCCEEDED", {"loss": 0.00333333})
    assert row["parameters"] == {"lr": "0.1", "seed": "7"}
    found = ask("search", words="classifier")["results"]
    assert [each["kind"] for each in found] == ["model"]


def test_one_iteration_and_its_surroundings(ask: Call, runs: dict[str, str]) -> None:
    one = ask("get_iteration", iteration="Iris/sweep/wren")
    assert (one["id"], one["status"], one["tags"]) == (runs["wren"], "SUCCEEDED", ["night"])
    assert (one["metrics"]["loss"]["count"], one["metrics"]["broken"]["last"]) == (300, "nan")
    assert one["url"] == f"{URL}/ui#/iterations/{runs['wren']}"
    (produced,) = ask("lineage", iteration=runs["wren"])["produced"]
    assert (produced["model"], produced["version"]) == ("classifier", 1)
    (model,) = ask("list_models", project="Iris")["models"]
    assert [each["version"] for each in model["versions"]] == [1]
    (file,) = ask("list_files", iteration=runs["wren"])["files"]
    assert not {"uri", "backend"} & set(file)
    assert ask("read_file", file=file["id"]) == {"name": "report.md", "text": "# Report\nThe loss went down."}


def test_a_comparison_names_what_differs(ask: Call, runs: dict[str, str]) -> None:
    compared = ask("compare_iterations", iterations=[runs["heron"], runs["wren"]])
    assert compared["differ"]["parameters.lr"] == ["0.1", "0.2"]
    assert "parameters.seed" in compared["same"]
    assert compared["differ"]["metrics.loss"] == [0.00333333, 0.00666667]


def test_curves_are_short_enough_to_read(ask: Call, runs: dict[str, str]) -> None:
    curves = ask("read_curves", iterations=[runs["heron"], runs["wren"]], metrics=["loss"], max_points=20)["curves"]
    points = curves[runs["heron"]]["metrics"]["loss"]
    assert points[0] == [0, 1.0]
    assert points[-1][0] == 299
    assert len(points) <= 20
    window = ask("read_curves", iterations=[runs["wren"]], metrics=["broken"], min_step=5, max_step=6)
    assert window["curves"][runs["wren"]]["metrics"]["broken"] == [[5, "nan"], [6, "nan"]]


def test_an_answer_spends_no_characters_on_spaces(server: Server, runs: dict[str, str]) -> None:
    async def ask() -> Any:
        async with Client(build(server.client(), writes=False)) as agent:
            return await agent.call_tool("read_curves", {"iterations": [runs["wren"]], "metrics": ["loss"]})

    answer = anyio.run(ask)
    (content,) = answer.content
    assert content.text == json.dumps(answer.structured_content, separators=(",", ":"))


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("get_iteration", {"iteration": "Iris/sweep/eagle"}, "eagle"),
        ("list_experiments", {"project": "Wine"}, "Wine"),
        ("find_iterations", {"experiment": "Iris/sweep", "filter": "metrics.los <"}, "filter"),
        ("compare_iterations", {"iterations": ["one"]}, "compare 2 to 20 iterations, not 1"),
        ("read_curves", {"iterations": [], "metrics": ["loss"]}, "1 to 20"),
        ("read_curves", {"metrics": ["loss"]}, "iterations"),
        ("set_notes", {"iteration": "x", "notes": "y"}, "set_notes"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    ask: Call, runs: dict[str, str], tool: str, arguments: dict[str, Any], words: str
) -> None:
    assert runs
    said = ask(tool, **arguments)
    assert isinstance(said, str)
    assert words in said


def test_writes_arrive_if_they_are_allowed(server: Server, runs: dict[str, str]) -> None:
    client = server.client()
    asked(client, "set_notes", writes=True, iteration=runs["wren"], notes="looks overfitted")
    assert client.iterations.get(runs["wren"]).notes == "looks overfitted"
    two = [runs["wren"], runs["heron"]]
    done = asked(client, "change_tags", writes=True, iterations=two, add=["checked"], remove=["night"])
    assert done == dict.fromkeys(two, "done")
    assert {each.value for each in client.tags.list("iteration", runs["heron"])} == {"checked"}
    command = asked(client, "stop_iteration", writes=True, iteration=runs["running"], reason="diverged")
    assert (command["kind"], command["text"]) == ("stop", "diverged")
    assert "ended" in asked(client, "stop_iteration", writes=True, iteration=runs["wren"], reason="late")


def test_a_fault_in_a_tool_cannot_write(server: Server, runs: dict[str, str]) -> None:
    client = deardiary.connect(URL, server.token(), transport=ReadOnly(server.transport))
    assert client.iterations.get(runs["wren"]).id == runs["wren"]
    for write in (
        lambda: client.iterations.update(runs["wren"], notes="by mistake"),
        lambda: client.projects.create("by mistake"),
        lambda: client.iterations.delete(runs["wren"]),
    ):
        with pytest.raises(deardiary.ClientError, match="may only read"):
            write()
    assert "may only read" in asked(client, "set_notes", writes=True, iteration=runs["wren"], notes="by mistake")


def test_long_texts_keep_both_ends() -> None:
    text = shown.text("a" * 5000 + "z" * 5000, 100)
    assert text.startswith("a" * 50 + "\n… 9900 characters")
    assert text.endswith("z" * 50)
    assert shown.plain({str(key): key + 1 for key in range(300)})["…"] == "100 more keys"
    assert shown.plain([math.inf, 0.1 + 0.2, "", None]) == ["inf", 0.3, "", None]


def test_the_command_serves_an_agent_over_stdin_and_stdout() -> None:
    with serve() as api:
        api.replies = [Reply(body=b'{"data": [], "next_cursor": null}')]
        command = StdioServerParameters(
            command=sys.executable,
            args=["-m", "deardiary", "mcp", "--url", api.url],
            env={"DEARDIARY_TOKEN": "token", "PATH": ""},
        )

        async def ask() -> Any:
            async with Client(stdio_client(command)) as agent:
                assert {each.name for each in (await agent.list_tools()).tools} == READING
                return await agent.call_tool("list_projects", {})

        with anyio.from_thread.start_blocking_portal() as portal:
            answer = portal.call(ask)
        assert json.loads(answer.content[0].text) == {"projects": []}
        (seen,) = api.seen
        assert (seen.method, seen.headers["authorization"]) == ("GET", "Bearer token")
