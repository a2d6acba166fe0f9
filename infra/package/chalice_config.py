"""Write a stage's settings where Chalice reads them: `.chalice/config.json` and the policies beside it.

They contain nothing secret: the secret's name, not the secret.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib import config
from chalicelib.config import CAPTURE_SAGEMAKER, PUBLIC_URLS
from infra.failure import InfraError
from infra.resources.domain import Domain
from infra.resources.policy import CAPTURE, UPKEEP, functions
from infra.stage import EVENT_BUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.stage import Stage

FOLDER = Path(__file__).parents[2] / ".chalice"
CORS = "DEARDIARY_CORS_ORIGINS"
CAPTURE_SIZE = {"lambda_memory_size": 512, "lambda_timeout": 30}
NO_CAPTURE = "none"
WEB_ACL = "web_acl"  # ours; Chalice ignores it
DOMAIN = "api_gateway_custom_domain"  # Chalice's name of the setting
STORE = tuple(
    f"DEARDIARY_ARTIFACT_S3_{name}" for name in ("ENDPOINT", "BUCKET", "REGION", "ADDRESSING", "CREDENTIALS_PARAMETER")
)
OIDC = (
    *(
        f"DEARDIARY_OIDC_{name}"
        for name in (
            *("ISSUER", "CLIENT_ID", "CLIENT_SECRET_PARAMETER", "SCOPES", "NAME"),
            *("ALLOWED_DOMAINS", "ALLOWED_GROUPS", "GROUPS_CLAIM"),
        )
    ),
    "DEARDIARY_PASSWORD_SIGN_IN",
)


def write_outputs(stage: Stage, cors_origins: Sequence[str]) -> list[str]:
    """Write config.json and the policies for this stage; return one line per change.

    For a stage that config.json does not name, write nothing: Chalice does not know it. ConfigurationError for
    settings with which the functions would not start.
    """
    config = _read()
    if stage.name not in config["stages"]:
        return []
    entry = config["stages"][stage.name]
    wanted = stage.settings() | ({CORS: " ".join(cors_origins)} if cors_origins else {})
    # Keep the user's own settings, but nothing of an earlier store or provider.
    gone = {*STORE, *OIDC, CAPTURE_SAGEMAKER} - set(wanted)
    kept = {name: value for name, value in entry.get("environment_variables", {}).items() if name not in gone}
    entry["environment_variables"] = _checked(kept | wanted)
    if stage.web_acl:
        entry[WEB_ACL] = stage.web_acl
    sizes = entry.setdefault("lambda_functions", {})
    if stage.capture_sagemaker:
        sizes[CAPTURE.handler] = CAPTURE_SIZE | {"iam_policy_file": CAPTURE.policy_file(stage)}
    else:
        sizes.pop(CAPTURE.handler, None)
    files = {each.policy_file(stage): each.policy(stage) for each in functions(stage)}
    files |= {f"stack-{stage.name}.json": _stack(stage), "config.json": config}
    return [f"wrote .chalice/{name}" for name, content in files.items() if _write(FOLDER / name, content)]


def _checked(variables: dict[str, str]) -> dict[str, str]:
    config.read({**variables, "AWS_LAMBDA_FUNCTION_NAME": "deardiary"})
    return variables


def add_stage(stage: Stage) -> list[str]:
    """Add the stage to config.json, with the sizes of dev, if it is absent."""
    config = _read()
    if stage.name in config["stages"]:
        return []
    functions = json.loads(json.dumps(config["stages"]["dev"]["lambda_functions"]))
    functions[UPKEEP.handler]["iam_policy_file"] = UPKEEP.policy_file(stage)
    config["stages"][stage.name] = {"lambda_functions": functions}
    _write(FOLDER / "config.json", config)
    return [f"stage {stage.name} added to .chalice/config.json"]


def is_known(stage_name: str) -> bool:
    """True if config.json names the stage."""
    return stage_name in _read()["stages"]


def configured_origins(stage_name: str) -> list[str]:
    """The web origins that config.json gives this stage."""
    entry = _read()["stages"].get(stage_name, {})
    origins: str = entry.get("environment_variables", {}).get(CORS, "")
    return origins.replace(",", " ").split()


def configured_public_urls(stage_name: str) -> str:
    """The public URLs that config.json gives this stage, as they stand there."""
    entry = _read()["stages"].get(stage_name, {})
    found: str = entry.get("environment_variables", {}).get(PUBLIC_URLS, "")
    return found


def configured_store(stage_name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of the stage's S3-compatible store: those of the environment, else those of config.json."""
    return _configured(STORE, stage_name, environment)


