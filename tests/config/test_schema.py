"""The JSON Schemas and the loader refuse the same files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

import mock_gitlab.config
from mock_gitlab.config.diagnostics import Document
from mock_gitlab.config.document import read
from mock_gitlab.config.fields import StrictModel
from mock_gitlab.config.files import MockFile
from mock_gitlab.config.jobs import JobModel
from mock_gitlab.config.scenarios import ScenarioModel
from mock_gitlab.config.schema import DIALECT, SCHEMAS, mock_schema, scenario_schema, schema_text

ROOT = Path(__file__).parents[2]
SHIPPED = [ROOT / "mock.yaml", *sorted((ROOT / "scenarios").glob("*.yaml"))]
MISTAKES = sorted((Path(__file__).parent / "mistakes").glob("*.yaml"))


def values(file: Path) -> Document:
    return read(file.read_bytes(), file.name, {})


VALUES = [file for file in MISTAKES if values(file).root or not values(file).mistakes]
"""The files of mistakes that are YAML."""
WRITTEN = Path(mock_gitlab.config.__file__).parent / "schemas"

ONLY_THE_LOADER_KNOWS = {
    # numbers, names and places that only all files together can show
    "duplicate-projects",
    "existing-pipelines-twice",
    "duplicate-scenarios",
    "globs-without-files",
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
    "job-words-together",
    "stages",
    "external-statuses",
    "too-many-jobs",
    "too-many-needs",
    "hooks-elsewhere",
    # what the YAML itself is about: the values are fine once it has been read
    "duplicate-keys",
}

MAPPINGS = [
    document.value
    for document in map(values, [*SHIPPED, *VALUES])
    if isinstance(document.value, dict)
]
STAND_INS: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.0, 1.5, 900, 2**54, "", "x", "1", "3m", "0s", "a/b", "/x/"),
    *("failed", "manual", "delayed", "depend", "GET", "2026-01-01", "group/app", "a" * 300),
    *([], {}, [1], ["a"], {"a": 1}, {"a": "b"}, [None], [{}], {"status": 503}),
    {"requests": 1, "per": "1s"},
]
NEEDED: dict[str, Any] = {
    "sha": "a" * 40,
    "title": "x",
    "state": "success",
    "scenario_id": 900,
    "name": "a",
    "id": 1,
    "path": "g/a",
    "token": "t",
    "project": "g/a",
    "url": "http://localhost/",
    "suites": [],
    "requests": 1,
    "per": "1s",
    "job": "a",
    "max": 1,
    "exit_codes": [1],
    "matrix": [{"A": ["1"]}],
    "from": ".gitlab-ci.yml",
}
"""Values for the keys that must not be missing."""
KEYS = sorted(
    {
        name
        for model in [mock_schema(), *mock_schema()["$defs"].values()]
        for name in model.get("properties", {})
    }
)
MOCK = Draft202012Validator(mock_schema())
SCENARIOS = Draft202012Validator(scenario_schema())


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_every_shipped_file_is_valid(file: Path):
    validator = MOCK if file.name == "mock.yaml" else SCENARIOS
    assert list(validator.iter_errors(values(file).value)) == []


@pytest.mark.parametrize(
    "text",
    [
        text
        for page in ("README.md", "API.md")
        for text in re.findall(
            r"```yaml\n(# mock\.yaml\n.*?)```", (ROOT / page).read_text(), re.DOTALL
        )
    ],
)
def test_every_documented_example_is_valid(text: str):
    assert list(MOCK.iter_errors(read(text.encode(), "mock.yaml", {}).value)) == []


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


def places(value: Any) -> list[tuple[Any, Any]]:
    """List the places in a value, each as container and key."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    inside = [(value, key) for key in keys]
    deeper = [value[key] for key in keys if isinstance(value[key], dict | list)]
    return [*inside, *(place for each in deeper for place in places(each))]


def models(of: type[StrictModel] = StrictModel) -> list[type[StrictModel]]:
    """List mappings that together contain every kind of value."""
    below = [model for each in of.__subclasses__() for model in models(each)]
    return [of, *below] if of.__name__ in mock_schema()["$defs"] else below


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_a_value_that_the_loader_takes_for_a_key_the_schema_takes(model: type[StrictModel]):
    schema = mock_schema()
    validator = Draft202012Validator({"$defs": schema["$defs"], **schema["$defs"][model.__name__]})
    keys = {each.alias or name: each for name, each in model.model_fields.items()}
    needed = {name: NEEDED[name] for name, each in keys.items() if each.is_required()}
    for name in keys:
        for stand_in in STAND_INS:
            written = {**needed, name: stand_in}
            assert validator.is_valid(written) or not taken(model, written), written


def taken(model: type[StrictModel], value: Any) -> bool:
    if model is JobModel:  # how the keys of a job fit together is the scenario's to say
        return taken(ScenarioModel, {"scenario_id": 900, "jobs": [value]})
    try:
        model.model_validate(value)
    except ValidationError:
        return False
    return True


def test_top_level_values_that_the_loader_takes_the_schema_takes():
    for name in MockFile.model_fields:
        for stand_in in STAND_INS:
            written = {name: stand_in}
            assert MOCK.is_valid(written) or not taken(MockFile, written), written


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_the_loader_takes_the_schema_takes(data: st.DataObject):
    value = json.loads(json.dumps(data.draw(st.sampled_from(MAPPINGS))))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(value) or [({}, "")]))
        if isinstance(container, dict) and data.draw(st.booleans()):
            key = data.draw(st.sampled_from(KEYS))
        container[key] = json.loads(json.dumps(data.draw(st.sampled_from(STAND_INS))))
    assert MOCK.is_valid(value) or not taken(MockFile, value)


def below(schema: Any) -> list[Any]:
    """List a schema and all schemas inside it."""
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
        ({"faults": [{"respond": {}}]}, False),
        ({"faults": [{"respond": {"preset": "status_conflict"}}]}, True),
        ({"faults": [{"respond": {"preset": "status_conflict", "status": 409}}]}, False),
        ({"faults": [{"respond": {}, "limit": {"requests": 1, "per": 1}}]}, True),
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
