"""Replace the credentials in a text: those in URLs, and tokens of known form.

``***`` replaces a credential in its line, and the number of lines stays. A second pass changes nothing.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

MASK = "***"


class Finding(NamedTuple):
    """A replaced credential: its line, counted from 1, and its kind."""

    line: int
    what: str


class _Rule(NamedTuple):
    """Replaces the group `secret` of a pattern. Skips a text that holds none of the markers, in lower case."""

    what: str
    markers: tuple[str, ...]
    pattern: re.Pattern[str]


def _rule(what: str, markers: str, pattern: str, flags: int = 0) -> _Rule:
    return _Rule(what, tuple(markers.split()), re.compile(pattern, flags))


def _token(what: str, markers: str, form: str) -> _Rule:
    return _rule(what, markers, rf"(?<![A-Za-z0-9])(?P<secret>{form})(?![A-Za-z0-9])")


_NAMES = r"password|passwd|passphrase|secret|secret_?key|api_?key|access_?key|private_?key|account_?key|api_?token"
_NAMES += r"|auth_?token|access_?token|private_?token|secret_?access_?key"
_QUERY = r"token|access_token|auth_token|private_token|job_token|api_?key|password|passwd|secret|client_secret|sig"
_QUERY += r"|signature|x-amz-(?:signature|security-token|credential)|x-goog-(?:signature|credential)"
_SETTING = r"^[+ -]?[ \t]*(?:(?:export|ENV|ARG)[ \t]+)?[A-Z0-9_]*(?:PASSWORD|SECRET|_KEY|TOKEN)="
_GITLAB = "glpat- gldt- glrt- glrtr- glptt- glcbt- glft- glimt- glagent- gloas- glsoat- glffct-"
_BLOCK = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?P<secret>[\s\S]+?)(?=[\s\\n]*-----END|\Z)"

_RULES = (
    _rule("private key", "-----begin", _BLOCK),
    _token("AWS key", "akia asia", r"(?:AKIA|ASIA)[0-9A-Z]{16}"),
    _rule(
        "AWS key",
        "secret",
        r"secret_?access_?key['\"]?\s*[=:]\s*['\"]?(?P<secret>[A-Za-z0-9/+=]{40})(?![A-Za-z0-9/+=])",
        re.IGNORECASE,
    ),
    _token("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{30,255}"),
    _token("GitHub token", "github_pat_", r"github_pat_\w{22,255}"),
    _token("GitLab token", _GITLAB, rf"(?:{_GITLAB.replace(' ', '|')})[\w.-]{{20,255}}"),
    _token("Hugging Face token", "hf_ api_org_", r"(?:hf|api_org)_[A-Za-z0-9]{30,255}"),
    _token("API key", "sk-", r"sk-(?:(?:proj|ant|svcacct|admin|or|lf)-[\w-]{20,255}|[A-Za-z0-9]{32,255})"),
    _token("Stripe key", "k_live_ k_test_", r"[srp]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
    _token("Slack token", "xox xapp-", r"(?:xox[a-z]|xapp)-[\w-]{10,255}"),
    _rule("Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/services/(?P<secret>[\w/]{10,255})"),
    _token("Google key", "aiza gocspx-", r"(?:AIza|GOCSPX-)[\w-]{20,255}"),
    _token("Google token", "ya29.", r"ya29\.[\w-]{20,2000}"),
    _token("PyPI token", "pypi-", r"pypi-[\w-]{50,1000}"),
    _token("npm token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _token("Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _rule(
        "conda token", "/t/", r"://[^/\s\"']+/t/(?P<secret>[a-z]{2}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=/)"
    ),
    _token("Vault token", "hvs. hvb. hvr.", r"hv[sbr]\.[\w-]{20,255}"),
    _token("DigitalOcean token", "do_v1_ oo_v1_ or_v1_", r"do[opr]_v1_[a-f0-9]{64}"),
    _token("SendGrid key", "sg.", r"SG\.[\w-]{16,64}\.[\w-]{16,64}"),
    _token("DearDiary token", "dd_", r"dd_[\w-]{60,255}"),
    _token("JSON Web Token", "eyj", r"eyJ[\w-]{8,4000}\.eyJ[\w-]{8,4000}\.[\w-]{8,4000}"),
    _rule("storage key", "accountkey=", r"AccountKey=(?P<secret>[A-Za-z0-9+/=]{40,255})"),
    _rule("login of a proxy", "--proxy", r"--proxy[ =](?P<secret>[^\s@/:]+:[^\s@]+)(?=@)"),
    _rule("credential in a URL", "=", rf"[?&](?:{_QUERY})=(?P<secret>[^\s&#\"'<>`\\]+)", re.IGNORECASE),
    _rule(
        "credential in an assignment",
        "pass secret key token",
        rf"(?:{_NAMES})['\"]?\s{{0,9}}(?::\s{{0,9}}str\s{{0,9}})?[=:]\s{{0,9}}(?P<quote>['\"])"
        r"(?P<secret>[^\s'\"$<>{}%]{8,1000})(?P=quote)",
        re.IGNORECASE,
    ),
    *(
        _rule("credential in an assignment", "password secret key token", f"{_SETTING}{value}", re.MULTILINE)
        for value in (r"(?P<secret>[^\s'\"$]{8,})", r"(?P<quote>['\"])(?P<secret>[^\s'\"$]{8,})(?P=quote)")
    ),
)

# After the colon of a scheme; JSON may escape its slashes.
_SLASHES = re.compile(r":(?:\\?/){2}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*\Z")
_LONGEST_SCHEME = 32
_LONGEST_LOGIN = 2000
_URL = re.compile(rf"[^\s\"<>`]{{0,{_LONGEST_LOGIN}}}")
_LOGIN_BY_KEY = ("ssh", "sftp", "rsync")
_PLACEHOLDER = r"(?:\$?\{[^{}@]*\}|\$\w+|%\w*|%\(\w+\)s|\*\*\*)"
_HARMLESS = re.compile(rf"git|{_PLACEHOLDER}(?::{_PLACEHOLDER})?|:?")
_PORT = re.compile(rf"[^:]*(?::(?:[0-9]*|{_PLACEHOLDER}))?|\[.*")
_HOST = re.compile(rf"[^:]*\.[^:]*(?::.*)?|localhost(?::.*)?|[^:]+:[0-9]+|\[.*|{_PLACEHOLDER}.*")


def redacted(text: str) -> str:
    return redact(text)[0]


def redact(text: str) -> tuple[str, list[Finding]]:
    """The text with ``***`` in place of each credential, and the kinds of these in the order of lines."""
    found = _merged(sorted([*_in_urls(text), *_known(text)]))
    if not found:
        return text, []
    pieces: list[str] = []
    findings: list[Finding] = []
    end, line = 0, 1
    for start, stop, what in found:
        line += text.count("\n", end, start)
        findings.append(Finding(line, what))
        pieces += text[end:start], _masked(text[start:stop])
        line += text.count("\n", start, stop)
        end = stop
    return "".join([*pieces, text[end:]]), findings


def summary(findings: Iterable[Finding]) -> str:
    return ", ".join(dict.fromkeys(each.what for each in findings))


def _masked(secret: str) -> str:
    """Replace each line of a key on its own, so that the number of lines stays."""
    return "\n".join(MASK if line.strip() else line for line in secret.split("\n"))


def _merged(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    merged: list[tuple[int, int, str]] = []
    for start, stop, what in spans:
        if merged and start < merged[-1][1]:
            first, end, kind = merged[-1]
            merged[-1] = first, max(end, stop), kind
        else:
            merged.append((start, stop, what))
    return merged


def _known(text: str) -> Iterator[tuple[int, int, str]]:
    lower = text.lower()
    for rule in _RULES:
        if any(marker in lower for marker in rule.markers):
            for match in rule.pattern.finditer(text):
                if match["secret"].replace(MASK, "").strip():
                    yield *match.span("secret"), rule.what


def _in_urls(text: str) -> Iterator[tuple[int, int, str]]:
    for slashes in _SLASHES.finditer(text):
        scheme = _SCHEME.search(text, max(0, slashes.start() - _LONGEST_SCHEME), slashes.start())
        if not scheme or text.find("@", slashes.end(), slashes.end() + _LONGEST_LOGIN) < 0:
            continue
        url = _URL.match(text, slashes.end())
        rest = url[0] if url else ""
        if text[scheme.start() - 1 : scheme.start()] == "'":
            rest = rest.partition("'")[0]
        length = _login_length(rest)
        if length and _is_credential(scheme[0].lower(), rest[:length]):
            yield slashes.end(), slashes.end() + length, "credential in a URL"


def _is_credential(scheme: str, login: str) -> bool:
    by_key = scheme.rpartition("+")[2] in _LOGIN_BY_KEY and ":" not in login
    return not by_key and not _HARMLESS.fullmatch(login)


def _login_length(rest: str) -> int:
    """The length of user and password after a scheme; 0 if there are none.

    By RFC 3986 both end at the last @ before the path. A password with an unescaped slash ends later: the text before
    that slash is then no host with a port.
    """
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    login, at, host = authority.rpartition("@")
    last = rest.rfind("@")
    if at:
        return len(login) if last == len(login) or _HOST.fullmatch(host) else last
    return last if last > 0 and not _PORT.fullmatch(authority) else 0
