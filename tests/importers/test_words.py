"""What the words of ``.gitlab-ci.yml`` become in a scenario, and what is noted."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.importers.conditions import Situation, first_match
from mock_gitlab.importers.document import read
from mock_gitlab.importers.gitlab_ci import NoPipeline, Request, import_ci
from mock_gitlab.importers.places import Notes, Place
from mock_gitlab.importers.repository import Repository, root_of
from tests.importers.importing import (
    PIPELINES,
    imported_text,
    jobs,
    noted,
    played,
    proven,
    statuses,
)

if TYPE_CHECKING:
    from pathlib import Path


def job(folder: Path, keys: str, **request: Any) -> dict[str, Any]:
    """Import one job with these keys, and give what it becomes."""
    made = imported_text(folder, f"job: {{script: x, {keys}}}\n", **request)
    return {k: v for k, v in jobs(made)["job"].items() if k not in ("stage", "duration")}


def notes(folder: Path, keys: str, **request: Any) -> list[str]:
    made = imported_text(folder, f"job: {{script: x, {keys}}}\n", **request)
    return [note.partition(": ")[2] for note in noted(made)]


# ---------------------------------------------------------------------------- when


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("when: manual", {"when": "manual"}),
        ("when: manual, allow_failure: false", {"when": "manual", "allow_failure": False}),
        ("rules: [{when: manual}]", {"when": "manual", "allow_failure": False}),
        ("rules: [{when: manual, allow_failure: true}]", {"when": "manual"}),
        ("when: manual, rules: [{if: $CI}]", {"when": "manual"}),
        ("when: manual, rules: [{when: on_success}]", {"allow_failure": True}),
        ("when: manual, rules: [{when: manual}]", {"when": "manual"}),
        ("allow_failure: true", {"allow_failure": True}),
        ("allow_failure: {exit_codes: 3}", {"allow_failure": {"exit_codes": [3]}}),
        ("allow_failure: {exit_codes: 3}, rules: [{allow_failure: false}]", {}),
        ("rules: [{when: delayed, start_in: 1 day}]", {"when": "delayed", "start_in": "1d"}),
        ("when: delayed, start_in: 90", {"when": "delayed", "start_in": "1m30s"}),
        ("when: always", {"when": "always"}),
        ("rules: [{if: $CI, interruptible: true}]", {"interruptible": True}),
        ("retry: {max: 2}", {"retry": {"max": 2}}),
        ("retry: {max: 1, when: always}", {"retry": {"max": 1, "when": ["always"]}}),
        ("retry: {max: 1, when: out_of_luck}", {}),
        ("tags: []", {}),
        ("environment: qa", {"environment": "qa"}),
        ("environment: {name: qa, auto_stop_in: never}", {"environment": {"name": "qa"}}),
        ("artifacts: [x]", {}),
        (
            "artifacts: {paths: [a.txt], expire_in: 1 week}",
            {"artifacts": {"a.txt": ""}, "artifacts_expire_in": "7d"},
        ),
        ("artifacts: {paths: [a.txt], expire_in: never}", {"artifacts": {"a.txt": ""}}),
        ("artifacts: {paths: [a/], expire_in: 1 week}", {}),
        ("artifacts: {untracked: true}", {}),
        ("artifacts: {paths: ['../x.txt', a/b.txt, $A.txt]}", {"artifacts": {"a/b.txt": ""}}),
        (
            "variables: {NAME: report}, artifacts: {paths: ['${NAME}.xml']}",
            {"artifacts": {"report.xml": ""}},
        ),
        (
            "rules: [{if: $CI_MERGE_REQUEST_LABELS, when: manual}, {when: always}]",
            {"when": "always"},
        ),
    ],
)
def test_a_job_becomes(keys: str, expected: dict[str, Any], tmp_path: Path):
    assert job(tmp_path, keys) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("retry: {max: 1, exit_codes: 3}", "retry: exit_codes do not decide about a retry here"),
        (
            "retry: {max: 1, when: [script_failure, out_of_luck]}",
            "retry: out_of_luck is no reason that is known here",
        ),
        ("scrpt: y", "the key scrpt is not known here"),
        ("coverage: /a/", "coverage: how much is covered is not known; say coverage: 80"),
        ("dependencies: [b]", "dependencies: this pipeline has no job b"),
        ("tags: [$WHERE]", "tags: the value of $WHERE is not known"),
        (
            "environment: {name: qa, on_stop: b}",
            "on_stop: this pipeline has no job b",
        ),
        (
            "needs: [{project: a/b, job: c, ref: main}]",
            "needs: a job of another project, a/b, is not waited for",
        ),
        (
            "rules: [{if: $CI_COMMIT_MESSAGE =~ /skip/, when: never}, {when: always}]",
            "$CI_COMMIT_MESSAGE counts as null: GitLab sets it, but it is not known here;"
            " say --var CI_COMMIT_MESSAGE=...",
        ),
        (
            "rules: [{exists: {project: a, paths: [b]}}]",
            "exists: the files of another project; counts as true",
        ),
    ],
)
def test_what_is_lost_is_noted(keys: str, expected: str, tmp_path: Path):
    assert notes(tmp_path, keys) == [expected]


# ---------------------------------------------------------------------------- needs


def test_an_optional_need_that_is_absent_leaves_an_empty_list(tmp_path: Path):
    text = """
