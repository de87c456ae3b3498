"""The language of ``rules:if``, as GitLab evaluates it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_gitlab.importers.expressions import (
    TOKENS_LIMIT,
    BadExpression,
    holds,
    parse,
    variables_of,
)

SET = {
    "A": "a",
    "B": "b",
    "EMPTY": "",
    "BLANK": "  ",
    "RE": "/^a$/",
    "RE_I": "/^A$/i",
    "ALL": "abc",
    "LINES": "ab\ncd",
}


@pytest.mark.parametrize(
    "text",
    [
        "$A",
        '$A == "a"',
        "$A == 'a'",
        '"a" == $A',
        "$ABSENT == null",
        "null == null",
        "$ABSENT == $ABSENT_TOO",
        "$A != null",
        "$EMPTY != null",
        '$EMPTY == ""',
        "$A =~ /^a$/",
        "$A =~ /^A$/i",
        "$A =~ $RE",
        "$A =~ $RE_I",
        "$B !~ $RE",
        "$ABSENT =~ /.*/",
        "$A !~ $ABSENT",
        r'"group/app" =~ /^group\/app$/',
        "$B == 'x' || $A == 'a' && $ABSENT == null",
        "$A == 'a' || $A == 'a' && $B == 'x'",
        "($B == 'x' || $A == 'a') && $B",
        "$EMPTY && $A",
        "$A == 'a' && $B == 'b' && $A != $B",
        "$A =~ $ALL",
        "$A =~ $ALL || $A",
        "true",
        "$ABSENT || true",
        '"true" =~ $TRUE || $A == "a"',
        "true =~ /^true$/",
        "/abc/",
        "/abc/ =~ /abc/",
        "$LINES =~ /^cd$/m",
    ],
)
def test_it_is_true(text: str):
    assert holds(text, SET)


@pytest.mark.parametrize(
    "text",
    [
        "$ABSENT",
        "$EMPTY",
        "$BLANK",
        "null",
        "false",
        '""',
        "$EMPTY || $A",
        '$A == "A"',
        "$A =~ $ABSENT",
        "$A == /^a$/",
        "$ABSENT == ''",
        "$A == $RE",
        "($A || $B) && $ABSENT",
        "$ABSENT && $A || $ABSENT",
        "true == $A",
        "$A !~ /a|b/",
        "'x' =~ $ALL",
        "/abc/ == /abc/",
    ],
)
def test_it_is_false(text: str):
    assert not holds(text, SET)


def test_values_of_variables_are_not_expanded():
    assert holds('$A == "$B"', {"A": "$B", "B": "b"})
    assert not holds("$A == $B", {"A": "$B", "B": "b"})


def test_a_variable_that_holds_no_regular_expression_is_text_in_which_the_left_side_is_looked_for():
    assert holds("$A =~ $B", {"A": "/[/", "B": "x/[/"})
    assert holds("$A =~ $B", {"A": "(", "B": "/((/"})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "it is empty"),
        ("${A}", "${A} is not understood (character 1); write $NAME, without braces"),
        (
            "$A =~ /a/",
            "/a/ is not understood (character 7);"
            " a regular expression has two letters at least, and an end",
        ),
        ("!$A", "!$A is not understood (character 1); there is no ! in this language"),
        ("$A = 'a'", "= 'a' is not understood (character 4)"),
        ("$A $B", "an operator is missing"),
        ("$A ==", "== at character 4 lacks an operand"),
        ("($A", "the ( at character 1 is never closed"),
        ("$A)", "the ) at character 3 closes nothing"),
        ("()", "it is empty"),
        ("$A =~ /(a/", "/(a/ is no regular expression: unclosed group"),
        ("$A =~ /(?=ab)/", "/(?=ab)/ is no regular expression: look-around"),
        ("$A" + " || $A" * 50, f"it has more than {TOKENS_LIMIT} tokens"),
        ('"' + "a" * 10_000 + '"', "it has more than 10000 characters"),
    ],
)
def test_what_gitlab_refuses_is_refused(text: str, what: str):
    with pytest.raises(BadExpression) as refused:
        parse(text)

    assert str(refused.value).startswith(what)


def test_an_expression_of_many_bars_is_read_at_once():
    with pytest.raises(BadExpression, match="is not understood"):
        parse("$A =~ /" + "\\/" * 4000)


def test_it_names_the_variables_that_it_asks_for():
    assert list(variables_of(parse("$A == 'a' && ($B || null) =~ $C"))) == ["A", "B", "C"]


# ---------------------------------------------------------------------------- precedence

OPERANDS = {"null": None, "'a'": "a", "'b'": "b", "''": "", "$A": "a", "$ABSENT": None}


def reference(operands: list[str], operators: list[str]) -> str | bool | None:
    """Evaluate without a parser: split at the weakest operator, the last of its kind first."""
    for weakest in ("||", "&&"):
        if weakest in operators:
            at = len(operators) - 1 - operators[::-1].index(weakest)
            left = reference(operands[: at + 1], operators[:at])
            decided = (left in (None, False)) == (weakest == "&&")
            return left if decided else reference(operands[at + 1 :], operators[at + 1 :])
    if not operators:
        return OPERANDS[operands[0]]
    left = reference(operands[:-1], operators[:-1])
    right = OPERANDS[operands[-1]]
    same = type(left) is type(right) and left == right
    return same if operators[-1] == "==" else not same


FLAT = st.lists(
    st.tuples(st.sampled_from(["==", "!=", "&&", "||"]), st.sampled_from(sorted(OPERANDS))),
    max_size=12,
)


@given(st.sampled_from(sorted(OPERANDS)), FLAT)
def test_comparisons_bind_first_then_and_then_or_each_from_the_left(
    first: str, rest: list[tuple[str, str]]
):
    text = " ".join([first, *(f"{operator} {operand}" for operator, operand in rest)])
    value = reference([first, *(operand for _, operand in rest)], [each for each, _ in rest])

    assert holds(text, {"A": "a"}) == (value not in (None, False, ""))


@given(st.sampled_from(sorted(OPERANDS)), FLAT)
def test_parentheses_around_all_change_nothing(first: str, rest: list[tuple[str, str]]):
    text = " ".join([first, *(f"{operator} {operand}" for operator, operand in rest)])

    assert holds(f"(({text}))", {"A": "a"}) == holds(text, {"A": "a"})


@given(st.text(alphabet="$AB()/'\"=!~&| nul\\i", max_size=30))
def test_any_text_is_either_evaluated_or_refused(text: str):
    with suppress(BadExpression):
        assert holds(text, SET) in (True, False)
