"""``schema`` prints a JSON Schema, or writes both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["mock", "scenario"])
def test_schema_prints_a_json_schema(kind: str, capsys: pytest.CaptureFixture[str]):
    assert main(["schema", kind]) == 0

    printed = json.loads(capsys.readouterr().out)
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_schema_writes_both_into_a_folder(folder: Path):
    assert main(["schema", "--output", "schemas"]) == 0

    assert len(list((folder / "schemas").iterdir())) == 2
