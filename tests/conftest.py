"""Fixtures for every test: passwords hashed quickly, and the app on moto or on the emulator."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import hypothesis
import pytest
from botocore.config import Config
from xdist.scheduler import LoadScopeScheduling

from chalicelib import deadline, retry, security
from chalicelib.aws import events, throttling
from chalicelib.services import event
from chalicelib.services.lifecycle import deletion, pace
from chalicelib.services.points import batch
from tests.support.dynoxide import NotInstallable, installed_binary, with_dynoxide
from tests.support.emulator import Emulator, running_emulator
from tests.support.fast_moto import fast_moto
from tests.support.fresh import Fresh
from tests.support.seaweedfs import Store, installed_store, running_store
from tests.support.server import Server, server_on_emulator, server_on_moto

# The folders whose tests are about the emulator itself, or about more of DynamoDB than the server uses.
ON_THE_EMULATOR_ONLY = {"benchmarks", "deploy", "infra"}
# First, so that no worker ends with one of them while the other has nothing left.
LONG = {
    *(
        "tests/deploy/",
        "tests/pages/",
        "test_suspension_bytes",
        "end_to_end/test_sagemaker",
        "test_chaos",
        "test_durable",
        "test_forks",
    ),
    *(
        "pages/test_table",
        "tests/benchmarks/",
        "test_lost_answers",
        "test_consistency",
        "test_older_table",
        "test_model_races",
        "test_parent_races",
        "test_summary_interleavings",
    ),
}


# An example that took long on a busy machine is no failure.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "only the tests on the emulator, with dynoxide as DynamoDB; skipped where npm cannot install it"
    parser.addoption("--dynoxide", action="store_true", help=text)
    text = "the tests with unmodified MLflow clients too, which install environments of their own"
    parser.addoption("--integrations", action="store_true", help=text)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the integrations out unless asked for: only they need packages from an index."""
    wanted = config.getoption("--integrations") or collection_path.name != "integrations"
    return None if wanted else True


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _group
    return scheduler


def _group(nodeid: str) -> str:
    """Tests that one worker runs, so that what they share is made once: those of a file, or all that deploy."""
    return "deploy" if nodeid.startswith("tests/deploy/") else nodeid.partition("::")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not any(name in str(item.path) for name in LONG))
    if config.getoption("--dynoxide"):
        kept = [item for item in items if _is_on_any_dynamodb(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def _is_on_any_dynamodb(item: pytest.Item) -> bool:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
    named = [*getattr(item, "fixturenames", ()), *(each for each in parameters if isinstance(each, str))]
    return folder not in ON_THE_EMULATOR_ONLY and "emulator" in named


@pytest.fixture(scope="session")
def _dynoxide(request: pytest.FixtureRequest) -> Path | None:
    if not request.config.getoption("--dynoxide"):
        return None
    try:
        return installed_binary()
    except NotInstallable as reason:
        pytest.skip(f"No second DynamoDB: {reason}")


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> Iterator[None]:
    """Bcrypt at its lowest cost; the real cost has a test of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(security, "BCRYPT_COST", 4)
        yield


@pytest.fixture(autouse=True, scope="session")
def _limits_of_a_slow_machine() -> Iterator[None]:
    """Give each request in a test's process a minute, so that the load of the machine decides no test.

    That is less than the 70 s of a suspension. `test_deadline` checks the server's own limits.
    """
    with pytest.MonkeyPatch.context() as patch:
        limits = ((retry, "SECONDS"), (deadline, "SECONDS"), (deletion, "REQUEST_SECONDS"), (event, "REQUEST_SECONDS"))
        for module, name in limits:
            patch.setattr(module, name, 60.0)
        patch.setattr(events, "_FAST", events._FAST.merge(Config(connect_timeout=60, read_timeout=60)))
        yield


@pytest.fixture(autouse=True)
def _pace_of_an_idle_server() -> None:
    """A throttled call and the iterations of earlier tests do not slow the writers of this one."""
    pace._crowd = pace.Crowd()
    throttling._last = float("-inf")


@pytest.fixture(autouse=True, scope="session")
def _spools_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the tests log does not wait beside what the user of this machine does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _little_is_captured() -> Iterator[None]:
    """A snapshot of this repository in each test that starts an iteration would take long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEARDIARY_CAPTURE", "output")
        yield


@pytest.fixture(autouse=True, scope="session")
def _service_models_read_once() -> Iterator[None]:
    """Every botocore session would read its JSON again, which takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True, scope="session")
def _fast_moto() -> Iterator[None]:
    with fast_moto():
        yield


@pytest.fixture(scope="module")
def _fresh() -> Iterator[Fresh]:
    with server_on_moto() as running:
        yield Fresh(running)


@pytest.fixture
def server(_fresh: Fresh) -> Server:
    """The app on moto, where nothing is stored yet but the admin's account."""
    return _fresh.again()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory, _dynoxide: Path | None) -> Iterator[Emulator]:
    """One emulator for all tests of a session that want real signatures and real races."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        if _dynoxide is None:
            yield running
        else:
            with with_dynoxide(_dynoxide, running.endpoint_url) as url:
                yield replace(running, endpoint_url=url)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """SeaweedFS, the second implementation of S3; the test is skipped where it is not to be had."""
    try:
        binary = installed_store()
    except NotInstallable as reason:
        pytest.skip(f"No second S3: {reason}")
    with running_store(binary, tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture
def real_server(emulator: Emulator) -> Iterator[Server]:
    with server_on_emulator(emulator.environment()) as running:
        yield running


@pytest.fixture
def three_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches are stored like large ones: announced, put and merged in three writes."""
    monkeypatch.setattr(batch, "_FEW_POINTS", 0)


@pytest.fixture(params=["three writes", "one transaction"])
def either_way(request: pytest.FixtureRequest) -> str:
    """Run the test with each of the two ways to store a batch."""
    if request.param == "three writes":
        request.getfixturevalue("three_writes")
    return str(request.param)
