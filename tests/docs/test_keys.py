"""API.md lists every key of the files, as the models and the schema know it.

``python -m tests.docs.test_keys`` writes the schema's descriptions into the rows of API.md.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from mock_gitlab.config.schema import mock_schema
from tests.docs.shown import ROOT, read

API_MD = read("API.md")
THE_FILES = API_MD[API_MD.index("\n### `mock.yaml`\n") : API_MD.index("\n## GitLab's endpoints\n")]
SCHEMA = mock_schema()
MAPPINGS = {"MockFile": SCHEMA, **{n: e for n, e in SCHEMA["$defs"].items() if "properties" in e}}
HEADINGS = {
    "MockFile": "`mock.yaml`",
    "ClockModel": "`clock`",
    "SandboxesModel": "`sandboxes` as a mapping",
    "UserModel": "`user`",
    "ProjectModel": "An entry of `projects`",
    "TagModel": "An entry of `tags` as a mapping",
    "BranchModel": "An entry of `branches`",
    "CommitModel": "An entry of `commits`",
    "TokenModel": "An entry of `trigger_tokens`",
    "HookModel": "An entry of `hooks`",
    "PipelineModel": "An entry of `pipelines`",
    "ScenarioModel": "An entry of `scenarios`",
    "ImportModel": "An entry of `scenarios` with `from`",
    "AttemptModel": "An entry of a scenario's `attempts`",
    "ExternalStatusModel": "An entry of `external_statuses`",
    "JobModel": "An entry of `jobs`",
    "JobAttemptModel": "An entry of a job's `attempts`",
    "AllowFailureModel": "`allow_failure` as a mapping",
    "NeedModel": "An entry of `needs` as a mapping",
    "RetryModel": "`retry` as a mapping",
    "ParallelModel": "`parallel` as a mapping",
    "EnvironmentModel": "`environment` as a mapping",
    "ArtifactModel": "An entry of `artifacts`",
    "DownstreamModel": "`downstream`",
    "TriggerModel": "`trigger`",
    "TestReportModel": "`test_report`",
    "TestSuiteModel": "An entry of `suites`",
    "TestCaseModel": "An entry of `cases`",
    "RuleModel": "An entry of `rules`",
    "TriggerWhenModel": "`when` of a rule",
    "ResponseModel": "`respond`",
    "FaultModel": "An entry of `faults`",
    "FaultWhenModel": "`when` of a fault",
    "PatchModel": "`patch`",
    "LimitModel": "`limit`",
}


def section(heading: str) -> str:
    begin = THE_FILES.index(f"\n### {heading}\n")
    end = THE_FILES.find("\n### ", begin + 1)
    return THE_FILES[begin : len(THE_FILES) if end < 0 else end]


def described(mapping: dict[str, Any], name: str) -> str:
    """Write the last column of a key's row: whether it is required, what it is, its default."""
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

    assert rows == [(key, described(MAPPINGS[name], key)) for key in MAPPINGS[name]["properties"]]


@pytest.mark.parametrize("name", HEADINGS)
def test_every_word_that_may_be_written_is_listed(name: str):
    properties = json.dumps(MAPPINGS[name]["properties"])
    enums = [json.loads(enum) for enum in re.findall(r'"enum": (\[.*?\])', properties)]

    assert [word for enum in enums for word in enum if f"`{word}`" not in API_MD] == []


def with_descriptions(document: str) -> str:
    """Replace the descriptions in the rows of keys by those of the schema."""
    for name, heading in HEADINGS.items():
        before, title, after = document.partition(f"\n### {heading}\n")
        rows, end, rest = after.partition("\n#")
        for key in MAPPINGS[name]["properties"]:
            row = re.compile(rf"^(\| `{key}` \| .*? \| ).*( \|)$", re.MULTILINE)
            text = described(MAPPINGS[name], key).replace("\\", r"\\")
            rows = row.sub(rf"\g<1>{text}\g<2>", rows)
        document = before + title + rows + end + rest
    return document


if __name__ == "__main__":
    (ROOT / "API.md").write_text(with_descriptions(API_MD), encoding="utf-8")
