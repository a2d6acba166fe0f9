"""Print the OpenAPI document. A process of its own: the server's code reads its settings when it is imported."""

from __future__ import annotations

import json
import re
from typing import Any

from chalicelib.routes.openapi import document


def for_types() -> dict[str, Any]:
    """The document without the defaults of bodies: the generator takes a field with a default for one always there.

    That is right for answers only.
    """
    found: dict[str, Any] = json.loads(json.dumps(document()))
    schemas = found["components"]["schemas"]
    bodies = [
        each["requestBody"] for path in found["paths"].values() for each in path.values() if "requestBody" in each
    ]
    for name in _named(bodies, schemas):
        for field in schemas[name].get("properties", {}).values():
            field.pop("default", None)
    return found


def _named(node: Any, schemas: dict[str, Any]) -> set[str]:
    """The schemas that this refers to, directly or not."""
    names = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(node)))
    return names.union(*(_named(schemas[name], schemas) for name in names))


if __name__ == "__main__":
    print(json.dumps(for_types()))
