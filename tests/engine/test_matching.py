"""Which rule or fault applies, and why others do not match."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mock_gitlab.engine.matching import (
    RequestPattern,
    Rule,
    Trigger,
    TriggerPattern,
    differences,
    matches,
    matches_project,
    near_misses,
    next_of_sequence,
)
from mock_gitlab.world.journal import Journal, LoggedRequest

TRIGGER = Trigger(
    project_id=42,
    project_path="group/sub/app",
    ref="release/1.0",
    tag=False,
    source="trigger",
    username="root",
    variables={"DEPLOY_ENV": "prod", "EMPTY": ""},
    inputs={"replicas": 3},
)
LOGGED = LoggedRequest(
    "GET", "/projects/42/pipelines/7", "", 0, project_id=42, project_path="group/sub/app"
)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [("42", True), ("4", False), ("group/sub/app", True), ("group/*/app", True), ("group/*", False),
     ("group/**", True)],
)  # fmt: skip
def test_a_project_is_matched_by_number_path_or_glob(pattern: str, matches: bool):
    assert matches_project(pattern, 42, "group/sub/app") is matches


@pytest.mark.parametrize(
    "pattern",
    [
        TriggerPattern(),
        TriggerPattern(project="42", ref="release/*", source=("api", "trigger"), username="r*"),
        TriggerPattern(variables=(("DEPLOY_ENV", "pr*"), ("EMPTY", True), ("OTHER", False))),
        TriggerPattern(inputs=(("replicas", 3),)),
    ],
)
def test_a_pattern_matches_when_it_finds_no_difference(pattern: TriggerPattern):
    assert list(differences(pattern, TRIGGER)) == []
    assert matches(pattern, TRIGGER)


@pytest.mark.parametrize(
    ("pattern", "difference"),
    [
        (TriggerPattern(project="group/other"), ("project", "group/other", "group/sub/app")),
        (TriggerPattern(ref="main"), ("ref", "main", "release/1.0")),
        (TriggerPattern(source=("api",)), ("source", "api", "trigger")),
        (TriggerPattern(username="bot"), ("username", "bot", "root")),
        (TriggerPattern(variables=(("EMPTY", "x"),)), ("variables.EMPTY", "x", "")),
        (TriggerPattern(variables=(("OTHER", True),)), ("variables.OTHER", "present", None)),
        (TriggerPattern(variables=(("EMPTY", False),)), ("variables.EMPTY", "absent", "")),
        (TriggerPattern(variables=(("OTHER", "x"),)), ("variables.OTHER", "x", None)),
        (TriggerPattern(inputs=(("replicas", 2),)), ("inputs.replicas", 2, 3)),
        (TriggerPattern(inputs=(("replicas", True),)), ("inputs.replicas", True, 3)),
        (
            TriggerPattern(inputs=(("replicas", {"present": False}),)),
            ("inputs.replicas", "absent", 3),
        ),
        (TriggerPattern(inputs=(("a", {"present": True}),)), ("inputs.a", "present", None)),
    ],
)  # fmt: skip
def test_a_difference_names_what_was_wanted_and_what_came(
    pattern: TriggerPattern, difference: tuple[str, Any, Any]
):
    assert list(differences(pattern, TRIGGER)) == [difference]
    assert not matches(pattern, TRIGGER)


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (3, [3, 3.0, "3", "3.0"]),
        (1.5, [1.5, "1.5", "15e-1"]),
        (-2, [-2, "-2"]),
        (True, [True, "true"]),
        (False, [False, "false"]),
        ("", [""]),
        ("a*", ["a", "abc"]),
        (None, [None]),
        ([1, "a", False], [[1, "a", False], ["1", "a", "false"]]),
        ([], [[]]),
        ([{"a": 1}], [[{"a": 1}], [{"a": "1"}]]),
        ({"present": True}, [False, None, "", 0, []]),
    ],
)
def test_an_input_is_matched_by_its_value_whether_sent_as_json_or_as_text(
    wanted: Any, sent: list[Any]
):
    pattern = TriggerPattern(inputs=(("a", wanted),))

    assert [matches(pattern, TRIGGER._replace(inputs={"a": each})) for each in sent] == [
        True
    ] * len(sent)


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (3, [True, 4, "4", "3a", "", "٣", " 3", "nan", None, [3], {}]),
        (1, [True, "true"]),
        (0, [False, "false", ""]),
        (True, [1, "1", "True", "yes", False, "false", None]),
        (False, [0, "", "0", None, True, "true"]),
        ("3", [3]),
        ("true", [True]),
        (None, ["", 0, False]),
        ([1], [[], [1, 1], ["2"], [True], "1", 1, {"0": 1}]),
        ([{"a": 1}], [[{}], [{"b": 1}], [{"a": 1, "b": 1}], [1], [[]]]),
        ({"present": False}, [True, None, ""]),
    ],
)
def test_an_input_of_another_value_does_not_match(wanted: Any, sent: list[Any]):
    pattern = TriggerPattern(inputs=(("a", wanted),))

    assert [each for each in sent if matches(pattern, TRIGGER._replace(inputs={"a": each}))] == []


def test_an_input_may_be_missing_on_demand():
    absent = TriggerPattern(inputs=(("a", {"present": False}),))

    assert matches(absent, TRIGGER)
    assert not matches(TriggerPattern(inputs=(("a", False),)), TRIGGER)


@pytest.mark.parametrize(
    ("cycle", "given"), [(False, [1, 2, 3, 3, 3, 3, 3]), (True, [1, 2, 3, 1, 2, 3, 1])]
)
def test_a_sequence_repeats_its_last_or_starts_over(cycle: bool, given: list[int]):
    rule = Rule("a", TriggerPattern(), scenarios=(1, 2, 3), cycle=cycle)

    assert [next_of_sequence(rule, before) for before in range(7)] == given
    assert next_of_sequence(Rule("a", TriggerPattern()), 0) is None


def test_every_condition_on_a_request_that_is_not_met_is_listed():
    pattern = RequestPattern("post", "/user", "get_pipeline", status=200)
    answered = replace(LOGGED, operation="get_job", status=404)

    assert list(differences(pattern, answered)) == [
        ("method", "POST", "GET"),
        ("path", "/user", "/projects/42/pipelines/7"),
        ("operation", "get_pipeline", "get_job"),
        ("status", 200, 404),
    ]


def test_the_nearest_misses_come_first_and_matches_are_left_out():
    pattern = RequestPattern(method="POST", path="/projects/42/pipeline", ref="main")
    far = LoggedRequest("GET", "/user", "", 0)
    near = LoggedRequest("POST", "/projects/42/pipeline", "", 0, ref="other")
    unsaid = LoggedRequest("POST", "/projects/42/pipeline", "", 0)
    match = LoggedRequest("POST", "/projects/42/pipeline", "", 0, ref="main")

    misses = near_misses(pattern, [far, match, unsaid, near])

    assert [miss.request for miss in misses] == [near, unsaid]
    assert misses[0].differences == [("ref", "main", "other")]
    assert [miss.request for miss in near_misses(pattern, [match, far])] == [far]


def test_misses_that_are_alike_are_one_that_counts():
    pattern = RequestPattern(path="/projects/*/pipeline", ref="main")
    polls = [LoggedRequest("GET", "/user", "", at) for at in range(9)]
    missed = [LoggedRequest("POST", "/projects/1/pipeline", "", at, ref="other") for at in range(4)]

    (miss,) = near_misses(pattern, [*polls, *missed])

    assert (miss.request.at, miss.times) == (0, 4)
    assert near_misses(pattern, polls)[0].times == 9


def test_a_journal_keeps_the_newest_and_counts_on():
    journal = Journal(2)
    for number in range(3):
        journal.add(LoggedRequest("GET", f"/{number}", "", 0))

    kept = [(call.id, call.path) for call in journal.find(RequestPattern())]
    journal.resize(1)

    assert kept == [(3, "/2"), (2, "/1")]
    assert [call.id for call in journal.newest_first()] == [3]
    journal.clear()
    assert journal.find(RequestPattern()) == []
    for number in range(2):
        journal.add(LoggedRequest("GET", f"/{number}", "", 0))
    assert [(call.id, call.path) for call in journal.newest_first()] == [(2, "/1")]
