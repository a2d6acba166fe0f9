"""Storage keeps its keys to itself: services and routes use names, and import no key, creation key or row."""

from __future__ import annotations

import pytest

from tests.rules.test_layers import SERVER_MODULES, imports, within

_KEPT = {f"chalicelib.storage.table.{module}" for module in ("keys", "idkey", "item")}
_ABOVE = sorted(each for each in SERVER_MODULES if within(each, {"chalicelib.services", "chalicelib.routes"}))


@pytest.mark.parametrize("module", _ABOVE)
def test_no_key_of_the_table_leaves_storage(module: str) -> None:
    assert {name for name in imports(SERVER_MODULES[module]) if within(name, _KEPT)} == set()
