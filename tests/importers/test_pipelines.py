"""Pipelines such as public projects have, and what each is imported to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab.importers.gitlab_ci import NoPipeline, import_ci
from tests.importers.importing import (
    PIPELINES,
    imported,
    jobs,
    noted,
    outline,
    played,
    proven,
    statuses,
)

if TYPE_CHECKING:
    from pathlib import Path

# ---------------------------------------------------------------------------- monorepo

SHOP = {"project_path": "shop/monorepo"}


def test_a_monorepo_starts_a_child_for_each_service():
    made = imported("monorepo", **SHOP)

    assert outline(made) == [
        "prepare: toolchain",
        "services: api",
        "services: web",
        "services: generated",
        "report: summary",
    ]
    assert [scenario["name"] for scenario in made.scenarios] == [
        "monorepo on main",
        "child of api",
        "child of web",
        "stub: child of generated",
    ]
    assert played(made).status == "success"


def test_a_child_gets_the_variables_of_its_bridge_expanded():
    made = imported("monorepo", **SHOP)

    assert jobs(made)["api"]["trigger"] == {
        "include": "services/api/pipeline.yml",
        "strategy": "depend",
        "scenario": 951,
        "variables": {
            "REGISTRY": "registry.test/shop/monorepo",
            "SERVICE": "api",
            "IMAGE": "registry.test/shop/monorepo/api",
        },
    }
    assert outline(made, 1) == ["build: compile", "test: unit", "deploy: package"]


def test_only_services_whose_files_have_changed_are_built():
    made = imported("monorepo", **SHOP, changed=("services/web/src/deep/app.js", "README.md"))

    assert "services: api" not in outline(made)
    assert "services: web" in outline(made)
    assert jobs(made)["summary"]["needs"] == ["web"]
    assert made.remarks == ()


def test_unknown_changes_are_said_and_count_as_true():
    made = imported("monorepo", **SHOP)

    [remark] = made.remarks
    assert "every changes counts as true; say --changed" in remark
    assert f"# - {remark}" in made.text


def test_a_generated_child_is_a_stub_that_says_so():
    made = imported("monorepo", **SHOP)

    assert made.scenarios[3]["terminal_after_seconds"] == "30s"
    assert ".gitlab-ci.yml:44:3: the child pipeline is a stub: generated.yml is generated" in noted(
        made
    )


def test_a_workflow_that_refuses_makes_no_pipeline():
    with pytest.raises(NoPipeline) as refused:
        imported("monorepo", tag=True, ref="v1")
    assert str(refused.value) == (".gitlab-ci.yml:6:3: no pipeline: no rule of the workflow holds")

    with pytest.raises(NoPipeline, match="this rule of the workflow says never"):
        imported("monorepo", variables={"CI_OPEN_MERGE_REQUESTS": "shop/monorepo!1"})


def test_children_of_merge_requests_know_the_merge_request(tmp_path: Path):
    made = imported("monorepo", **SHOP, source="merge_request_event", ref="feature")

    assert "deploy: package" in outline(made, 1)
    assert jobs(made)["api"]["trigger"]["include"] == "services/api/pipeline.yml"


# ---------------------------------------------------------------------------- matrix


def test_copies_that_are_alike_are_written_as_one():
    made = imported("matrix")
    listed = jobs(made)

    assert listed["build"]["parallel"] == 3
    assert listed["test"]["parallel"] == {
        "matrix": [
            {"PYTHON": ["3.11", "3.12"], "DB": ["sqlite", "postgres"]},
            {"PYTHON": ["3.13"], "DB": ["sqlite"]},
        ]
    }
    assert listed["test"]["needs"] == ["build"]


def test_copies_that_differ_by_rules_are_written_out():
    listed = jobs(imported("matrix"))

    assert listed["deploy: [gcp, 2]"]["when"] == "manual"
    assert "allow_failure" not in listed["deploy: [gcp, 2]"]
    assert "when" not in listed["deploy: [aws, 2]"]


def test_a_need_of_one_copy_names_it():
    assert jobs(imported("matrix"))["report"]["needs"] == ["test: [3.13, sqlite]"]


def test_a_matrix_plays():
    assert statuses(imported("matrix"))["test: [3.12, postgres]"] == "success"
    assert played(imported("matrix")).status == "success"


# ---------------------------------------------------------------------------- environments


def test_a_branch_gets_a_review_app_that_can_be_stopped():
    listed = jobs(imported("environments", ref="Feature/Login_form"))

    assert listed["deploy review"]["environment"] == {
        "name": "review/feature-login-form",
        "url": "https://feature-login-form.review.test",
        "auto_stop_in": "3d",
        "on_stop": "stop review",
    }
    assert listed["stop review"] == {
        "stage": "review",
        "duration": "30s",
        "when": "manual",
        "tags": ["docker", "project"],
        "environment": {"name": "review/feature-login-form", "action": "stop"},
    }


def test_defaults_are_inherited_but_for_the_timeout():
    listed = jobs(imported("environments", ref="feature"))

    assert listed["deploy review"]["retry"] == {
        "max": 2,
        "when": ["runner_system_failure", "stuck_or_timeout_failure"],
    }
    assert "timeout" not in listed["deploy review"]
    assert listed["build"]["timeout"] == "1h30m"


def test_the_default_branch_deploys_later_and_a_tag_when_somebody_says_so():
    later = jobs(imported("environments"))["deploy production"]
    asked = jobs(imported("environments", ref="v1.2.3", tag=True))["deploy production"]

    assert (later["when"], later["start_in"]) == ("delayed", "30m")
    assert later["environment"] == {"name": "production", "tier": "production"}
    assert (asked["when"], asked["allow_failure"]) == ("manual", False)
    assert "tags" not in later


def test_what_artifacts_hold_is_noted_and_a_file_is_written():
    made = imported("environments", ref="feature")

    assert jobs(made)["build"]["artifacts"] == {"dist/app.js": ""}
    assert noted(made) == [
        ".gitlab-ci.yml:14:5: artifacts: which files are in dist/assets/ is not known",
        ".gitlab-ci.yml:15:5: artifacts:reports: junit: what it reports is not known",
        ".gitlab-ci.yml:20:3: resource_group: jobs do not wait for one another's resource",
    ]


# ---------------------------------------------------------------------------- release train


def test_a_release_train_runs_through_other_projects():
    made = imported("release_train", ref="v1.2.3", tag=True, variables={"TRAIN": "7"})
    listed = jobs(made)

    assert listed["rollout: [us]"]["trigger"] == {
        "project": "ops/rollout-us",
        "branch": "stable",
        "strategy": "depend",
        "variables": {"VERSION": "v1.2.3", "REGION": "us", "TRAIN": "7"},
    }
    assert listed["announce"]["trigger"] == {"project": "ops/announce"}
    assert made.scenarios[0]["stages"] == ["check", "release", "rollout"]


def test_a_release_train_waits_for_somebody():
    found = statuses(imported("release_train", ref="v1.2.3", tag=True))

    assert found["release"] == "success"
    assert found["go"] == "manual"
    assert found["clean up"] == "created"


def test_a_job_fails_with_its_exit_codes_only():
    listed = jobs(imported("release_train"))

    assert listed["changelog"]["allow_failure"] == {"exit_codes": [3, 4]}
    assert listed["alarm"]["when"] == "on_failure"


# ---------------------------------------------------------------------------- references


def test_references_anchors_and_extends_are_resolved():
    listed = jobs(imported("references"))

    assert listed["unit"] == {
        "stage": "test",
        "duration": "30s",
        "when": "manual",
        "allow_failure": False,
        "retry": 2,
        "interruptible": True,
    }
    assert listed["integration"] == {
        "stage": "test",
        "duration": "30s",
        "when": "manual",
        "allow_failure": False,
        "timeout": "2h30m",
        "tags": ["slow"],
    }


def test_rules_of_a_reference_are_decided():
    listed = jobs(imported("references", source="merge_request_event", ref="feature"))

    assert "when" not in listed["unit"]
    with pytest.raises(NoPipeline, match=r"\.gitlab-ci\.yml:2:1: no pipeline: no job is left"):
        imported("references", ref="feature")


# ---------------------------------------------------------------------------- includes


def test_includes_of_includes_are_read_and_the_including_file_wins():
    listed = jobs(imported("nested_includes"))

    assert listed["unit"] == {
        "stage": "test",
        "duration": "30s",
        "timeout": "5m",
        "tags": ["fast"],
    }
    assert sorted(listed) == ["lint", "package", "unit"]


def test_includes_have_rules():
    assert "nightly: soak" in outline(imported("nested_includes", source="schedule"))


def test_variables_that_are_given_beat_those_of_the_file():
    assert "test: lint" not in outline(imported("nested_includes", variables={"LINT": "no"}))


def test_what_is_not_in_the_repository_is_noted_with_its_line():
    assert noted(imported("nested_includes")) == [
        f".gitlab-ci.yml:{place}: include: {what} is not read, since it is not in these files"
        for place, what in (
            ("10:5", "project: platform/templates /go.yml, /lint.yml v3"),
            ("13:5", "remote: https://templates.test/security.yml"),
            ("14:5", "component: $CI_SERVER_FQDN/platform/sast/scan@2"),
            ("15:5", "remote: https://templates.test/more.yml"),
        )
    ]


# ---------------------------------------------------------------------------- inputs


def test_inputs_are_inserted_with_their_types():
    listed = jobs(imported("inputs", inputs={"version": "v12", "replicas": "3", "fast": "true"}))

    assert listed["build 12"] == {
        "stage": "build",
        "duration": "30s",
        "parallel": 3,
        "interruptible": True,
    }
    assert listed["deploy to staging"]["parallel"] == {"matrix": [{"REGION": ["eu", "us"]}]}
    assert listed["deploy to staging"]["environment"] == {
        "name": "staging",
        "url": "https://project.test/x",
    }


def test_an_input_may_be_a_list_in_json():
    given = {"version": "v1", "regions": '["asia"]', "environment": "production"}

    listed = jobs(imported("inputs", inputs=given))

    assert listed["deploy to production"]["parallel"] == {"matrix": [{"REGION": ["asia"]}]}


# ---------------------------------------------------------------------------- only, except


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ({}, ["rspec", "docs", "staging"]),
        ({"changed": ("doc/a/b.md",), "variables": {"SKIP": "1"}}, ["rspec", "docs"]),
        ({"changed": ("a.rb",), "ref": "STABLE-1"}, ["rspec", "staging"]),
        ({"ref": "v1.0", "tag": True}, ["rspec", "docs", "release"]),
        ({"ref": "v1.0"}, ["rspec", "docs"]),
        ({"source": "merge_request_event", "ref": "x"}, ["danger"]),
        (
            {"source": "schedule", "variables": {"LONG": "1"}},
            ["rspec", "docs", "staging", "nightly", "cluster"],
        ),
        ({"project_path": "other/project"}, ["rspec", "docs", "fork"]),
    ],
)
def test_only_and_except_decide(request_: dict[str, object], names: list[str]):
    assert list(jobs(imported("legacy", **request_))) == names


# ---------------------------------------------------------------------------- a large dag


def test_a_graph_of_hundreds_of_jobs(tmp_path: Path):
    lines = ["stages: [build, test, deploy]"]
    for number in range(200):
        lines += [
            f"build {number}: {{stage: build, script: [make], needs: []}}",
            f"test {number}: {{script: [make test], needs: [build {number}]}}",
            f"deploy {number}:",
            "  stage: deploy",
            "  script: [make deploy]",
            f"  needs: [test {number}, build {number // 2}]",
        ]
    (tmp_path / ".gitlab-ci.yml").write_text("\n".join(lines), encoding="utf-8")

    made = proven(import_ci(tmp_path / ".gitlab-ci.yml"))

    assert len(made.scenarios[0]["jobs"]) == 600
    assert jobs(made)["deploy 7"]["needs"] == ["test 7", "build 3"]
    assert played(made).status == "success"


@pytest.mark.parametrize(
    "folder", sorted({each.name for each in PIPELINES.iterdir()} - {"monorepo", "references"})
)
def test_every_pipeline_loads_and_plays_for_a_tag_too(folder: str):
    given = {"version": "v1"} if folder == "inputs" else {}

    assert imported(folder, ref="v1.0.0", tag=True, inputs=given).scenarios