def configured_oidc(stage_name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of the stage's OpenID Connect provider, from the same places.

    InfraError for some of them without the issuer: `DEARDIARY_PASSWORD_SIGN_IN=admin` alone would change nothing.
    """
    given = [name for name in OIDC if environment.get(name)]
    if given and OIDC[0] not in given:
        raise InfraError(f"{given[0]} is set without {OIDC[0]}: set all settings of the provider, or none to keep them")
    return _configured(OIDC, stage_name, environment)


def _configured(names: Sequence[str], stage_name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of these names. The first is required: without it there are none."""
    entry = _read()["stages"].get(stage_name, {})
    given = environment if environment.get(names[0]) else entry.get("environment_variables", {})
    return {name: given[name] for name in names if given.get(name)} if given.get(names[0]) else {}


def configured_bus(stage_name: str, environment: Mapping[str, str]) -> str:
    """The stage's event bus: that of the environment, else that of config.json. ConfigurationError for a wrong name."""
    entry = _read()["stages"].get(stage_name, {})
    given = environment if environment.get(EVENT_BUS) else entry.get("environment_variables", {})
    return config.read({EVENT_BUS: given.get(EVENT_BUS, "")}).event_bus


def configured_capture(stage_name: str, given: str | None) -> str:
    """The project that captures SageMaker jobs: the given one, else that of config.json. "none" ends it.

    ConfigurationError for a wrong id.
    """
    if given == NO_CAPTURE:
        return ""
    kept = _read()["stages"].get(stage_name, {}).get("environment_variables", {}).get(CAPTURE_SAGEMAKER, "")
    return config.read({CAPTURE_SAGEMAKER: given or kept}).capture_sagemaker


def configured_web_acl(stage_name: str, given: str | None) -> str:
    """The web ACL of the stage's API: the given one, else that of config.json."""
    kept: str = _read()["stages"].get(stage_name, {}).get(WEB_ACL, "")
    return given or kept


def configured_processor(stage_name: str) -> str:
    """The processor of the stage's functions, where Chalice reads it: x86_64 or arm64."""
    config = _read()
    entry = config["stages"].get(stage_name, {})
    found: str = entry.get("lambda_architecture") or config.get("lambda_architecture") or "x86_64"
    return found


def configured_size(stage_name: str, handler: str) -> dict[str, int]:
    """The memory and the time limit that config.json gives a function, by Lambda's names."""
    config = _read()
    entry = config["stages"].get(stage_name, {})
    given = config | entry | entry.get("lambda_functions", {}).get(handler, {})
    names = {"MemorySize": "lambda_memory_size", "Timeout": "lambda_timeout"}
    return {name: given[setting] for name, setting in names.items() if setting in given}


def configured_domain(stage_name: str) -> Domain | None:
    """The domain of its own that config.json gives the stage, or all stages. InfraError if it is incomplete."""
    config = _read()
    given = config["stages"].get(stage_name, {}).get(DOMAIN) or config.get(DOMAIN)
    if not given:
        return None
    for name in ("domain_name", "certificate_arn"):
        if not given.get(name):
            raise InfraError(f"{DOMAIN} in .chalice/config.json needs {name}")
    return Domain(given["domain_name"], given["certificate_arn"], given.get("url_prefix", "").strip("/"))


def _stack(stage: Stage) -> dict[str, Any]:
    """What `chalice package` merges into its CloudFormation template: fixed names, which logs and alarms use."""
    return {
        "Resources": {each.resource: {"Properties": {"FunctionName": each.name(stage)}} for each in functions(stage)},
    }


def _read() -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((FOLDER / "config.json").read_text())
    except ValueError as error:
        raise InfraError(f".chalice/config.json is not valid JSON: {error}") from None
    return config


def _write(path: Path, content: object) -> bool:
    """Write the file by rename, so that an interrupted process leaves the old one. True if the content changed."""
    text = json.dumps(content, indent=2) + "\n"
    if path.exists() and path.read_text() == text:
        return False
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)
    return True
