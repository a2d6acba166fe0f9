"""Imports point down only, and third parties are used only in their modules; read from the source, without imports."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SERVER = REPOSITORY / "chalicelib"
CLIENT = REPOSITORY / "client" / "src" / "deardiary"

# The modules of the server that each part may import; a name includes all below it.
ALLOWED = {
    "chalicelib.errors": set(),
    "chalicelib.arn": {"chalicelib.errors"},
    "chalicelib.ids": set(),
    "chalicelib.limits": set(),
    "chalicelib.clock": set(),
    "chalicelib.columns": set(),
    "chalicelib.config": set(),
    "chalicelib.paging": {"chalicelib.errors"},
    "chalicelib.aws": {"chalicelib.aws", "chalicelib.config", "chalicelib.deadline", "chalicelib.errors"},
    "chalicelib.retry": {"chalicelib.errors", "chalicelib.deadline"},
    "chalicelib.security": {"chalicelib.errors", "chalicelib.limits"},
    "chalicelib.deadline": {"chalicelib.errors"},
    "chalicelib.outgoing": set(),
    "chalicelib.ahead": set(),
    "chalicelib.aws.clients": {
        *("chalicelib.config", "chalicelib.deadline", "chalicelib.retry", "chalicelib.aws.credentials"),
        *("chalicelib.aws.calls", "chalicelib.aws.throttling"),
    },
    "chalicelib.storage": {
        *("chalicelib.storage", "chalicelib.errors", "chalicelib.ids", "chalicelib.clock", "chalicelib.config"),
        *(
            "chalicelib.security.Keyring",
            "chalicelib.security.NO_PASSWORD",
            "chalicelib.aws.clients",
            "chalicelib.aws.events",
            "chalicelib.ahead",
            "chalicelib.outgoing",
            "chalicelib.limits",
            "chalicelib.paging",
            "chalicelib.columns",
            "chalicelib.aws.capacity",
            "chalicelib.aws.threads",
            "chalicelib.aws.throttling",
        ),
        "chalicelib.retry",
    },
    "chalicelib.artifacts": {
        *(
            "chalicelib.artifacts",
            "chalicelib.errors",
            "chalicelib.clock",
            "chalicelib.config",
            "chalicelib.aws.clients",
        ),
        "chalicelib.deadline",
        # The bytes that are items of the table, and URLs that are signed as sessions are.
        *("chalicelib.storage.inline", "chalicelib.storage.keyring", "chalicelib.security"),
    },
    "chalicelib.services": {
        *("chalicelib.services", "chalicelib.storage", "chalicelib.artifacts", "chalicelib.errors", "chalicelib.ids"),
        *("chalicelib.clock", "chalicelib.config", "chalicelib.security", "chalicelib.paging", "chalicelib.columns"),
        *("chalicelib.aws.threads", "chalicelib.aws.overload", "chalicelib.retry", "chalicelib.deadline"),
        *("chalicelib.aws.throttling", "chalicelib.aws.sagemaker", "chalicelib.aws.sts"),
        *("chalicelib.arn", "chalicelib.limits"),
    },
    "chalicelib.routes": {
        *("chalicelib.routes", "chalicelib.services", "chalicelib.errors", "chalicelib.clock", "chalicelib.config"),
        *(
            "chalicelib.limits",
            "chalicelib.paging",
            "chalicelib.columns",
            "chalicelib.aws.capacity",
            "chalicelib.aws.overload",
            "chalicelib.aws.sts.SignedRequest",
            "chalicelib.aws.throttling",
            "chalicelib.ahead",
            "chalicelib.outgoing",
            "chalicelib.deadline",
        ),
    },
}
# Third parties, and the only modules that may import them.
HOMES = {
    "chalice": {
        *("chalicelib.routes.blueprints", "chalicelib.routes.http.answer", "chalicelib.routes.http.endpoint"),
        *("chalicelib.routes.upkeep", "chalicelib.routes.capture"),
    },
    "msgspec": {"chalicelib.routes", "chalicelib.aws.clients"},
    # overload: any view can raise the failure of a service of AWS, which becomes 503.
    "pynamodb": {"chalicelib.storage", "chalicelib.aws.overload"},
    "botocore": {"chalicelib.aws", "chalicelib.artifacts"},
    "bcrypt": {"chalicelib.security"},
    "jwt": {"chalicelib.security", "chalicelib.services.oidc.id_token"},
}
DISTRIBUTIONS = {"pyjwt": "jwt"}
# Packages that the client uses if they are installed, inside the function that needs them.
EXTRAS = {
    "deardiary.sending.sources": {"boto3", "botocore"},
    "deardiary.secretsmanager": {"boto3", "botocore"},
    "deardiary.tracking.machine": {"psutil", "pynvml"},
    "deardiary.wire.shapes": {"typing_extensions"},  # for type checkers, which have it
    **{f"deardiary.wandb.{name}": {name} for name in ("keras", "xgboost")},
    "deardiary.wandb.plot": {"numpy", "sklearn"},
    "deardiary.wandb.sklearn": {"numpy", "sklearn"},
    **{f"deardiary.media.{name}": {"numpy"} for name in ("image", "histogram", "sound")},
}
INTEGRATIONS = "deardiary.integrations"
# The frameworks that a module of the integrations imports at once, beside that of its own name.
FRAMEWORKS = {
    "hydra": {"omegaconf"},
    "lightning": {"pytorch_lightning"},
    "sklearn": {"joblib"},
    "_optuna_storage": {"optuna"},
    "tensorboard": {"numpy"},
}


def modules(folder: Path, root: Path) -> dict[str, ast.Module]:
    """Every module below a folder, by its dotted name as seen from the root."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = ast.parse(path.read_text())
    return found


