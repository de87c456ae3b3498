"""The models of YAML become values of the engine, and keep what was written."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from mock_gitlab.config.faults import FaultModel, fault_from
from mock_gitlab.config.fields import DurationField, InstantField
from mock_gitlab.config.responses import ResponseModel
from mock_gitlab.config.rules import RuleModel, rule_from
from mock_gitlab.config.scenarios import (
    ScenarioModel,
    declared_scenario,
    scenario_definition,
    scenario_from,
)
from mock_gitlab.engine.failures import FailureReason
from mock_gitlab.engine.matching import PRESETS, Response
from mock_gitlab.engine.model import (
    Artifact,
    Attempt,
    Downstream,
    ExternalStatus,
    JobAttempt,
    JobSpec,
    Scenario,
    TestCase,
    TestSuite,
    Variable,
)
from mock_gitlab.engine.sources import SOURCES


def scenario(**written: Any) -> Scenario:
    return scenario_from(ScenarioModel.model_validate({"scenario_id": 900, **written}))


def job(**written: Any) -> JobSpec:
    return scenario(jobs=[{"name": "a", **written}]).jobs[0]


def refusal(model: type[Any], written: Any) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(written)
    return [(each["loc"], each["msg"]) for each in refused.value.errors()]


# ---------------------------------------------------------------------------- durations, moments


@pytest.mark.parametrize(
    ("written", "span"),
    [
        (0, 0),
        (180, 180_000),
        (1.5, 1500),
        (0.0004, 0),
        (0.0006, 1),
        ("1.5s", 1500),
        ("3m", 180_000),
        ("1h30m", 5_400_000),
        ("500ms", 500),
        ("2d", 172_800_000),
        ("1d2h3m4s5ms", 93_784_005),
        (1_000_000_000, 1_000_000_000_000),
    ],
)
def test_a_duration_is_seconds_or_text(written: Any, span: int):
    assert TypeAdapter(DurationField).validate_python(written) == span


@pytest.mark.parametrize(
    "written", ["", "3", "3 m", "-3m", "m", "3m1h", "1e3s", True, -1, None, [], float("nan")]
)
def test_anything_else_is_no_duration(written: Any):
    with pytest.raises(ValidationError, match="must be a number of seconds, or a duration"):
        TypeAdapter(DurationField).validate_python(written)


@pytest.mark.parametrize("written", [1_000_000_001, float("inf"), "999999999999d"])
def test_a_duration_beyond_the_longest_is_refused(written: Any):
    with pytest.raises(ValidationError, match="longer than 1000000000 seconds"):
        TypeAdapter(DurationField).validate_python(written)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("1970-01-01", 0),
        ("2026-01-01T00:00:00Z", 1_767_225_600_000),
        ("2026-01-01 00:00", 1_767_225_600_000),
        ("2026-01-01t02:00:00.5+02:00", 1_767_225_600_500),
        ("1970-01-01T00:00:00.000001Z", 0),
    ],
)
def test_a_moment_is_iso_8601(written: Any, moment: int):
    assert TypeAdapter(InstantField).validate_python(written) == moment


@pytest.mark.parametrize(
    "written",
    ["1969-12-31", "1970-01-01T00:00+02:00", "0001-01-01T00:00+02:00", "9000-01-01", "9999-12-31"],
)
def test_a_moment_lies_within_what_a_clock_can_show(written: str):
    with pytest.raises(ValidationError, match="between the years 1970 and 8999"):
        TypeAdapter(InstantField).validate_python(written)


@pytest.mark.parametrize("written", [0, "now", "2026-13-01", "2026-01-01T", "0000-01-01", None])
def test_anything_else_is_no_moment(written: Any):
    with pytest.raises(ValidationError):
        TypeAdapter(InstantField).validate_python(written)


def test_a_moment_is_written_back_as_text():
    assert TypeAdapter(InstantField).dump_python(1_767_225_600_500) == "2026-01-01T00:00:00.500Z"


# ---------------------------------------------------------------------------- scenarios


def test_a_scenario_needs_no_more_than_its_number():
    assert scenario() == Scenario(900, "scenario 900")


def test_every_field_of_a_scenario_arrives():
    assert scenario(
        name="x",
        terminal_after_seconds="3m",
        terminal_status="failed",
        never_complete=True,
        pending_seconds=5,
        terminal_after_polls=3,
        coverage=87.5,
    ) == Scenario(900, "x", 180_000, "failed", True, 5000, 3, 87.5)


def test_attempts_say_what_differs():
    found = scenario(
        attempts=[
            {},
            {"terminal_after_seconds": None},
            {
                "terminal_after_seconds": 2,
                "terminal_status": "failed",
                "never_complete": False,
                "pending_seconds": 1,
                "terminal_after_polls": 2,
            },
        ]
    )
    assert found.attempts == (
        Attempt(),
        Attempt(terminal_after=0),
        Attempt(2000, "failed", False, 1000, 2),
    )


def test_a_job_has_gitlab_s_defaults():
    assert job() == JobSpec("a")


def test_every_field_of_a_job_arrives():
    assert job(
        stage="build",
        duration="30s",
        status="failed",
        failure_reason="script_failure",
        when="delayed",
        start_in="1m",
        allow_failure=True,
        needs=[],
        pending_seconds=1,
        never_complete=True,
        tags=["docker"],
        coverage=3,
        trace="log",
        artifacts={"x/y.txt": "z"},
        attempts=[{}, {"duration": 1, "status": "success", "artifacts": [{"path": "q"}]}],
    ) == JobSpec(
        name="a",
        stage="build",
        duration=30_000,
        status="failed",
        failure_reason="script_failure",
        when="delayed",
        start_in=60_000,
        allow_failure=True,
        needs=(),
        pending=1000,
        never_complete=True,
        tags=("docker",),
        coverage=3,
        trace="log",
        artifacts=(Artifact("x/y.txt", "z"),),
        attempts=(
            JobAttempt(),
            JobAttempt(duration=1000, status="success", artifacts=(Artifact("q", ""),)),
        ),
    )


@pytest.mark.parametrize(
    ("written", "allowed"),
    [({}, False), ({"when": "manual"}, True), ({"when": "manual", "allow_failure": False}, False)],
)
def test_a_manual_job_may_fail_unless_it_says_otherwise(written: Any, allowed: bool):
    assert job(**written).allow_failure is allowed


def test_a_bridge_knows_what_it_starts():
    written = {
        "project": 43,
        "scenario": 1,
        "ref": "main",
        "strategy": "depend",
        "variables": {"A": 1},
    }
    assert job(downstream=written).downstream == Downstream(
        "43", 1, "main", "depend", (Variable("A", "1"),)
    )


def test_a_parallel_job_is_spread_and_who_needs_it_needs_all_of_it():
    jobs = scenario(
        jobs=[
            {"name": "unit", "parallel": 2},
            {"name": "one", "parallel": 1},
            {"name": "all", "needs": ["unit", "one 1/1", "unit 1/2"]},
        ]
    ).jobs
    assert [each.name for each in jobs] == ["unit 1/2", "unit 2/2", "one 1/1", "all"]
    assert jobs[3].needs == ("unit 1/2", "unit 2/2", "one 1/1")


def test_a_test_report_has_suites_and_cases():
    case = {
        "name": "c",
        "status": "error",
        "execution_time": 1,
        "classname": "C",
        "file": "f",
        "system_output": "o",
        "stack_trace": "t",
    }
    written = {"suites": [{"name": "s", "cases": [case, {"name": "d"}], "suite_error": "e"}]}
    assert scenario(test_report=written).test_suites == (
        TestSuite("s", (TestCase("c", "error", 1, "C", "f", "o", "t"), TestCase("d")), "e"),
    )


def test_faults_of_a_scenario_have_keys_of_their_own():
    a, b, again = scenario(faults=[{"drop": True}, {"delay": 1}, {"drop": True}]).faults
    assert (a.key.startswith("scenario 900:"), again.key) == (True, f"{a.key}-2")
    assert b.key not in (a.key, again.key)
    assert a.place == "scenario 900"


def test_whole_numbers_may_be_written_with_a_point():
    assert scenario(terminal_after_polls=3.0).terminal_after_polls == 3


# ---------------------------------------------------------------------------- as written


def test_a_definition_shows_what_was_written_with_durations_in_seconds():
    written = {
        "scenario_id": 900,
        "terminal_after_seconds": "1m",
        "pending_seconds": 0.5,
        "jobs": [{"name": "a", "artifacts": {"x": "y"}, "duration": 3}],
    }
    model = ScenarioModel.model_validate(written)
    assert scenario_definition(model) == {
        **written,
        "terminal_after_seconds": 60,
    }
    assert json.loads(json.dumps(scenario_definition(model))) == scenario_definition(model)


def test_a_definition_reads_back_as_the_same_scenario():
    model = ScenarioModel.model_validate(
        {
            "scenario_id": 900,
            "jobs": [{"name": "a", "when": "manual", "attempts": [{"duration": "5s"}]}],
            "test_report": {"suites": [{"name": "s"}]},
            "faults": [{"limit": {"requests": 1, "per": "1m"}}],
        }
    )
    again = ScenarioModel.model_validate(scenario_definition(model))
    assert scenario_from(again) == scenario_from(model)


def test_a_scenario_of_the_run_stands_in_no_file():
    declared = declared_scenario(ScenarioModel.model_validate({"scenario_id": 900}))
    assert (declared.source, declared.file, declared.line) == ("runtime", None, None)
    assert declared.definition == {"scenario_id": 900}


def test_rules_and_faults_take_their_place_from_their_caller():
    rule = rule_from(RuleModel.model_validate({"scenario": 1}), "p")
    fault = fault_from(FaultModel.model_validate({"drop": True}), "p")
    assert (rule.place, fault.place) == ("p", "p")


# ---------------------------------------------------------------------------- refused


def test_all_contradictions_of_a_model_come_at_once_each_at_its_place():
    written = {
        "scenario_id": 900,
        "terminal_after_polls": 1,
        "jobs": [{"name": "a", "needs": ["b"]}, {"name": "a", "start_in": 1}],
    }
    assert refusal(ScenarioModel, written) == [
        (("jobs", 1, "name"), 'there is a job "a" already'),
        (("jobs", 1, "start_in"), "needs when: delayed"),
        (("jobs", 0, "needs", 0), 'there is no job "b"'),
        (("terminal_after_polls",), "cannot be combined with jobs"),
    ]


@pytest.mark.parametrize("body", [float("nan"), [float("inf")], {"a": "\ud800"}, {"\ud800": 1}])
def test_a_body_must_be_json(body: Any):
    (_, message), *_ = refusal(FaultModel, {"respond": {"body": body}})
    assert message in ("cannot be written as JSON", "Input should be a finite number")


def test_text_must_be_unicode():
    (_, message), *_ = refusal(ScenarioModel, {"scenario_id": 1, "name": "\ud800"})
    assert message == "is not valid Unicode text"


def test_a_pattern_of_a_token_holds_for_the_whole_text():
    assert refusal(FaultModel, {"respond": {"headers": {"A": "b\n"}}})[0][1] == (
        "is not a valid header value"
    )


def test_a_preset_is_an_answer_of_gitlabs_with_headers_of_ones_own():
    written = {"respond": {"preset": "status_conflict", "headers": {"Retry-After": "1"}}}
    fault = fault_from(FaultModel.model_validate(written), "p")

    message = {"message": "Another update to this commit status is in progress"}
    assert fault.respond == Response(409, (("Retry-After", "1"),), message)


def test_a_preset_has_its_own_status_and_body():
    written = {"respond": {"preset": "status_conflict", "status": 409, "body": {}}}
    assert refusal(FaultModel, written) == [
        (("respond", "~one", "body"), "cannot be combined with preset"),
        (("respond", "~one", "status"), "cannot be combined with preset"),
    ]


def test_every_preset_has_an_answer():
    [literal, _] = get_args(ResponseModel.model_fields["preset"].annotation)
    assert set(get_args(literal)) == set(PRESETS)


def test_statuses_of_another_ci_become_values_of_the_engine():
    full = {
        "name": "ci/jenkins",
        "state": "failed",
        "after": "1m30s",
        "target_url": "https://ci.test",
        "description": "12 tests",
        "coverage": 87.5,
    }
    found = scenario(external_statuses=[full, {"name": "lint", "state": "pending"}])

    assert found.external_statuses == (
        ExternalStatus("ci/jenkins", "failed", 90_000, "https://ci.test", "12 tests", 87.5),
        ExternalStatus("lint", "pending"),
    )


# ---------------------------------------------------------------------------- lists of words


def test_a_rule_may_name_every_source_that_the_list_endpoint_accepts():
    rule = rule_from(RuleModel.model_validate({"when": {"source": list(SOURCES)}}), "p")
    assert rule.when.source == SOURCES


def test_a_job_may_have_every_failure_reason_that_gitlab_shows():
    reasons = get_args(FailureReason)
    assert [job(failure_reason=reason).failure_reason for reason in reasons] == [*reasons]