build: {stage: build, script: x}
a: {script: x, needs: [{job: none, optional: true}]}
b: {script: x, needs: [{pipeline: group/other}]}
c: {script: x, needs: [build], rules: [{if: $CI, needs: [a]}]}
d: {script: x, rules: [{if: $CI, needs: []}]}
e: {script: x, needs: [build], rules: [{if: $CI, needs: []}]}
f: {script: x, needs: [[build], a, a], dependencies: [build, gone]}
"""
    listed = jobs(imported_text(tmp_path, text))

    assert listed["a"]["needs"] == listed["b"]["needs"] == listed["e"]["needs"] == []
    assert listed["c"]["needs"] == ["a"]
    assert "needs" not in listed["d"]
    assert listed["f"]["needs"] == ["build", "a"]
    assert listed["f"]["dependencies"] == ["build"]


def test_a_job_needs_the_copies_that_are_left_over(tmp_path: Path):
    text = """
build:
  stage: build
  script: x
  parallel: {matrix: [{OS: [linux, mac, win]}]}
  rules: [{if: $OS == "mac", when: never}, {when: on_success}]
test: {script: x, needs: [{job: build, optional: true}]}
"""
    made = imported_text(tmp_path, text)

    assert list(jobs(made)) == ["build: [linux]", "build: [win]", "test"]
    assert jobs(made)["test"]["needs"] == ["build: [linux]", "build: [win]"]


def test_copies_may_need_other_copies(tmp_path: Path):
    text = """
spec: {inputs: {os: {default: mac}}}
---
build:
  stage: build
  script: x
  parallel: {matrix: [{OS: [linux, "$[[ inputs.os ]]"]}]}
test:
  script: x
  parallel: {matrix: [{OS: [linux, mac], DB: [pg]}]}
  needs:
    - job: build
      optional: true
      parallel: {matrix: [{OS: ["$[[ matrix.OS ]]"]}]}
"""
    listed = jobs(imported_text(tmp_path, text))

    assert listed["test: [linux, pg]"]["needs"] == ["build: [linux]"]
    assert listed["test: [mac, pg]"]["needs"] == ["build: [mac]"]
    assert "parallel" in listed["build"]


def test_other_words_name_copies_too(tmp_path: Path):
    text = """
a: {stage: build, script: x, parallel: 2}
b: {stage: build, script: x, parallel: {matrix: [{P: [1, 2]}]}, tags: [$P]}
c:
  script: x
  dependencies: [a, b]
  environment: {name: qa, on_stop: a}
"""
    made = imported_text(tmp_path, text)

    assert jobs(made)["c"]["dependencies"] == ["a", "b: [1]", "b: [2]"]
    assert noted(made) == [".gitlab-ci.yml:7:27: on_stop: this pipeline has no job a"]


def test_a_job_that_mirrors_another_pipeline_is_a_job(tmp_path: Path):
    made = imported_text(tmp_path, "mirror: {needs: [{pipeline: group/other}]}\n")

    assert "needs" not in jobs(made)["mirror"]
    assert "1:1: a job that mirrors another pipeline is a job like others here" in noted(made)[0]


# ---------------------------------------------------------------------------- only, rules


def test_a_job_without_conditions_is_left_out_of_merge_requests_but_for_workflow_rules(
    tmp_path: Path,
):
    text = "a: {script: x}\nb: {script: x, rules: [{if: $CI_MERGE_REQUEST_IID}]}\n"
    asked = {"source": "merge_request_event", "ref": "topic"}

    assert list(jobs(imported_text(tmp_path, text, **asked))) == ["b"]
    workflow = "workflow: {rules: [{if: $CI, variables: {W: w}}]}\n"
    assert list(jobs(imported_text(tmp_path, workflow + text, **asked))) == ["a", "b"]


def test_a_workflow_adds_variables_and_has_a_name(tmp_path: Path):
    text = """
