"""The client's settings, from arguments, the environment and the login file. The only reader of os.environ."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

_A_DAY = 86_400
_FINISH_SECONDS = 30.0
_AWAY_SECONDS = 3.0
_UNNAMED = "default"
# Name, rank, number of processes, keys that all processes share. Accelerate sets the variables of torchrun or of MPI.
_LAUNCHERS = (
    ("torchrun", "RANK", "WORLD_SIZE", ("TORCHELASTIC_RUN_ID",)),
    *(
        ("Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", ("PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid")),
        ("MVAPICH", "MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", ()),
        ("MPI", "PMI_RANK", "PMI_SIZE", ("PMI_JOBID",)),
    ),
    ("SLURM", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", ()),
)
DEFAULT_URL = "http://127.0.0.1:9000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Credentials for one server; the token is used before the password.

    ``token_secret`` names a secret of AWS Secrets Manager; its token is read when the server asks for one.
    """

    token: str | None = field(default=None, repr=False)
    token_secret: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Credentials):
    """The server and credentials of a connection. At most one of ``token``, ``token_secret`` and ``username`` is set.

    ``keyless``: without all of these, AWS credentials may sign in at this server.
    """

    url: str
    keyless: bool = field(default=False, compare=False, repr=False)


class Login(NamedTuple):
    """A login as kept on this machine. ``username`` is None if an earlier version kept it."""

    url: str
    token: str
    username: str | None = None


def find_settings(
    url: str | None = None, arguments: Credentials | None = None, *, chosen_by_user: bool = True
) -> Settings:
    """The settings in force, the first found of: arguments, environment, login file, default URL.

    Credentials are used only for the URL of their own source. Those of the login file are for its server only. Those
    of the environment are ignored if ``DEARDIARY_URL`` names another server than ``url``. Without ``DEARDIARY_URL``
    they are for the chosen server, or, unless ``chosen_by_user``, for the default server only.
    ValueError for an invalid URL, for a username without a password and for a damaged login file.
    """
    environment_url = clean_url(_variable("URL"))
    file_url, file_credentials = _login_file()
    chosen = clean_url(url) or environment_url or file_url or DEFAULT_URL
    sources = [arguments or Credentials()]
    default = chosen if chosen_by_user else file_url or DEFAULT_URL
    is_chosen = (environment_url or default) == chosen
    if is_chosen:
        sources.append(_credentials_of_environment())
    if file_url == chosen:
        sources.append(file_credentials)
    return replace(_settings(chosen, sources), keyless=is_chosen)


def environment_login(url: str) -> tuple[str, str] | None:
    """DEARDIARY_USERNAME and DEARDIARY_PASSWORD, if both are set and DEARDIARY_URL names no other server."""
    found = _credentials_of_environment()
    is_for_it = clean_url(_variable("URL")) in (None, url)
    return (found.username, found.password) if found.username and found.password and is_for_it else None


def default_project() -> str | None:
    """The project of an iteration that names none: DEARDIARY_PROJECT."""
    return _variable("PROJECT")


def default_experiment() -> str | None:
    """The experiment of an iteration that names none: DEARDIARY_EXPERIMENT."""
    return _variable("EXPERIMENT")


def is_offline() -> bool:
    """True if records stay in the spool until `sync`: DEARDIARY_OFFLINE is set, and not to 0, false, no or off."""
    return _is_set("OFFLINE")


def is_quiet() -> bool:
    """True if `start` prints nothing: DEARDIARY_QUIET is set, and not to 0, false, no or off."""
    return _is_set("QUIET")


def _is_set(name: str) -> bool:
    return (_variable(name) or "0").lower() not in ("0", "false", "no", "off")


def captured() -> tuple[str, ...] | None:
    """The parts that `start` captures by DEARDIARY_CAPTURE, separated by commas; () for none, None if it is not set."""
    text = _variable("CAPTURE")
    if text is None:
        return None
    return () if text.lower() == "none" else tuple(part.strip().lower() for part in text.split(","))


