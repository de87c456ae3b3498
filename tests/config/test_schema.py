"""What the exported JSON Schemas refuse the loader refuses too, and the other way round."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import mock_gitlab.config
from mock_gitlab.config.document import Document, read
from mock_gitlab.config.models import MockFile
from mock_gitlab.config.schema import DIALECT, SCHEMAS, mock_schema, scenario_schema, schema_text

ROOT = Path(__file__).parents[2]
SHIPPED = [ROOT / "mock.yaml", *sorted((ROOT / "scenarios").glob("*.yaml"))]
MISTAKES = sorted((Path(__file__).parent / "mistakes").glob("*.yaml"))


def values(file: Path) -> Document:
    return read(file.read_bytes(), file.name, {})


VALUES = [file for file in MISTAKES if values(file).root or not values(file).mistakes]
"""Those that are YAML, whatever else is wrong with them."""
WRITTEN = Path(mock_gitlab.config.__file__).parent / "schemas"

ONLY_THE_LOADER_KNOWS = {
    # numbers, names and places that only all files together can show
    "duplicate-projects",
    "duplicate-scenarios",
    "globs-without-files",
    "unknown-operation",
    "unknown-scenarios",
    # what is in a text, and how long a duration is in words
    "clock-no-such-day",
    "clock-out-of-range",
    "long-durations",
    "regular-expressions",
    # how jobs fit together
    "artifacts-twice",
    "job-names",
    "needs",
    "stages",
    "too-many-jobs",
    # what the YAML itself is about: the values are fine once it has been read
    "duplicate-keys",
}

MOCK = Draft202012Validator(mock_schema())
SCENARIOS = Draft202012Validator(scenario_schema())


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_every_shipped_file_is_valid(file: Path):
    validator = MOCK if file.name == "mock.yaml" else SCENARIOS
    assert list(validator.iter_errors(values(file).value)) == []


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_every_shipped_file_names_its_schema_first(file: Path):
    first = file.read_text().splitlines()[0]
    kind = "mock" if file.name == "mock.yaml" else "scenario"
    path = first.removeprefix("# yaml-language-server: $schema=")
    assert (file.parent / path).resolve() == WRITTEN / f"{kind}.schema.json"


@pytest.mark.parametrize("file", VALUES, ids=lambda file: file.stem)
def test_the_schema_refuses_what_the_loader_refuses(file: Path):
    assert MOCK.is_valid(values(file).value) is (file.stem in ONLY_THE_LOADER_KNOWS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_that_are_shipped_are_current(name: str):
    assert (WRITTEN / name).read_text() == schema_text(name)


@pytest.mark.parametrize("schema", [mock_schema(), scenario_schema()], ids=list(SCHEMAS))
def test_a_schema_is_one_of_draft_2020_12(schema: Any):
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == DIALECT
    assert schema["title"]
    assert schema["additionalProperties"] is False


def below(schema: Any) -> list[Any]:
    """List a schema and all those inside of it."""
    if isinstance(schema, list):
        return [found for each in schema for found in below(each)]
    if isinstance(schema, dict):
        return [schema, *(found for each in schema.values() for found in below(each))]
    return []


def test_every_key_is_described():
    schema = mock_schema()
    objects = [schema, *schema["$defs"].values()]
    properties = {
        name: each for found in objects for name, each in found.get("properties", {}).items()
    }
    assert [name for name, each in properties.items() if not each.get("description")] == []


def test_every_mapping_of_fields_is_closed():
    found = [each for each in below(mock_schema()) if "properties" in each]
    assert [each.get("title") for each in found if each.get("type") == "object"] != []
    assert all(
        each["additionalProperties"] is False for each in found if each.get("type") == "object"
    )


def test_every_example_of_a_key_is_valid():
    schema = mock_schema()
    for each in below(schema):
        validator = Draft202012Validator({**each, "$defs": schema["$defs"]})
        for example in each.get("examples", []) if isinstance(each.get("examples"), list) else []:
            assert validator.is_valid(example), example


def test_every_default_is_valid():
    schema = mock_schema()
    for each in below(schema):
        if "default" in each and "anyOf" in each:
            assert Draft202012Validator({**each, "$defs": schema["$defs"]}).is_valid(
                each["default"]
            )


@pytest.mark.parametrize(
    ("written", "valid"),
    [
        ({"port": "${PORT:-8000}"}, True),
        ({"port": "${PORT}0"}, False),
        ({"watch": "${WATCH}"}, True),
        ({"log_level": "${LEVEL:-info}"}, True),
        ({"default_scenario": "${N}"}, True),
        ({"scenarios": [{"scenario_id": 1, "terminal_after_seconds": "${T:-3m}"}]}, True),
        ({"x-anything": [1, {}]}, True),
        ({"y-anything": 1}, False),
        ({"scenarios": [{"scenario_id": 1, "jobs": [{"name": "a", "when": "${W}"}]}]}, True),
        ({"scenarios": [{"scenario_id": 1, "jobs": [{"name": "a", "start_in": None}]}]}, True),
        ({"faults": [{"drop": True, "truncate": False, "slow": 0}]}, True),
        ({"rules": [{"cycle": False, "respond": None, "scenario": 1}]}, True),
        ({"scenarios": [{"scenario_id": 1.0, "jobs": [{"name": "a", "duration": "1h30m"}]}]}, True),
    ],
)
def test_a_reference_to_the_environment_may_stand_for_any_scalar(written: Any, valid: bool):
    assert MOCK.is_valid(written) is valid


def test_completion_finds_the_words_of_every_enumeration():
    status = scenario_schema()["$defs"]["ScenarioModel"]["properties"]["terminal_status"]
    assert status["anyOf"][0]["enum"] == ["success", "failed", "canceled", "skipped", "manual"]
    assert status["default"] == "success"


def test_the_schema_has_every_key_of_the_file():
    assert set(mock_schema()["properties"]) == set(MockFile.model_fields)


def test_a_schema_is_json_text():
    assert json.loads(schema_text("mock.schema.json")) == mock_schema()
