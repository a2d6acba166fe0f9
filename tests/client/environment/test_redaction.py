"""No credential leaves the machine in any part of a snapshot, and a message names the replaced ones."""

from __future__ import annotations

import base64
import random
import re
import subprocess
import sys
import urllib.parse
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deardiary
from deardiary.environment import redact
from deardiary.environment.restore import restore_snapshot
from tests.client.environment.test_restore import captured

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.environment.conftest import Repository

_random = random.Random(12)  # noqa: S311 - made up here, so that no scanner finds a credential in this file


def letters(length: int, alphabet: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") -> str:
    return "".join(_random.choice(alphabet) for _ in range(length))


def key(kind: str = "RSA ") -> str:
    body = base64.encodebytes(_random.randbytes(600)).decode()
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}-----END {kind}PRIVATE KEY-----\n"


URLS = [
    ("https://ada:sesame@pypi.example/simple", "https://***@pypi.example/simple"),
    ("https://sesame@pypi.example/simple", "https://***@pypi.example/simple"),
    ("https://ada:se@same@pypi.example/simple", "https://***@pypi.example/simple"),
    ("https://ada:se:same@pypi.example/simple", "https://***@pypi.example/simple"),
    ("https://ada:se/sesame@pypi.example/simple", "https://***@pypi.example/simple"),
    ("https://ada:se#sesame?@pypi.example/simple", "https://***@pypi.example/simple"),
    ("https://ada:s@e/sesame@pypi.example/simple", "https://***@pypi.example/simple"),
    ("https://ada:sesame%40%2F%3A@pypi.example", "https://***@pypi.example"),
    ("https://:sesame@pypi.example", "https://***@pypi.example"),
    ("https://ada:sesame@[::1]:8080/x", "https://***@[::1]:8080/x"),
    ("https://ada:sesame@localhost:8080/x", "https://***@localhost:8080/x"),
    ("https://ada:sesame@index/simple", "https://***@index/simple"),
    ("https://ada:$e$ame@h.example/sesame", "https://***@h.example/sesame"),
    ("HTTPS://ada:sesame@h.example", "HTTPS://***@h.example"),
    ("git+https://sesame@github.com/x/y.git@v1.0#egg=y", "git+https://***@github.com/x/y.git@v1.0#egg=y"),
    ("git+ssh://git:sesame@github.com/x/y", "git+ssh://***@github.com/x/y"),
    ("postgresql+psycopg2://ada:sesame@db/iris", "postgresql+psycopg2://***@db/iris"),
    ("mongodb+srv://ada:sesame@c.example/x", "mongodb+srv://***@c.example/x"),
    ("redis://:sesame@localhost:6379/0", "redis://***@localhost:6379/0"),
    ('{"url": "https:\\/\\/ada:sesame@h.example"}', '{"url": "https:\\/\\/***@h.example"}'),
    ("x = 'https://ada:sesame@h.example', 'a@b'", "x = 'https://***@h.example', 'a@b'"),
    ("https://h.example/x.whl?token=sesame&a=1#sha256=0", "https://h.example/x.whl?token=***&a=1#sha256=0"),
    ("https://h.example/x?X-Amz-Signature=sesame", "https://h.example/x?X-Amz-Signature=***"),
    ("--proxy ada:sesame@proxy.example:3128", "--proxy ***@proxy.example:3128"),
]
HARMLESS_URLS = [
    "git+ssh://git@github.com/x/y.git@v1.0",
    "git+https://github.com/x/y.git@v1.0",
    "https://git@github.com/x/y",
    "ssh://ada@host/x",
    "https://h.example:8443/pkg@1.0",
    "https://h.example:{port}/pkg@1.0",
    "https://medium.com/@ada/post",
    "https://${USER}:${PASSWORD}@pypi.example/simple",
    "https://$TOKEN@pypi.example/simple",
    "f'postgresql://{user}:{password}@{host}/x'",
    "git@github.com:x/y.git",
    "file:///home/ada/x@1.0",
    "https://pypi.example/simple https://x.example ada@b.example",
    "https://h.example/x?tokens=3&key=x",
    "pad_token = '<|endoftext|>'; api_key = os.environ['API_KEY']; password: str = ''",
    "sk-learn-like-names-are-no-keys glpat-none hf_hub_download dapi",
    "-----BEGIN PUBLIC KEY-----",
]


