"""The files that ``init`` writes: the shipped mock.yaml, its scenarios, and their schemas."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_SCHEMA_LINE = re.compile(r"(\$schema=).*/(\w+\.schema\.json)")


def starter_files() -> dict[str, str]:
    """Give the texts of the starter by their paths; the files name the schemas beside them."""
    from mock_gitlab.config.schema import mock_schema, scenario_schema

    shipped = _shipped()
    found = {"mock.yaml": _pointing(shipped / "mock.yaml", "schemas")}
    for file in sorted((shipped / "scenarios").iterdir(), key=lambda each: each.name):
        if file.name.endswith(".yaml"):
            found[f"scenarios/{file.name}"] = _pointing(file, "../schemas")
    for name, schema in (("mock", mock_schema()), ("scenario", scenario_schema())):
        found[f"schemas/{name}.schema.json"] = json.dumps(schema, indent=2) + "\n"
    return found


def _shipped() -> Traversable:
    """Find the shipped files: inside the wheel, or beside the package in a checkout."""
    inside = files("mock_gitlab") / "shipped"
    return inside if inside.is_dir() else Path(__file__).parents[2]


def _pointing(file: Traversable, schemas: str) -> str:
    return _SCHEMA_LINE.sub(rf"\1{schemas}/\2", file.read_text(encoding="utf-8"))