spec: {}
---
variables: {ENV: none, NO: , YES: true, PORT: 80, WHO: {value: $ENV, expand: false}}
workflow:
  name: for $ENV
  rules: [{if: $CI_COMMIT_TAG, variables: {ENV: production}}, {when: always}]
a:
  script: x
  rules:
    - if: $ENV == "production" && $YES == "true" && $PORT == "80" && $WHO == "$ENV"
b: {script: x, tags: [$WHO], inherit: {variables: [WHO]}, rules: [{if: $ENV == null}]}
c: {script: x, inherit: {variables: false}, rules: [{if: $ENV}]}
"""
    made = imported_text(tmp_path, text, ref="v1", tag=True)

    assert made.scenarios[0]["name"] == "for production"
    assert list(jobs(made)) == ["a", "b"]
    assert jobs(made)["b"]["tags"] == ["$ENV"]
    assert not imported_text(tmp_path, "workflow: {name: x}\na: {script: x}").notes


def test_a_merge_request_has_its_variables(tmp_path: Path):
    expression = (
        "$CI_MERGE_REQUEST_SOURCE_BRANCH_NAME == 'topic' && $CI_COMMIT_BRANCH == null &&"
        " $CI_MERGE_REQUEST_TARGET_BRANCH_NAME == $CI_DEFAULT_BRANCH"
    )
    text = f'a: {{script: x, rules: [{{if: "{expression}"}}]}}'

    made = imported_text(
        tmp_path, text, source="merge_request_event", ref="topic", default_branch="trunk"
    )

    assert list(jobs(made)) == ["a"]


CHANGES = (
    "a: {script: x, rules: [{changes: {paths: [$DIR/*.c], compare_to: main}}]}\nb: {script: x}\n"
)


def test_changes_hold_where_there_is_nothing_to_compare_with(tmp_path: Path):
    text = "a: {script: x, rules: [{changes: [src/*.c]}]}\nb: {script: x}\n"
    changed = {"changed": ("README.md",)}

    assert list(jobs(imported_text(tmp_path, text, **changed))) == ["b"]
    assert "a" in jobs(imported_text(tmp_path, text, **changed, source="schedule"))
    assert "a" in jobs(imported_text(tmp_path, text, **changed, ref="v1", tag=True))
    assert not imported_text(tmp_path, text, source="web").remarks


def test_changes_may_compare_and_hold_variables(tmp_path: Path):
    given = {"variables": {"DIR": "src"}, "source": "schedule"}

    assert "a" in jobs(imported_text(tmp_path, CHANGES, changed=("src/a.c",), **given))
    assert "a" not in jobs(imported_text(tmp_path, CHANGES, changed=(), **given))


def test_files_exist_or_not(tmp_path: Path):
    (tmp_path / "src").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "src" / "go.mod").write_text("", encoding="utf-8")
    text = """
