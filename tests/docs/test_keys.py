"""API.md lists every key of the files, as the models and the schema know it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mock_gitlab.config.schema import mock_schema

API_MD = (Path(__file__).parents[2] / "API.md").read_text(encoding="utf-8")
THE_FILES = API_MD[API_MD.index("\n### `mock.yaml`\n") : API_MD.index("\n## GitLab's endpoints\n")]
SCHEMA = mock_schema()
MAPPINGS = {"MockFile": SCHEMA, **{n: e for n, e in SCHEMA["$defs"].items() if "properties" in e}}
HEADINGS = {
    "MockFile": "`mock.yaml`",
    "ClockModel": "`clock`",
    "UserModel": "`user`",
    "ProjectModel": "An entry of `projects`",
    "TokenModel": "An entry of `trigger_tokens`",
    "ScenarioModel": "An entry of `scenarios`",
    "AttemptModel": "An entry of a scenario's `attempts`",
    "JobModel": "An entry of `jobs`",
    "JobAttemptModel": "An entry of a job's `attempts`",
    "ArtifactModel": "An entry of `artifacts`",
    "DownstreamModel": "`downstream`",
    "TestReportModel": "`test_report`",
    "TestSuiteModel": "An entry of `suites`",
    "TestCaseModel": "An entry of `cases`",
    "RuleModel": "An entry of `rules`",
    "TriggerWhenModel": "`when` of a rule",
    "ResponseModel": "`respond`",
    "FaultModel": "An entry of `faults`",
    "RequestWhenModel": "`when` of a fault",
    "LimitModel": "`limit`",
}


def section(heading: str) -> str:
    begin = THE_FILES.index(f"\n### {heading}\n")
    end = THE_FILES.find("\n### ", begin + 1)
    return THE_FILES[begin : len(THE_FILES) if end < 0 else end]


def said(mapping: dict[str, Any], name: str) -> str:
    """Put together what the row of a key says: that it is required, what it is, its default."""
    key = mapping["properties"][name]
    required = "required. " if name in mapping.get("required", ()) else ""
    default = key.get("default")
    if default in (None, "", [], {}) or isinstance(default, dict):
        return f"{required}{key['description']}"
    text = default if isinstance(default, str) else json.dumps(default)
    return f"{required}{key['description']} Default `{text}`."


def test_every_mapping_of_the_files_has_its_section():
    assert MAPPINGS.keys() == HEADINGS.keys()
    assert re.findall(r"^### (.+)$", THE_FILES, re.MULTILINE) == list(HEADINGS.values())


@pytest.mark.parametrize("name", HEADINGS)
def test_every_key_is_listed_with_what_the_schema_says_of_it(name: str):
    rows = re.findall(r"^\| `(\w+)` \| .*? \| (.*) \|$", section(HEADINGS[name]), re.MULTILINE)

    assert rows == [(key, said(MAPPINGS[name], key)) for key in MAPPINGS[name]["properties"]]


@pytest.mark.parametrize("name", HEADINGS)
def test_every_word_that_may_be_written_is_listed(name: str):
    properties = json.dumps(MAPPINGS[name]["properties"])
    enums = [json.loads(enum) for enum in re.findall(r'"enum": (\[.*?\])', properties)]

    assert [word for enum in enums for word in enum if f"`{word}`" not in API_MD] == []