@pytest.mark.parametrize(("text", "expected"), URLS)
def test_a_credential_in_a_url_is_replaced(text: str, expected: str) -> None:
    assert redact.redacted(text) == expected


@pytest.mark.parametrize("text", HARMLESS_URLS)
def test_a_text_without_credentials_stays(text: str) -> None:
    assert redact.redact(text) == (text, [])


TOKENS = {
    "AWS key": [f"AKIA{letters(16).upper()}", f"aws_secret_access_key = {letters(40)}"],
    "GitHub token": [f"ghp_{letters(36)}", f"gho_{letters(36)}", f"github_pat_{letters(22)}_{letters(59)}"],
    "GitLab token": [f"glpat-{letters(20)}"],
    "Hugging Face token": [f"hf_{letters(34)}"],
    "API key": [f"sk-{letters(48)}", f"sk-proj-{letters(60)}", f"sk-ant-api03-{letters(90)}"],
    "Stripe key": [f"sk_live_{letters(24)}"],
    "Slack token": [f"xoxb-{letters(12)}-{letters(24)}"],
    "Google key": [f"AIza{letters(35)}"],
    "PyPI token": [f"pypi-{letters(120)}"],
    "npm token": [f"npm_{letters(36)}"],
    "Databricks token": [f"dapi{letters(32, '0123456789abcdef')}"],
    "Vault token": [f"hvs.{letters(90)}"],
    "DearDiary token": [f"dd_{letters(26)}_{letters(26)}_{letters(43)}"],
    "JSON Web Token": [f"eyJ{letters(30)}.eyJ{letters(60)}.{letters(43)}"],
    "storage key": [f"AccountName=x;AccountKey={letters(86)}==;"],
    "credential in an assignment": [
        f'password = "{letters(12)}"',
        f"api_key: '{letters(32)}'",
        f'{{"client_secret": "{letters(24)}"}}',
        f"export WANDB_API_KEY={letters(40)}",
        f"ENV HF_TOKEN='{letters(20)}'",
    ],
    "private key": [key(), key("OPENSSH "), key("").replace("\n", "\\n")],
}


@pytest.mark.parametrize(("what", "text"), [(what, text) for what, texts in TOKENS.items() for text in texts])
def test_a_token_of_known_form_is_replaced(what: str, text: str) -> None:
    found, findings = redact.redact(f"before\n{text}\nafter\n")
    assert {each.what for each in findings} == {what}
    assert findings[0].line >= 2
    assert redact.MASK in found
    assert found.startswith("before\n")
    assert found.endswith("\nafter\n")
    assert found.count("\n") == text.count("\n") + 3
    runs = max(re.findall(r"[A-Za-z0-9+/]+", text), key=len)
    assert runs not in found
    assert redact.redact(found) == (found, [])


SAFE = st.text(st.sampled_from("ab12-._~!$&*+,;=%:@é"), min_size=1, max_size=12)
HOSTS = st.sampled_from(["pypi.example", "h.example:8443", "localhost", "10.0.0.1:80", "[::1]:9000"])
AROUND = st.sampled_from(["{}", '"{}"', "--index-url {}\n", "x @ git+{} ; python_version > '3'", '{{"url": "{}"}}'])
PATHS = st.sampled_from(["", "/", "/simple", "/x.git@v1.0", "/x?a=b@c#d@e", "/x.whl#sha256=0"])


@settings(deadline=None)
@given(st.text(min_size=1, max_size=20), SAFE, HOSTS, PATHS, AROUND, st.booleans())
def test_a_planted_credential_never_survives(
    secret: str, user: str, host: str, path: str, around: str, alone: bool
) -> None:
    """Percent-encoded as tools require it, alone or as the password of any user."""
    marked = "PLANTED" + urllib.parse.quote(secret, safe="")
    login = marked if alone else f"{user}:{marked}"
    found = redact.redacted(around.format(f"https://{login}@{host}{path}"))
    assert found == around.format(f"https://***@{host}{path}")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="\"<>`'"), max_size=20))
