from __future__ import annotations

import json

import pytest

from deardiary.settings import DEFAULT_URL, Credentials, Settings, clean_url, find_settings, login_file


def log_in(url: str, token: str) -> None:
    login_file().parent.mkdir(parents=True)
    login_file().write_text(json.dumps({"url": url, "token": token}))


def test_nothing_set_is_the_local_server_without_a_token() -> None:
    assert find_settings() == Settings(url=DEFAULT_URL)


def test_arguments_win_over_the_environment_and_that_over_the_login_file(monkeypatch: pytest.MonkeyPatch) -> None:
    log_in("https://diary", "from-file")
    assert find_settings() == Settings(url="https://diary", token="from-file")

    monkeypatch.setenv("DEARDIARY_URL", "https://diary/")
    monkeypatch.setenv("DEARDIARY_TOKEN", "from-environment\n")
    assert find_settings().token == "from-environment"

    assert find_settings(arguments=Credentials(token="from-argument")).token == "from-argument"


def test_the_login_files_token_is_for_its_own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    log_in("https://diary/api", "from-file")

    assert find_settings("https://diary/api/").token == "from-file"
    assert find_settings("https://diary/other") == Settings(url="https://diary/other")
    assert find_settings("https://other/api") == Settings(url="https://other/api")
    monkeypatch.setenv("DEARDIARY_URL", "http://diary/api")
    assert find_settings() == Settings(url="http://diary/api")


def test_the_environments_token_is_for_the_server_named_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_TOKEN", "t")
    assert find_settings("https://diary").token == "t"

    monkeypatch.setenv("DEARDIARY_URL", "https://other")
    assert find_settings("https://diary").token is None


def test_a_username_given_wins_over_a_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_TOKEN", "t")
    monkeypatch.setenv("DEARDIARY_PASSWORD", " with spaces ")

    found = find_settings(arguments=Credentials(username="ada"))

    assert (found.token, found.username, found.password) == (None, "ada", " with spaces ")


def test_a_username_without_a_password_is_refused() -> None:
    with pytest.raises(ValueError, match="No password for 'ada'"):
        find_settings(arguments=Credentials(username="ada"))


def test_empty_variables_are_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "TOKEN", "USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"DEARDIARY_{name}", "")
    assert find_settings() == Settings(url=DEFAULT_URL)


@pytest.mark.parametrize("content", ["{", "[]", '{"url": "https://diary"}', '{"url": "diary", "token": "t"}'])
def test_a_damaged_login_file_is_named(content: str) -> None:
    login_file().parent.mkdir(parents=True)
    login_file().write_text(content)
    with pytest.raises(ValueError, match=r"credentials\.json is damaged"):
        find_settings()


@pytest.mark.parametrize("url", ["diary", "ftp://diary", "https://", "https://me:pw@diary", "https://diary?x=1"])
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="DearDiary URL"):
        clean_url(url)


def test_a_port_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="Port"):
        clean_url("http://diary:nine")


def test_secrets_do_not_show() -> None:
    shown = repr(Settings(url="u", token="sesame", password="sesame")) + repr(
        Credentials(token="sesame", password="sesame")
    )
    assert "sesame" not in shown
