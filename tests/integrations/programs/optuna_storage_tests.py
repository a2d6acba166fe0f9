"""Optuna's own tests of storages, on ours."""

import json
import os
import sys
import uuid

import optuna
import pytest
from optuna.testing.pytest_storages import StorageTestCase

from deardiary.integrations.optuna import DearDiaryStorage


@pytest.fixture
def storage():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return DearDiaryStorage("Optuna", uuid.uuid4().hex)


class TestDearDiaryStorage(StorageTestCase):
    """All of Optuna's tests."""


class Counted:
    passed = 0

    def pytest_runtest_logreport(self, report):
        self.passed += report.when == "call" and report.passed


if __name__ == "__main__":
    counted = Counted()
    options = ["-q", "-x", "-W", "ignore", "-p", "no:cacheprovider", "--noconftest", "-c", os.devnull]
    status = pytest.main([*options, __file__], plugins=[counted])
    print(json.dumps({"status": int(status), "passed": counted.passed}))
    sys.exit(int(status))