def test_nor_does_a_password_without_url_encoding(password: str) -> None:
    found = redact.redacted(f"--index-url https://ada:PLANTED{password}PLANTED@pypi.example/simple\n")
    assert "PLANTED" not in found


@settings(deadline=None)
@given(st.lists(st.sampled_from(["https://", "a:b@", "@", "/", "h.example", "'", '"', " ", "\n", "token=", "x1"])))
def test_redaction_keeps_the_lines_and_is_done_once(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = redact.redacted(text)
    assert found.count("\n") == text.count("\n")
    assert redact.redacted(found) == found


NAMES = (
    *("service-account.json", "kubeconfig", "prod.kubeconfig", ".databrickscfg", ".s3cfg", ".my.cnf", ".vault-token"),
    *("secrets/plain.txt", "app/secrets/deep/a.yml", ".secrets", ".kube/config", ".azure/x", "gcloud/adc.json"),
    *(".boto", "AuthKey.p8", "host.keytab", ".dockerconfigjson", ".huggingface/token", "secrets.properties"),
)


@pytest.mark.parametrize("is_tracked", [True, False])
def test_files_of_credentials_are_left_out_by_their_names(repository: Repository, is_tracked: bool) -> None:
    if is_tracked:
        for name in NAMES:
            repository.write(name, "before\n")
        repository.commit()
    for name in NAMES:
        repository.write(name, "sesame\n")
    found = deardiary.capture_environment(repository.path)
    assert found.git_diff is not None
    assert [name for name in NAMES if f"# left out: {name} (may hold a secret)\n" not in found.git_diff] == []
    assert "sesame" not in found.git_diff
    assert len(found.left_out) == len(NAMES)


def contents() -> dict[str, tuple[str, str]]:
    secret = letters(64)
    return {
        "a private key": ("notes.txt", f"my key\n{key()}"),
        "a service account": ("iris-1f2e.json", f'{{"type": "service_account", "private_key_id": "{secret}"}}\n'),
        "a login": ("adc.json", f'{{"refresh_token": "{secret}"}}\n'),
        "a kubeconfig": ("cluster.yaml", f"users:\n- user:\n    client-key-data: {secret}\n"),
    }


@pytest.mark.parametrize("is_tracked", [True, False])
@pytest.mark.parametrize("what", contents())
def test_files_of_credentials_are_left_out_by_their_contents(
    repository: Repository, what: str, is_tracked: bool
) -> None:
    name, content = contents()[what]
    if is_tracked:
        repository.write(name, "nothing yet\n")
        repository.commit()
    repository.write(name, content)
    diff = deardiary.capture_environment(repository.path).git_diff or ""
    assert f"# left out: {name} (holds {what})\n" in diff
    assert [line for line in content.splitlines() if len(line) > 12 and line in diff] == []


def test_a_few_lines_out_of_a_key_are_left_out(repository: Repository) -> None:
    lines = key().split("\n")
    repository.write("notes.txt", "\n".join(lines))
    repository.commit()
    lines[6] = letters(64)
    repository.write("notes.txt", "\n".join(lines))
    diff = deardiary.capture_environment(repository.path).git_diff or ""
    assert diff == "# left out: notes.txt (holds a private key)\n"


URL = "https://ada:se@same@pypi.example/simple"
CLEAN = "https://***@pypi.example/simple"


def test_every_part_of_a_snapshot_is_without_credentials(repository: Repository) -> None:
    repository.write("pyproject.toml", f'[[tool.uv.index]]\nurl = "{URL}"\n')
    repository.write("requirements.txt", f"--index-url {URL}\nx @ git+https://sesame@github.com/x/x\nnumpy==2.0\n")
    repository.commit()
    repository.write("requirements.txt", f"--index-url {URL}\nx @ git+https://sesame@github.com/x/x\nnumpy==2.1\n")
    repository.write("train.py", f"token = 'ghp_{letters(36)}'\n")
    found = deardiary.capture_environment(repository.path)
    assert found.project_toml == f'[[tool.uv.index]]\nurl = "{CLEAN}"\n'
    assert found.manifest_toml == f"--index-url {CLEAN}\nx @ git+https://***@github.com/x/x\nnumpy==2.1\n"
    assert "same" not in repr(found)
    assert "ghp_" not in repr(found)
    assert found.git_diff is not None
    assert found.git_diff.startswith(
        "# redacted: requirements.txt (credential in a URL)\n# redacted: train.py (GitHub token)\n"
    )
    assert found.redacted == (
        "requirements.txt (credential in a URL)",
        "train.py (GitHub token)",
        "pyproject.toml, line 2: credential in a URL",
        "requirements.txt, line 1: credential in a URL",
        "requirements.txt, line 2: credential in a URL",
    )
    assert set(found.fields()) & {"redacted", "left_out", "problems"} == set()


def test_a_made_lock_file_and_an_entry_point_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "site" / "iris-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: iris\nVersion: 1.0\n")
    (info / "direct_url.json").write_text(
        '{"url": "https://sesame@h/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}'
    )
    script = tmp_path / f"hf_{letters(34)}" / "train.py"
    script.parent.mkdir()
    script.write_text("import deardiary; print(deardiary.capture_environment())\n")
    source = str(__import__("pathlib").Path(deardiary.__file__).parents[1])
    command = [sys.executable, "-S", str(script)]
    environment = {"PYTHONPATH": f"{tmp_path / 'site'}:{source}", "PATH": "", "HOME": str(tmp_path)}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    assert 'url = "https://***@h/x.git"' in ran.stdout
    assert "the installed packages, line" in ran.stdout
    assert "hf_" not in ran.stdout.partition("problems=")[0]
    assert "sesame" not in ran.stdout


