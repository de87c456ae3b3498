"""Scenarios that a CI configuration makes: ``scenarios: [{from: .gitlab-ci.yml}]``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.app import create_app
from mock_gitlab.cli.main import main
from mock_gitlab.config.diagnostics import ConfigurationError
from mock_gitlab.config.imported import ImportModel
from mock_gitlab.config.loader import load
from mock_gitlab.importers.gitlab_ci import Request
from tests.conftest import FROZEN, TOKEN, Mock

if TYPE_CHECKING:
    from mock_gitlab.config.loader import Loaded

CI = """\
include: ci/more.yml
build: {script: [make], stage: build}
deploy:
  stage: deploy
  trigger: {include: child.yml}
  rules: [{if: $CI_COMMIT_TAG && $LEVEL == "two"}]
"""
ENTRY = "{from: .gitlab-ci.yml, scenario_id: 960, duration: 40s, durations: {unit: 2m}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "more.yml").write_text("unit: {script: [test], tags: ['$NO']}\n")
    (tmp_path / "child.yml").write_text("ship: {script: [ship]}\n")
    (tmp_path / ".gitlab-ci.yml").write_text(CI)
    return tmp_path


def write(folder: Path, more: str = "}", after: str = "") -> Path:
    path = folder / "mock.yaml"
    path.write_text(f"{FROZEN}scenarios: [{ENTRY}{more}]\n{after}")
    return path


def loaded(folder: Path, more: str = "}", after: str = "") -> Loaded:
    return load(write(folder, more, after), {})


def names(found: Loaded, number: int = 960) -> list[str]:
    declared = found.declarations.declared(number)
    assert declared is not None
    return [job.name for job in declared.scenario.jobs]


def test_a_pipeline_follows_the_ci_configuration(folder: Path):
    with Mock(
        create_app(write(folder), environ={}, watch=False), headers={"PRIVATE-TOKEN": TOKEN}
    ) as mock:
        mock.trigger(scenario_id=960)
        mock.advance("40s")
        jobs = mock.get("/api/v4/projects/1/pipelines/1/jobs").json()

    assert {job["name"]: job["status"] for job in jobs} == {"unit": "running", "build": "success"}


def test_the_entry_says_what_the_pipeline_is_asked_for(folder: Path):
    found = loaded(folder, ", tag: v1, variables: {LEVEL: two}}")

    assert names(found) == ["build", "unit", "deploy"]
    assert names(found, 961) == ["ship"]
    assert found.scenario_counts[".gitlab-ci.yml"] == 2


def test_a_rule_may_name_what_is_imported(folder: Path):
    found = loaded(folder, after="rules: [{scenario: 960}]\nwarn_unused: true\n")

    assert found.declarations.rules[0].scenarios == (960,)
    assert [str(each) for each in found.warnings if "960" in str(each)] == []


def test_all_files_that_it_reads_are_watched(folder: Path):
    found = loaded(folder, ", tag: v1, variables: {LEVEL: two}}")

    expected = {folder / ".gitlab-ci.yml", folder / "ci" / "more.yml", folder / "child.yml"}
    assert expected <= set(found.files)
    assert {folder, folder / "ci"} <= set(found.folders)


def test_an_edit_takes_effect_at_a_reload(folder: Path):
    with Mock(
        create_app(write(folder), environ={}, watch=False), headers={"PRIVATE-TOKEN": TOKEN}
    ) as mock:
        (folder / "ci" / "more.yml").write_text("lint: {script: [lint]}\n")
        assert mock.post("/_mock/config/reload").status_code == 200
        mock.trigger(scenario_id=960)
        jobs = mock.get("/api/v4/projects/1/pipelines/1/jobs").json()

    assert {job["name"] for job in jobs} == {"lint", "build"}


def test_what_is_noted_is_a_warning(folder: Path):
    (folder / "ci" / "more.yml").write_text(
        "unit: {script: [x], resource_group: one, rules: [{changes: [a]}]}\n"
    )
    said = [str(each) for each in loaded(folder).warnings]

    assert any(each.startswith("ci/more.yml:1:") and "resource_group" in each for each in said)
    assert any(each.startswith(".gitlab-ci.yml:1:1: which paths have changed") for each in said)
    assert not any("which paths" in str(e) for e in loaded(folder, ", changed: [a]}").warnings)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", ".gitlab-ci.yml:2:1: this is not YAML"),
        ("a: {script: x, extends: b}", ".gitlab-ci.yml:1:"),
        (None, ".gitlab-ci.yml:1:1: there is no file .gitlab-ci.yml"),
    ],
)
def test_a_mistake_in_it_is_one_of_the_files_and_is_waited_for(
    folder: Path, content: str | None, said: str
):
    if content is None:
        (folder / ".gitlab-ci.yml").unlink()
    else:
        (folder / ".gitlab-ci.yml").write_text(content)
    with pytest.raises(ConfigurationError) as refused:
        loaded(folder)

    assert said in str(refused.value.mistakes[0])
    assert folder / ".gitlab-ci.yml" in refused.value.files


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (", ref: a, tag: b}", "scenarios[0].tag: cannot be combined with ref"),
        (", default_branch: a, scenario_id: 1}", "scenarios[0].scenario_id"),
        (", jobs: []}", "scenarios[0].jobs: is not a known key"),
        ("}, {scenario_id: 960}", "scenario 960 is already declared"),
    ],
)
def test_an_entry_that_cannot_be_is_a_mistake(folder: Path, more: str, said: str):
    with pytest.raises(ConfigurationError) as refused:
        loaded(folder, more)

    assert any(said in str(each) for each in refused.value.mistakes)


def test_a_duration_that_is_none_is_a_mistake(folder: Path):
    path = folder / "mock.yaml"
    path.write_text("scenarios: [{from: .gitlab-ci.yml, duration: soon}]\n")

    with pytest.raises(ConfigurationError, match="soon is no duration"):
        load(path, {})


def test_an_entry_asks_by_default_for_what_an_import_does():
    entry, usual = ImportModel.model_validate({"from": "ci.yml"}), Request()

    for name in ("scenario_id", "source", "variables", "project_path", "default_branch", "changed"):
        assert getattr(entry, name) == getattr(usual, name), name
    assert entry.default_branch == usual.ref


def test_includes_begin_at_the_root(folder: Path):
    (folder / "sub").mkdir()
    (folder / "sub" / "ci.yml").write_text("include: ci/more.yml\n")
    path = folder / "mock.yaml"
    path.write_text("scenarios: [{from: sub/ci.yml, root: .}]\n")

    assert names(load(path, {}), 950) == ["unit"]


def test_check_counts_what_is_imported(folder: Path, capsys: pytest.CaptureFixture[str]):
    write(folder)

    assert main(["check"]) == 0
    assert "scenarios: 1 from .gitlab-ci.yml" in capsys.readouterr().out
