"""Which rule a trigger gets, however many there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_gitlab.engine.matching import Rule, Trigger, TriggerPattern, matches
from mock_gitlab.engine.rule_index import RuleIndex

TRIGGER = Trigger(
    project_id=42,
    project_path="group/app",
    ref="release/1.0",
    tag=False,
    source="trigger",
    username="root",
    variables={"ENV": "prod"},
    inputs={},
)
refs = st.sampled_from(("a", "b", "refs/heads/a", "refs/tags/a"))
names = st.sampled_from(("A", "B"))
triggers = st.builds(
    Trigger,
    project_id=st.sampled_from((4, 42)),
    project_path=st.sampled_from(("group/app", "Group/App", "42")),
    ref=refs,
    tag=st.booleans(),
    source=st.just("trigger"),
    username=st.just("root"),
    variables=st.dictionaries(names, st.sampled_from(("1", "2")), max_size=2),
    inputs=st.just({}),
)
patterns = st.builds(
    TriggerPattern,
    project=st.none() | st.sampled_from(("42", "042", "group/app", "group/*", "**", "/a/")),
    ref=st.none() | refs | st.sampled_from(("*", "/a|b/", "refs/heads//a/", "refs/tags/*", "/")),
    variables=st.lists(
        st.tuples(names, st.booleans() | st.sampled_from(("1", "*", "/2/"))), max_size=2
    ).map(tuple),
    source=st.none() | st.sampled_from((("trigger",), ("api",))),
)


@given(st.lists(patterns, max_size=8), triggers)
def test_the_rule_is_the_first_of_all_that_match(wanted: list[TriggerPattern], trigger: Trigger):
    rules = [Rule(str(place), pattern) for place, pattern in enumerate(wanted)]

    first = next((rule for rule in rules if matches(rule.when, trigger)), None)

    assert RuleIndex(rules).choose(trigger) is first


def test_the_first_rule_that_matches_is_chosen():
    rules = [
        Rule("a", TriggerPattern(ref="main")),
        Rule("b", TriggerPattern(variables=(("ENV", "prod"),))),
        Rule("c", TriggerPattern(project="42")),
        Rule("d", TriggerPattern()),
    ]

    assert RuleIndex(rules).choose(TRIGGER) is rules[1]


def test_no_rule_may_match():
    assert RuleIndex([Rule("a", TriggerPattern(ref="main"))]).choose(TRIGGER) is None


@pytest.mark.parametrize(
    "when",
    [
        TriggerPattern(ref="release/1.0"),
        TriggerPattern(ref="refs/heads/release/1.0"),
        TriggerPattern(ref="release/*"),
        TriggerPattern(project="042"),
        TriggerPattern(project="group/app"),
        TriggerPattern(project="group/*"),
        TriggerPattern(variables=(("OTHER", False), ("ENV", "/^p/"))),
        TriggerPattern(variables=(("OTHER", False),)),
    ],
)
def test_a_rule_is_found_whatever_it_asks_for(when: TriggerPattern):
    rule = Rule("a", when)

    assert RuleIndex([rule]).choose(TRIGGER) is rule
