"""A scenario stays the same when it is written as JSON and read again."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_gitlab.engine.builtins import builtin_scenarios
from mock_gitlab.engine.codec import decode, encode
from mock_gitlab.engine.failures import FailureReason
from mock_gitlab.engine.matching import Fault, Limit, RequestPattern, Response
from mock_gitlab.engine.model import (
    TERMINAL_STATUSES,
    Artifact,
    Attempt,
    Downstream,
    Environment,
    JobAttempt,
    JobSpec,
    Retry,
    Scenario,
    TestCase,
    TestSuite,
    Variable,
)

durations = st.integers(0, 10**12)
text = st.text(max_size=5)
statuses = st.sampled_from(TERMINAL_STATUSES)
maybe = st.none() | st.booleans()
percents = st.none() | st.floats(0, 100)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
    max_leaves=4,
)


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


variables = st.builds(Variable, text, text, st.sampled_from(["env_var", "file"]), st.booleans())
artifacts = st.builds(Artifact, text, text, st.booleans())
job_attempts = st.builds(
    JobAttempt,
    st.none() | durations,
    st.none() | statuses,
    st.none() | st.sampled_from(get_args(FailureReason)),
    st.none() | durations,
    maybe,
    st.none() | text,
    percents,
    st.none() | some(artifacts),
)
downstreams = st.builds(
    Downstream,
    text,
    st.none() | durations,
    st.none() | text,
    st.none() | st.just("depend"),
    some(variables),
)
jobs = st.builds(
    JobSpec,
    name=text,
    duration=durations,
    status=statuses,
    allow_failure=st.booleans(),
    needs=st.none() | some(text),
    tags=some(text),
    coverage=percents,
    trace=text,
    artifacts=some(artifacts),
    attempts=some(job_attempts),
    downstream=st.none() | downstreams,
    preparing=durations,
    canceling=durations,
    allowed_exit_codes=some(st.integers(0, 255)),
    retry=st.none() | st.builds(Retry, st.integers(0, 2), some(text)),
    timeout=st.none() | durations,
    environment=st.none() | st.builds(Environment, text, st.none() | text),
    artifacts_expire_in=st.none() | durations,
)
attempts = st.builds(
    Attempt,
    st.none() | durations,
    st.none() | statuses,
    maybe,
    st.none() | durations,
    st.none() | durations,
)
suites = st.builds(
    TestSuite,
    text,
    some(st.builds(TestCase, text, execution_time=st.floats(0, 9))),
    st.none() | text,
)
patterns = st.builds(
    RequestPattern,
    st.none() | text,
    variables=some(st.tuples(text, text | st.booleans())),
    status=st.none() | st.integers(),
)
faults = st.builds(
    Fault,
    text,
    patterns,
    respond=st.none()
    | st.builds(Response, st.integers(), some(st.tuples(text, text)), json_values),
    body=st.none() | st.sampled_from(["drop", "slow"]),
    limit=st.none() | st.builds(Limit, st.integers(), st.integers()),
)
scenarios = st.builds(
    Scenario,
    scenario_id=durations,
    name=text,
    terminal_after=st.none() | durations,
    terminal_status=statuses,
    never_complete=st.booleans(),
    coverage=percents,
    attempts=some(attempts),
    stages=some(text),
    jobs=some(jobs),
    test_suites=some(suites),
    faults=some(faults),
    created=durations,
    yaml_errors=st.none() | text,
)


@settings(max_examples=50, deadline=None)
@given(scenarios)
def test_a_scenario_comes_back_from_json_text_as_it_was(scenario: Scenario):
    assert decode(Scenario, json.loads(json.dumps(encode(scenario)))) == scenario


def test_only_what_differs_from_the_defaults_is_written():
    scenario = Scenario(900, "x", terminal_after=60_000, jobs=(JobSpec("a", duration=5),))
    assert encode(scenario) == {
        "scenario_id": 900,
        "name": "x",
        "terminal_after": 60_000,
        "jobs": [{"name": "a", "duration": 5}],
    }


def test_the_body_of_an_answer_keeps_its_lists():
    fault = Fault("f", RequestPattern(), respond=Response(body=[1, [2]]))
    found = decode(Scenario, encode(Scenario(1, "x", faults=(fault,))))
    assert found.faults[0].respond == Response(body=[1, [2]])


def test_an_unknown_field_is_an_error():
    with pytest.raises(TypeError):
        decode(Scenario, {"scenario_id": 1, "name": "x", "colour": "red"})


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("terminal_after", "5", "terminal_after: '5' is no int"),
        ("terminal_status", "done", "terminal_status: 'done' is none of its values"),
        ("never_complete", 1, "never_complete: 1 is no bool"),
        ("created", True, "created: True is no int"),
        ("coverage", "5", "coverage: '5' is no float"),
        ("stages", "build", "stages: 'build' is no list"),
        ("stages", [1], "stages: 1 is no str"),
        ("jobs", [7], "jobs: 7 is no JobSpec"),
        ("jobs", [{"name": "a", "colour": 1}], "jobs: JobSpec has no 'colour'"),
        ("jobs", [{"name": "a", "retry": {"max": None}}], "jobs: retry: max: None is no int"),
        ("faults", [{"key": "1", "when": {"variables": [["A"]]}}], "is no list of 2"),
    ],
)
def test_a_value_of_another_type_is_an_error_that_names_the_field(
    field: str, value: Any, said: str
):
    with pytest.raises(TypeError) as refused:
        decode(Scenario, {"scenario_id": 1, "name": "x", field: value})
    assert said in str(refused.value)


@pytest.mark.parametrize("seconds", [1, 7, 99])
def test_a_built_in_of_a_small_number_succeeds_after_so_many_seconds(seconds: int):
    declared = {d.scenario.scenario_id: d for d in builtin_scenarios()}[seconds]
    assert declared.scenario.terminal_after == seconds * 1000
    assert declared.scenario.terminal_status == "success"
    assert declared.definition["terminal_after_seconds"] == seconds
    assert declared.source == "builtin"


def test_the_built_ins_are_these():
    ends = {
        d.scenario.scenario_id: d.scenario.terminal_after
        for d in builtin_scenarios()
        if d.scenario.scenario_id >= 100
    }
    assert ends == {100: 60_000, 200: 120_000, 500: 300_000}
    assert len(builtin_scenarios()) == 103


def test_the_built_in_of_number_zero_never_completes():
    first = builtin_scenarios()[0]
    assert (first.scenario.scenario_id, first.scenario.never_complete) == (0, True)
    assert first.scenario.name == "never completes"


def test_the_names_of_built_ins_say_what_they_do():
    names = {d.scenario.scenario_id: d.scenario.name for d in builtin_scenarios()}
    assert names[1] == "succeeds after 1 second"
    assert names[500] == "succeeds after 300 seconds"
