"""Signing in, tokens, and how a command ends."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from deardiary import ClientError
from deardiary.cli import completion, exchange
from deardiary.cli.main import main, parser
from deardiary.settings import Credentials, login_file
from tests.client.cli.conftest import Said
from tests.support.server import URL, Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Said]


@pytest.fixture(autouse=True)
def _nobody(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEARDIARY_TOKEN")
    monkeypatch.delenv("DEARDIARY_URL")


def test_a_login_is_kept_for_this_machine(run: Run, server: Server, admin: tuple[str, str]) -> None:
    username, password = admin
    said = run("login", URL, "--username", username, "--password-stdin", "--name", "laptop", stdin=f"{password}\n")
    assert said.status == 0, said.err
    assert said.out == f"Signed in to {URL} as admin; the token is kept in {login_file()}\n"
    assert stat.S_IMODE(login_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(login_file().parent.stat().st_mode) == 0o700
    kept = json.loads(login_file().read_text())
    assert kept["url"] == URL
    assert password not in said.out + said.err
    assert kept["token"] not in said.out + said.err
    assert run("whoami").out.startswith("admin, an admin (")
    assert run("whoami", "--json").json["username"] == "admin"
    assert [each.name for each in server.client().tokens.list()] == ["laptop"]


def test_a_login_takes_the_password_of_the_environment(
    run: Run, admin: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEARDIARY_USERNAME", admin[0])
    assert run("login", URL).status == 2
    monkeypatch.setenv("DEARDIARY_PASSWORD", admin[1])
    assert run("login", URL, "--username", "somebody-else").status == 2
    monkeypatch.setenv("DEARDIARY_URL", "https://another.example/api")
    assert run("login", URL).status == 2
    monkeypatch.setenv("DEARDIARY_URL", URL)
    assert run("login").out == f"Signed in to {URL} as admin; the token is kept in {login_file()}\n"
    assert admin[1] not in login_file().read_text()


def test_a_wrong_password_keeps_nothing(run: Run) -> None:
    said = run("login", URL, "--username", "admin", "--password-stdin", stdin="wrong password\n")
    assert (said.status, said.out) == (3, "")
    assert not login_file().exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["login", URL, "--username", "admin", "--password-stdin"], "no password on stdin"),
        (["login", URL, "--token-stdin"], "no token on stdin"),
        (["login", URL], "--username"),
    ],
)
def test_a_missing_part_of_a_login_is_named(run: Run, words: list[str], reason: str) -> None:
    said = run(*words)
    assert said.status == 2
    assert reason in said.err


def test_a_token_of_ones_own_is_kept_if_it_is_good(run: Run, server: Server) -> None:
    assert run("login", URL, "--token-stdin", stdin="sesame\n").status == 3
    assert not login_file().exists()
    token = server.client().tokens.create("given").token
    assert run("login", URL, "--token-stdin", "--json", stdin=f"{token}\n").json["username"] == "admin"
    assert json.loads(login_file().read_text())["token"] == token


def test_a_damaged_login_is_replaced(run: Run, server: Server) -> None:
    token = server.token()
    login_file().parent.mkdir(parents=True)
    login_file().write_text("{")
    assert run("whoami").status == 1
    assert run("login", URL, "--token-stdin", stdin=token).status == 0
    assert run("whoami").status == 0


def test_a_login_that_cannot_be_kept_leaves_no_token(
    run: Run, server: Server, admin: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {each.id for each in server.client().tokens.list()}
    login_file().parent.mkdir(parents=True)
    login_file().mkdir()
    monkeypatch.setattr("deardiary.settings._login_file", lambda: (None, Credentials()))
    said = run("login", URL, "--username", admin[0], "--password-stdin", stdin=f"{admin[1]}\n")
    assert said.status == 1
    assert {each.id for each in server.client().tokens.list()} == before


def test_a_password_does_not_go_over_plain_http_unnoticed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise OSError("no such host")

    monkeypatch.setattr("deardiary.cli.session.connect", stop)
    said = run("login", "http://diary.example", "--username", "a", "--password-stdin", stdin="x\n")
    assert "http://diary.example is not https" in said.err
    assert "https" not in run("login", URL, "--username", "a", "--password-stdin", stdin="x\n").err


def test_tokens_take_a_password(
    run: Run, server: Server, admin: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEARDIARY_URL", URL)
    monkeypatch.setenv("DEARDIARY_TOKEN", str(server.client().tokens.create("program").token))
    refused = run("tokens", "create", "ci")
    assert refused.status == 2
    assert "DEARDIARY_PASSWORD" in refused.err

    monkeypatch.setattr("deardiary.cli.session.getpass.getpass", lambda _: admin[1])
    made = run("tokens", "create", "ci", "--read-only", "--expires-in-days", "7", "--json", tty=True).json
    assert made["read_only"]
    assert made["token"]
    listed = run("tokens", tty=True).out
    assert made["id"] in listed
    assert made["token"] not in listed
    assert run("tokens", "rm", made["id"][:-1], "--yes", tty=True).status == 0
    assert made["id"] not in run("tokens", "ls", tty=True).out
    (only,) = run("tokens", "create", "shown", tty=True).out.splitlines()
    assert server.call("GET", "/auth/me", token=only).status == 200


def test_users_are_managed_with_a_password(
    run: Run, server: Server, admin: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEARDIARY_URL", URL)
    monkeypatch.setenv("DEARDIARY_TOKEN", str(server.client().tokens.create("laptop").token))
    server.client().projects.create("Shared")
    refused = run("users", "create", "eve", "--password-stdin", stdin="long enough\n")
    assert refused.status == 2
    assert "DEARDIARY_PASSWORD" in refused.err
    monkeypatch.setattr("deardiary.cli.session.getpass.getpass", lambda _: admin[1])
    monkeypatch.setattr("deardiary.cli.user.getpass.getpass", lambda _: admin[1])
    assert run("users", "create", "eve", "--json", tty=True).json["username"] == "eve"
    assert run("users", "grant", "eve", "Shared", "--read", "--json", tty=True).json["read_permission"]
    assert run("users", "rm", "eve", "--yes", tty=True).status == 0


OLD, NEW = "correct horse battery", "a new password"


@pytest.mark.parametrize("kind", ["session", "API token"])
def test_a_password_of_ones_own_takes_the_present_one(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    name = f"ada-with-{kind[:3]}"
    ada = server.newcomer(name)
    token = server.token(name) if kind == "session" else ada.tokens.create("laptop").token
    monkeypatch.setenv("DEARDIARY_URL", URL)
    monkeypatch.setenv("DEARDIARY_TOKEN", str(token))
    wrong = run("users", "passwd", "--password-stdin", stdin=f"wrong\n{NEW}\n")
    assert wrong.status in (1, 3)
    assert run("users", "passwd").status == 2

    answers = iter([OLD, NEW, NEW])
    monkeypatch.setattr("deardiary.cli.user.getpass.getpass", lambda _: next(answers))
    assert "every session and API token" in run("users", "passwd", tty=True).out
    assert run("whoami").status == 3
    assert server.call("POST", "/auth", {"username": name, "password": NEW}, token=None).status == 200


def test_the_end_of_input_at_a_prompt_ends_the_command_quietly(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def end_of_input(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("deardiary.cli.session.getpass.getpass", end_of_input)
    said = run("login", URL, "--username", "ada", tty=True)
    assert (said.status, said.err) == (130, "")


def test_an_admin_sets_the_password_of_another(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.newcomer("bob")
    monkeypatch.setenv("DEARDIARY_URL", URL)
    monkeypatch.setenv("DEARDIARY_TOKEN", server.token())
    assert run("users", "passwd", "bob", "--password-stdin", "--json", stdin=f"{NEW}\n").json["username"] == "bob"
    assert server.call("POST", "/auth", {"username": "bob", "password": NEW}, token=None).status == 200


@pytest.mark.parametrize("answer", ["n", "", "no"])
def test_nothing_is_removed_without_a_yes(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setenv("DEARDIARY_URL", URL)
    monkeypatch.setenv("DEARDIARY_TOKEN", server.token())
    project = server.client().projects.create("kept")
    assert run("projects", "rm", project.id, stdin=f"{answer}\n", tty=True).status == 1
    assert run("projects", "show", project.id).status == 0
    assert run("projects", "rm", project.id, stdin="y\n", tty=True).status == 0


def test_without_a_login_the_message_says_how_to_sign_in(run: Run) -> None:
    said = run("projects", "--url", URL)
    assert (said.status, said.out) == (3, "")
    assert f"You are not signed in at {URL}: `deardiary login {URL}`" in said.err


def test_a_server_that_is_not_there_is_a_status_of_its_own(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from deardiary.http.default import HttpTransport

    monkeypatch.setattr("deardiary.client._default_transport", HttpTransport)
    said = run("whoami", "--url", "http://127.0.0.1:9")
    assert (said.status, said.out) == (4, "")
    assert said.err.startswith("deardiary: No answer from http://127.0.0.1:9")


def test_an_interruption_is_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("deardiary.cli.command.connect", stop)
    assert run("whoami") == Said(130, "", "")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "deardiary", "completion", "bash"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_fault_of_ours_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: dict[str, Any] = {}
    monkeypatch.setattr("deardiary.cli.command.connect", lambda _: nothing["no"])
    failed = run("whoami")
    assert (failed.status, failed.err.splitlines()[-1]) == (1, "KeyError: 'no'")
    assert failed.err.startswith("Traceback")


@pytest.mark.parametrize("words", [[], ["iterations", "compare"], ["projects", "--nothing"]])
def test_a_wrong_command_line_is_a_usage_error(run: Run, words: list[str]) -> None:
    said = run(*words)
    assert (said.status, said.out) == (2, "")
    assert "usage: deardiary" in said.err


def test_every_command_has_json_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for path in [each for each in completion.commands(parser()) if each not in exchange.COMMANDS]:
        with pytest.raises(SystemExit) as caught:
            main([*path.split(), "--help"])
        assert caught.value.code == 0
        usage = capsys.readouterr().out
        assert usage.startswith(f"usage: deardiary {path}")
        assert ("--json" in usage) == (path != "completion")


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_completion_knows_every_command(run: Run, shell: str) -> None:
    script = run("completion", shell).out
    assert all(path in script for path in completion.commands(parser()))


def test_names_are_completed(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_URL", URL)
    monkeypatch.setenv("DEARDIARY_TOKEN", server.token())
    client = server.client()
    project = client.projects.create("Completed project")
    client.experiments.create(project.id, "first try")
    client.models.create(project.id, "net")
    assert "Completed project" in run("completion", "--names", "project").out.splitlines()
    assert "Completed project/first try" in run("completion", "--names", "experiment").out.splitlines()
    assert "Completed project/net" in run("completion", "--names", "model").out.splitlines()
    assert run("completion").status == 2


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_names_with_spaces(run: Run) -> None:
    fake = "deardiary() { printf '%s\\n' 'First project' 'Other'; }"
    typed = "COMP_WORDS=(deardiary projects show Fi); COMP_CWORD=3"
    shown = "_deardiary; printf '%s\\n' \"${COMPREPLY[@]}\""
    script = f"{run('completion', 'bash').out}\n{fake}\n{typed}\n{shown}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)  # noqa: S603, S607
    assert done.stdout == "First\\ project\n"


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["deardiary", "proj"], ["projects"]),
        (
            ["deardiary", "iterations", ""],
            [
                "ls",
                "keys",
                "show",
                "output",
                "compare",
                "rename",
                "note",
                "tag",
                "label",
                "stop",
                "command",
                "end",
                "rm",
            ],
        ),
        (["deardiary", "iterations", "--or"], ["--order-by"]),
        (["deardiary", "sync", ""], []),
        (["deardiary", "iterations", "compare", "--d"], ["--differing"]),
        (["deardiary", "iterations", "show", "abc", "--js"], ["--json"]),
        (["deardiary", "completion", "f"], ["fish"]),
        (["deardiary", "resources", "upload", "x"], []),
        (["deardiary", "users", "grant", "ada", "Ir"], ["Iris"]),
        (["deardiary", "users", "grant", "Ir"], []),
        (["deardiary", "users", "grant", "ada", "Iris", "Ir"], []),
        (["deardiary", "iterations", "ls", "--filter", "Ir"], []),
        (["deardiary", "iterations", "ls", "--filter", "=", "x", "Ir"], ["Iris"]),
        (["deardiary", "iterations", "ls", "--project", "Ir"], ["Iris"]),
        (["deardiary", "models", "promote", "Iris/net/1", "PROD"], ["PRODUCTION"]),
    ],
)
def test_bash_completes(run: Run, typed: list[str], expected: list[str]) -> None:
    words = " ".join(f"'{word}'" for word in typed)
    fake = "deardiary() { printf 'Iris\\n'; }"
    script = run("completion", "bash").out + (
        f"{fake}; COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; _deardiary; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)  # noqa: S603, S607
    assert done.stdout.split() == expected


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("deardiary proj", ["projects"]),
        ("deardiary iterations ls --limit 5 Ir", ["Iris"]),
        ("deardiary iterations ls --or", ["--order-by"]),
        ("deardiary users grant ada Ir", ["Iris"]),
        ("deardiary users grant ada Iris Ir", []),
        ("deardiary iterations ls --filter Ir", []),
        ("deardiary iterations ls --project Ir", ["Iris"]),
    ],
)
def test_fish_completes(run: Run, typed: str, expected: list[str], tmp_path: Path) -> None:
    fake = "function deardiary; echo Iris; end"
    script = f"{run('completion', 'fish').out}\n{fake}\ncomplete -C '{typed}'"
    # The folder is empty: where none of our words may follow, fish completes files.
    done = subprocess.run(  # noqa: S603
        ["fish", "--no-config", "-c", script],  # noqa: S607
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.split(), done.stderr) == (expected, "")


def test_the_command_is_installed() -> None:
    program = os.path.join(os.path.dirname(sys.executable), "deardiary")  # noqa: PTH118, PTH120 - not where a link leads
    for command in ([program], [sys.executable, "-m", "deardiary"]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
        assert done.stdout.startswith("deardiary ")


def test_an_error_has_the_message_of_the_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise ClientError(422, "INVALID_PAYLOAD", "too long", {"field": "name"})

    monkeypatch.setattr("deardiary.cli.command.connect", refuse)
    said = run("projects", "create", "x")
    assert (said.status, said.err) == (1, "deardiary: too long (field: name) [422 INVALID_PAYLOAD]\n")