SERVER_MODULES = modules(SERVER, REPOSITORY)
CLIENT_MODULES = modules(CLIENT, CLIENT.parent)
EXCHANGE = REPOSITORY / "exchange" / "src" / "deardiary_exchange"
EXCHANGE_MODULES = modules(EXCHANGE, EXCHANGE.parent)


def imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names of all that is imported, inside functions and for type checkers too: `a.b.name` of a `from`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides which layer it reaches"
            yield from (f"{node.module}.{each.name}" for each in node.names)


def within(name: str, allowed: set[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in allowed)


def is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def in_server(name: str) -> bool:
    return within(name, {"chalicelib"})


def part_of(module: str) -> str:
    """The part of the server that a module belongs to, as `ALLOWED` names it."""
    return max((each for each in ALLOWED if within(module, {each})), key=len)


@pytest.mark.parametrize("module", sorted(set(SERVER_MODULES) - {"chalicelib"}))
def test_the_server_imports_downwards_only(module: str) -> None:
    allowed = ALLOWED[part_of(module)]
    reached = {name for name in imports(SERVER_MODULES[module]) if in_server(name)}
    assert {name for name in reached if not within(name, allowed)} == set()


@pytest.mark.parametrize("module", sorted(SERVER_MODULES))
def test_third_parties_stay_where_they_belong(module: str) -> None:
    foreign = {name for name in imports(SERVER_MODULES[module]) if not in_server(name) and not is_standard(name)}
    homeless = {name for name in foreign if not within(module, HOMES.get(name.partition(".")[0], set()))}
    assert {name for name in homeless if not within(name, {"deardiary.wire", "deardiary.__version__"})} == set()


def test_the_server_imports_nothing_that_is_not_installed_with_it() -> None:
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    named = {re.split(r"[=<>\[ ]", line)[0] for line in lines if line and not line.startswith(("#", "-"))}
    assert {DISTRIBUTIONS.get(name, name) for name in named} | {"chalice"} == set(HOMES)


@pytest.mark.parametrize("module", sorted(set(SERVER_MODULES) - {"chalicelib.config"}))
def test_only_config_reads_the_environment(module: str) -> None:
    tree = SERVER_MODULES[module]
    readers = {"environ", "environb", "getenv", "getenvb"}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = {name.rpartition(".")[2] for name in imports(tree) if within(name, {"os"})}
    assert readers.isdisjoint(attributes | names)


def frameworks_of(module: str) -> set[str]:
    room, _, name = module.rpartition(".")
    return {name, *FRAMEWORKS.get(name, set())} if room == INTEGRATIONS else set()


def test_only_the_user_imports_an_integration() -> None:
    others = [tree for name, tree in CLIENT_MODULES.items() if not within(name, {INTEGRATIONS})]
    assert not any(within(name, {INTEGRATIONS}) for tree in others for name in imports(tree))


@pytest.mark.parametrize("module", sorted(CLIENT_MODULES))
def test_the_client_needs_nothing_but_python(module: str) -> None:
    reached = set(imports(CLIENT_MODULES[module]))
    allowed = {"deardiary", *EXTRAS.get(module, set()), *frameworks_of(module)}
    assert {name for name in reached if not is_standard(name) and not within(name, allowed)} == set()


@pytest.mark.parametrize("module", sorted(EXCHANGE_MODULES))
def test_the_exchange_imports_extras_when_they_are_used(module: str) -> None:
    """At once it imports only what it is installed with, so that each command needs only its own packages."""
    at_once = [node for node in EXCHANGE_MODULES[module].body if isinstance(node, ast.Import | ast.ImportFrom)]
    reached = set(imports(ast.Module([*at_once], [])))
    allowed = {"deardiary", "deardiary_exchange", "numpy", "pyarrow"}
    assert {name for name in reached if not is_standard(name) and not within(name, allowed)} == set()


def test_the_client_and_the_server_know_nothing_of_the_exchange() -> None:
    everything = [*CLIENT_MODULES.values(), *SERVER_MODULES.values()]
    assert not any(within(name, {"deardiary_exchange"}) for tree in everything for name in imports(tree))


# The user names a framework by importing a submodule of wandb.
@pytest.mark.parametrize("module", sorted(name for name in EXTRAS if not name.startswith("deardiary.wandb.")))
def test_an_extra_is_imported_when_it_is_used(module: str) -> None:
    at_once = (node for node in CLIENT_MODULES[module].body if isinstance(node, ast.Import | ast.ImportFrom))
    reached = {name for node in at_once for name in imports(ast.Module([node], []))}
    assert not any(within(name, EXTRAS[module]) for name in reached)


def test_boto3_is_for_infra_only() -> None:
    others = [
        *SERVER_MODULES.values(),
        *(tree for name, tree in CLIENT_MODULES.items() if name not in EXTRAS),
        *modules(REPOSITORY / "examples", REPOSITORY).values(),
    ]
    benchmarks = modules(REPOSITORY / "benchmarks", REPOSITORY)
    # A peer that ours is compared with, in an environment of its own.
    del benchmarks["benchmarks.peers.boto3"]
    others += [*benchmarks.values(), ast.parse((REPOSITORY / "app.py").read_text())]
    assert not any(within(name, {"boto3"}) for tree in others for name in imports(tree))


def test_the_app_only_gathers_routes() -> None:
    allowed = {"chalicelib.config", "chalicelib.routes", "gc", "infra.first_deploy", "os", "sys"}
    reached = set(imports(ast.parse((REPOSITORY / "app.py").read_text())))
    assert {name for name in reached if not within(name, allowed)} == set()


def test_the_check_before_a_first_deployment_needs_nothing_installed() -> None:
    reached = set(imports(ast.parse((REPOSITORY / "infra" / "first_deploy.py").read_text())))
    assert {name for name in reached if not is_standard(name)} == set()