def test_each_redaction_is_logged(repository: Repository, caplog: pytest.LogCaptureFixture) -> None:
    from deardiary.environment.capture import log_remarks

    repository.write("requirements.txt", f"--index-url {URL}\n")
    repository.write(".env", "sesame")
    with caplog.at_level("INFO", logger="deardiary"):
        log_remarks(deardiary.capture_environment(repository.path))
    assert "requirements.txt, line 1: credential in a URL" in caplog.text
    assert ".env (may hold a secret)" in caplog.text


def test_a_patch_whose_context_is_redacted_comes_back(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = f"ghp_{letters(36)}"
    repository.write("train.py", f"print(1)\nurl = '{URL}'\nold = '{token}'\nprint(2)\n")
    repository.commit()
    repository.write("train.py", f"print(1)\nurl = '{URL}'\nprint(3)\nnew = '{token}'\n")
    snapshot = captured(repository)
    repository.git("checkout", "--quiet", "train.py")
    monkeypatch.chdir(repository.path)
    for _ in range(2):
        restored = restore_snapshot(snapshot, tmp_path / "again")
        assert restored.is_patched
    assert (tmp_path / "again/train.py").read_text() == f"print(1)\nurl = '{URL}'\nprint(3)\nnew = '***'\n"
    assert "*** in place of a credential: train.py (credential in a URL, GitHub token)" in restored.remarks


def test_nothing_is_installed_from_a_url_without_its_credential(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("requirements.txt", f"--index-url {URL}\n# *** a heading ***\n")
    snapshot = captured(repository, git_sha="", git_diff=None)
    monkeypatch.chdir(tmp_path)
    from deardiary.environment import restore

    remark = "requirements.txt, line 1: replace *** in the URL by the credential, which the snapshot does not hold"
    restored = restore_snapshot(snapshot, tmp_path / "again")
    assert remark in restored.remarks
    with pytest.raises(RuntimeError, match=r"requirements\.txt, line 1"):
        restore._install(restored)
    (tmp_path / "again/requirements.txt").write_text(f"--index-url {URL}\n# *** a heading ***\n")
    again = restore_snapshot(snapshot, tmp_path / "again")
    assert (tmp_path / "again/requirements.txt").read_text().startswith(f"--index-url {URL}")
    assert remark not in again.remarks