def default_ranks() -> str | None:
    """The ranks that log if `start` names none: DEARDIARY_RANKS."""
    return _variable("RANKS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """What a launcher says of this process. ``key`` names the job in all its processes; None if it sets none.

    ``has_one_parent``: one process on this machine has started all of them.
    """

    launcher: str
    rank: int
    size: int
    key: str | None
    has_one_parent: bool


def launched() -> Launched | None:
    """The launcher of this process, from the environment; the one that started it last, such as torchrun in SLURM."""
    for launcher, rank_name, size_name, key_names in _LAUNCHERS:
        rank, size = (os.environ.get(name, "") for name in (rank_name, size_name))
        if rank.isdecimal() and size.isdecimal():
            keys = [os.environ.get(name, "") for name in key_names]
            key = next((each for each in keys if each not in ("", "none")), None)
            is_torchrun = "TORCHELASTIC_RUN_ID" in os.environ and rank_name == "RANK"
            has_one_parent = is_torchrun and os.environ.get("LOCAL_WORLD_SIZE") == size
            return Launched(
                launcher=launcher,
                rank=int(rank),
                size=int(size),
                key=key or (None if has_one_parent else _slurm_step()),  # a job may start torchrun several times
                has_one_parent=has_one_parent,
            )
    return None


def _slurm_step() -> str | None:
    """The job and the step, which `srun` has started: several steps of a job are different trainings."""
    job, step = (os.environ.get(f"SLURM_{name}_ID", "") for name in ("JOB", "STEP"))
    return ".".join(filter(None, (job, step))) or None


def spool_folder() -> Path:
    """The folder of all spools: DEARDIARY_DIR/spool, otherwise below the user's data folder.

    In a SageMaker training job it is below a folder that SageMaker saves: the checkpoints, which it copies to S3
    while the job runs and back at a restart, or, without checkpoints, the job's output.

    It is one folder per user, not per working directory. So a later start finds the spool of a crash from any
    directory, and no repository gets files of the client. RuntimeError if the user has no home directory.
    """
    folder, home = _variable("DIR"), os.environ.get("XDG_DATA_HOME")
    if folder:
        return Path(folder).expanduser().absolute() / "spool"
    job = training_job()
    if job is not None:
        return job.kept_folder / "deardiary" / "spool"
    return (Path(home) if home else Path.home() / ".local" / "share") / "deardiary" / "spool"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """The SageMaker training job of this process, from the environment. ``base`` is the folder of its files."""

    name: str
    arn: str
    base: Path

    @property
    def kept_folder(self) -> Path:
        """A folder whose files outlive the machine."""
        return self.checkpoint_folder or self.base / "output" / "data"

    @property
    def checkpoint_folder(self) -> Path | None:
        """The folder that SageMaker copies to S3 during the job, and back at a restart; None if the job has none."""
        checkpoints = self.base / "checkpoints"
        return checkpoints if checkpoints.is_dir() else None


def training_job() -> TrainingJob | None:
    """The training job that TRAINING_JOB_NAME names; its files are below SAGEMAKER_BASE_DIR, by default /opt/ml."""
    name = os.environ.get("TRAINING_JOB_NAME")
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml")
    if not name or not base.is_dir():
        return None
    return TrainingJob(name=name, arn=os.environ.get("TRAINING_JOB_ARN", ""), base=base)


def finish_seconds(*, strict: bool = True) -> float:
    """Seconds that an iteration's end waits for unsent records: DEARDIARY_FINISH_SECONDS, default 30.

    ValueError for an invalid number. Without ``strict`` return the default then: no setting may break a run's end.
    """
    text = _variable("FINISH_SECONDS") or str(_FINISH_SECONDS)
    seconds = _number(text)
    if not 0 <= seconds <= _A_DAY:
        if not strict:
            return _FINISH_SECONDS
        raise ValueError(f"DEARDIARY_FINISH_SECONDS is a number of seconds, not {text!r}")
    return seconds


def finish_seconds_of(given: float | None) -> tuple[float, float]:
    """Seconds that an iteration's end waits, and seconds that it waits while the server does not answer.

    The second is less, unless the caller or DEARDIARY_FINISH_SECONDS gives a time.
    """
    if given is not None:
        return given, given
    seconds = finish_seconds(strict=False)
    return seconds, seconds if _variable("FINISH_SECONDS") else min(seconds, _AWAY_SECONDS)


def store_hosts() -> frozenset[str]:
    """Hosts of artifact stores that may have private addresses: DEARDIARY_STORE_HOSTS, separated by commas."""
    return frozenset(host.strip().lower() for host in (_variable("STORE_HOSTS") or "").split(",")) - {""}


def unpack_bytes() -> int | None:
    """The most bytes that `sync` unpacks from an archive: DEARDIARY_UNPACK_GIB; None derives them from its size."""
    text = _variable("UNPACK_GIB")
    if text is None:
        return None
    gib = _number(text)
    if not 0 < gib <= 2**20:
        raise ValueError(f"DEARDIARY_UNPACK_GIB is a number of GiB, not {text!r}")
    return int(gib * 2**30)


def _number(text: str) -> float:
    """The number, -1 for a text that is none."""
    try:
        return float(text)
    except ValueError:
        return -1.0


def aws_region() -> str | None:
    """The region that AWS sets for programs on its machines; boto3 reads the second variable only."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def aws_variables() -> dict[str, str]:
    """The variables of AWS, in which it names the credentials of this process."""
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


def named_url() -> str | None:
    return clean_url(_variable("URL")) or _login_file()[0]


def known_urls() -> frozenset[str]:
    """The servers that the environment and the login file name, or the default server if they name none."""
    named = {clean_url(_variable("URL")), _login_file()[0], *(each.url for each in logins().values())} - {None}
    return frozenset(named or {DEFAULT_URL})  # type: ignore[arg-type]


def login_file() -> Path:
    """The file of all logins: JSON, {url, token, username, name, "logins": {NAME: {url, token, username}}}."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "deardiary" / "credentials.json"


def login_is_damaged() -> bool:
    """True if the login file exists and is invalid; then every command but a new sign-in fails."""
    try:
        _login_file()
    except ValueError:
        return True
    return False


def clean_url(url: str | None) -> str | None:
    """An API's URL, which may have a path, without a trailing slash. ValueError for an invalid URL."""
    if not url:
        return None
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(f"A DearDiary URL looks like https://host/api, not {url!r}")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("A DearDiary URL has no query, no fragment and no username")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _settings(url: str, sources: list[Credentials]) -> Settings:
    for source in sources:
        if source.token:
            return Settings(url=url, token=source.token.strip())
        if source.token_secret:
            return Settings(url=url, token_secret=source.token_secret)
        if source.username:
            password = next((each.password for each in sources if each.password), None)
            if password is None:
                raise ValueError(f"No password for {source.username!r}: give one, or set DEARDIARY_PASSWORD")
            return Settings(url=url, username=source.username, password=password)
    return Settings(url=url)


def _credentials_of_environment() -> Credentials:
    return Credentials(
        token=_variable("TOKEN"),
        token_secret=_variable("TOKEN_SECRET"),
        username=_variable("USERNAME"),
        password=os.environ.get("DEARDIARY_PASSWORD"),
    )


def login_url(name: str | None) -> str | None:
    """The URL of the login of this name, or of the one without a name that is in force; None if there is none."""
    current, known, current_name = _read_logins()
    found = known.get(name) if name else current if current_name is None else None
    return found.url if found else None


def logins() -> dict[str, Login]:
    return _read_logins()[1]


def current_login() -> str | None:
    """The name of the login in force: DEARDIARY_LOGIN, else the current one of the login file, else None."""
    return _variable("LOGIN") or _read_logins()[2]


def keep_login(login: Login, name: str | None) -> str:
    """The text of the login file with this login in force.

    Other named logins stay. A named login keeps the one in force without a name beside it, as "default".
    """
    try:
        known = _with_unnamed() if name else _read_logins()[1]
    except ValueError:
        known = {}
    return _logins_text(login, known | ({name: login} if name else {}), name)


def use_login(name: str) -> str:
    """The text of the login file with the login of this name in force. ValueError if there is no such login."""
    known = _with_unnamed()
    return _logins_text(_named(known, name), known, name)


def _with_unnamed() -> dict[str, Login]:
    current, known, name = _read_logins()
    return known | {_UNNAMED: current} if current and name is None else known


def forget_login(name: str | None) -> str | None:
    """The text of the login file without this login, by default the one in force; None if no login is left."""
    current, known, current_name = _read_logins()
    gone = name or current_name
    left = {each: login for each, login in known.items() if each != gone}
    if name is not None and name != current_name:
        _named(known, name)
        return _logins_text(current, left, current_name)
    return _logins_text(None, left, None) if left else None


def _logins_text(current: Login | None, known: Mapping[str, Login], name: str | None) -> str:
    """The JSON of the login file. Earlier versions read the login in force from top-level ``url`` and ``token``."""
    named = {each: login._asdict() for each, login in known.items()}
    data: dict[str, object] = current._asdict() if current else {}
    return json.dumps(data | ({"name": name} if name else {}) | ({"logins": named} if named else {}))


def _named(known: Mapping[str, Login], name: str) -> Login:
    if name not in known:
        raise ValueError(f"There is no login {name!r}; there are: {', '.join(sorted(known)) or 'none'}")
    return known[name]


def _login_file() -> tuple[str | None, Credentials]:
    """URL and credentials of the login in force: the one that DEARDIARY_LOGIN names, else the current one."""
    current, known, _ = _read_logins()
    wanted = _variable("LOGIN")
    found = _named(known, wanted) if wanted else current
    return (found.url, Credentials(token=found.token)) if found else (None, Credentials())


def _read_logins() -> tuple[Login | None, dict[str, Login], str | None]:
    """The current login as URL and token, the named logins, and the name of the current one."""
    path = login_file()
    try:
        data = json.loads(path.read_text("utf-8"))
        named = {name: _login(each) for name, each in data.get("logins", {}).items()}
        return (_login(data) if "url" in data else None), named, data.get("name")
    except FileNotFoundError:
        return None, {}, None
    except (AttributeError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"The login file {path} is damaged: log in again, or delete it") from error


def _login(data: Mapping[str, str]) -> Login:
    url, token = clean_url(data["url"]), data["token"]
    if url is None or not isinstance(token, str):
        raise ValueError("a login has a URL and a token")
    return Login(url, token, data.get("username"))


def _variable(name: str) -> str | None:
    """A DEARDIARY_ variable without surrounding whitespace, such as a token's line end; None if empty or not set."""
    return os.environ.get(f"DEARDIARY_{name}", "").strip() or None