a: {script: x, rules: [{exists: ["**/go.mod"]}]}
b: {script: x, rules: [{exists: {paths: [/src/go.mod]}}]}
c: {script: x, rules: [{exists: [go.mod, .git/*]}]}
d: {script: x, rules: [{exists: ["**/go.mod"]}]}
"""
    assert list(jobs(imported_text(tmp_path, text))) == ["a", "b", "d"]
    assert root_of(tmp_path / "src" / "ci.yml") == tmp_path


def test_what_exists_among_too_many_files_counts_as_there(tmp_path: Path):
    for number in range(3):
        (tmp_path / str(number)).write_text("", encoding="utf-8")
    situation = Situation(Request(), Repository(tmp_path, limit=2), Notes())
    rules = read(b"rules: [{exists: ['*.go']}]", "ci.yml")[1]["rules"]

    assert first_match(rules, situation.variables(), situation, Place("ci.yml")) is rules[0]
    [note] = situation.notes.sorted()
    assert note.what == "exists: too many files to look at all of them; counts as true"


def test_a_glob_of_includes_may_match_the_file_that_has_it(tmp_path: Path):
    (tmp_path / "b.gitlab-ci.yml").write_text(
        "include: '*.gitlab-ci.yml'\nb: {script: x}\n", encoding="utf-8"
    )

    made = imported_text(tmp_path, "include: '*.gitlab-ci.yml'\na: {script: x}\n")

    assert list(jobs(made)) == ["b", "a"]


def test_two_stars_of_an_include_pass_slashes(tmp_path: Path):
    (tmp_path / "ci" / "deep").mkdir(parents=True)
    (tmp_path / "ci" / "a.yml").write_text("a: {script: x}", encoding="utf-8")
    (tmp_path / "ci" / "deep" / "b.yml").write_text("b: {script: x}", encoding="utf-8")
    (tmp_path / "ci" / "notes.txt").write_text("no", encoding="utf-8")

    assert list(jobs(imported_text(tmp_path, "include: ci/**.yml"))) == ["a", "b"]
    assert list(jobs(imported_text(tmp_path, "include: ci/**/*"))) == ["b"]
    assert list(jobs(imported_text(tmp_path, "include: ci/*"))) == ["a"]


def test_variables_of_the_file_are_not_known_to_its_includes(tmp_path: Path):
    (tmp_path / "a.yml").write_text("a: {script: x}", encoding="utf-8")
    text = """
variables: {WANTED: "yes"}
include: {local: a.yml, rules: [{if: $WANTED}]}
b: {script: x}
"""
    assert list(jobs(imported_text(tmp_path, text))) == ["b"]
    assert list(jobs(imported_text(tmp_path, text, variables={"WANTED": "1"}))) == ["a", "b"]


def test_what_may_be_in_a_file_that_is_not_read_is_noted(tmp_path: Path):
    text = """
include: {template: Go.gitlab-ci.yml}
lint: {stage: verify}
test:
  extends: [.go, .own]
  needs: [build, lint]
  before_script: [!reference [.go, setup], make]
  rules: [!reference [.go, rules]]
  variables: !reference [.go, variables]
  stage: verify
.own: {tags: [own], a: !reference [.more, a]}
.more: {a: !reference [.go, a]}
"""
    made = imported_text(tmp_path, text)

    assert made.scenarios[0]["stages"] == ["build", "test", "deploy", "verify"]
    assert jobs(made)["test"]["needs"] == ["lint"]
    assert jobs(made)["test"]["tags"] == ["own"]
    assert [note.partition(": ")[2] for note in noted(made) if "not read" in note] == [
        "include: template: Go.gitlab-ci.yml is not read, since it is not in these files",
        *(
            f"{what}: it may be in a file that is not read"
            for what in (
                "the job lint has no script, run or trigger",
                "the job lint is in the stage verify;"
                " the stages are .pre, build, test, deploy, .post",
                "test extends .go, which is no job",
                "the job test needs build, which is no job",
                "!reference [.go, setup] leads to nothing",
                "!reference [.go, rules] leads to nothing",
                "!reference [.go, variables] leads to nothing",
                "!reference [.more, a] leads to nothing",
                "!reference [.go, a] leads to nothing",
            )
        ),
    ]


def test_a_glob_of_includes_that_matches_nothing_is_noted(tmp_path: Path):
    made = imported_text(tmp_path, "include: ci/*.yml\na: {script: x}\n")

    assert noted(made) == [".gitlab-ci.yml:1:1: include: no file matches ci/*.yml"]


# ---------------------------------------------------------------------------- bridges


def test_bridges_say_what_they_hand_on(tmp_path: Path):
    text = """
variables: {A: a, B: {value: b}}
default: {tags: [linux]}
one: {trigger: group/one, variables: {C: $A}, retry: 1}
two: {trigger: {project: group/two, forward: {yaml_variables: false}, inputs: {x: 1}}}
three: {trigger: {project: group/$A, branch: $NOWHERE, strategy: mirror}, parallel: 2}
"""
    made = imported_text(tmp_path, text)
    listed = jobs(made)

    assert listed["one"]["trigger"]["variables"] == {"A": "a", "B": "b", "C": "a"}
    assert listed["two"]["trigger"] == {"project": "group/two"}
    assert listed["three"]["parallel"] == 2
    assert listed["three"]["trigger"]["strategy"] == "depend"
    assert [note.partition(": ")[2] for note in noted(made)] == [
        "retry: a bridge is not retried here",
        "inputs: the bridge does not hand them to the other project here",
        "trigger:branch: the value of $NOWHERE is not known",
        "strategy: mirror becomes depend",
    ]


def test_a_child_gets_inputs(tmp_path: Path):
    (tmp_path / "child.yml").write_text(
        "spec: {inputs: {n: {type: number}, esc: {default: a b}}}\n---\n"
        ".shared: &keys {script: ['$[[ inputs.esc | posix_escape ]]']}\n"
        "a: {<<: *keys, parallel: '$[[ inputs.n ]]'}\nc: {<<: *keys}\n"
        "b: {script: 'n=$[[ inputs.n ]]'}\n",
        encoding="utf-8",
    )
    text = """
one: {trigger: {include: [{local: child.yml, inputs: {n: 2}}]}}
two: {trigger: {include: child.yml, inputs: {n: 3}}}
same: {trigger: {include: child.yml, inputs: {n: 3}}}
"""
    made = imported_text(tmp_path, text)

    assert jobs(made, 1)["a"]["parallel"] == 2
    assert jobs(made, 2)["a"]["parallel"] == 3
    assert jobs(made)["same"]["trigger"]["scenario"] == 952
    assert len(made.scenarios) == 3


def test_children_that_are_not_here_are_stubs(tmp_path: Path):
    text = """
one: {trigger: {include: https://ci.test/a.yml}}
two: {trigger: {include: [{project: a/b, file: c.yml}]}}
"""
    made = imported_text(tmp_path, text, durations={"two": "5m", "test": "1m", "": "2m"})

    assert [each.get("terminal_after_seconds") for each in made.scenarios] == [None, "1m", "5m"]
    assert [note.partition(": ")[2] for note in noted(made)] == [
        "the child pipeline is a stub: https://ci.test/a.yml is not here",
        "the child pipeline is a stub: a/b c.yml is not here",
    ]


def test_a_child_without_jobs_fails_as_on_gitlab(tmp_path: Path):
    (tmp_path / "child.yml").write_text("a: {script: x, only: [tags]}\n", encoding="utf-8")

    made = imported_text(tmp_path, "b: {trigger: {include: child.yml, strategy: depend}}\n")

    assert jobs(made)["b"]["failure_reason"] == "downstream_pipeline_creation_failed"
    assert played(made).status == "failed"
    assert "the child pipeline fails: .gitlab-ci.yml:1:15: no pipeline: no job is left" in made.text


def test_children_of_children_of_children_fail_as_on_gitlab(tmp_path: Path):
    (tmp_path / "child.yml").write_text(
        "deeper: {trigger: {include: child.yml}}\n", encoding="utf-8"
    )

    made = imported_text(tmp_path, "b: {trigger: {include: child.yml}}\n")

    assert len(made.scenarios) == 3
    reason = jobs(made, 2)["deeper"]["failure_reason"]
    assert reason == "reached_max_descendant_pipelines_depth"


# ---------------------------------------------------------------------------- the whole


def test_durations_are_by_job_by_stage_or_for_all(tmp_path: Path):
    text = "a: {script: x, parallel: 2}\nb: {script: x}\nc: {script: x, stage: deploy}\n"

    made = imported_text(tmp_path, text, durations={"a": "90", "test": "2m", "": "1h"})

    assert [each["duration"] for each in jobs(made).values()] == ["1m30s", "2m", "1h"]
    assert set(statuses(made).values()) == {"success"}


def test_an_empty_stage_list_has_only_the_two_at_the_ends(tmp_path: Path):
    with pytest.raises(NoPipeline, match=r"its jobs are all in \.pre and \.post"):
        imported_text(tmp_path, "stages: [.pre]\na: {script: x, stage: .pre}\n")


def test_the_root_is_the_folder_with_git(tmp_path: Path):
    shutil.copytree(PIPELINES / "nested_includes", tmp_path / "repo")
    (tmp_path / "repo" / ".git").mkdir()
    path = tmp_path / "repo" / "deploy" / "ci.yml"
    path.parent.mkdir()
    path.write_text("include: /.gitlab-ci.yml\nown: {script: x}\n", encoding="utf-8")

    made = proven(import_ci(path))

    assert made.scenarios[0]["name"] == "deploy/ci.yml for main"
    assert "own" in jobs(made)
