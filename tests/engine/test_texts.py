"""What globs and regular expressions match, and that they are always fast."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.engine.texts import (
    NoExpression,
    check_expression,
    matches_path,
    matches_text,
    split_ref,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("main", "main", True),
        ("main", "maint", False),
        ("release/*", "release/1/2", True),
        ("*", "", True),
        ("v*.*", "v1.0", True),
        ("a.c", "abc", False),
        ("/^v\\d+$/", "v12", True),
        ("/^v\\d+$/", "v12-rc", False),
        ("/rc/", "v12-rc1", True),
        ("/", "/", True),
        ("a*a", "a", False),
        ("*a*b", "abab", True),
        ("*ab*b", "cab", False),
        ("two\nlines*", "two\nlines and more", True),
        ("/^a$/", "a\n", False),
        ("/É\\w/", "ÉÖ", True),
    ],
)
def test_text_is_matched_by_globs_and_regular_expressions(pattern: str, text: str, matches: bool):
    assert matches_text(pattern, text) is matches


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/projects/*/pipelines/*", "/projects/1/pipelines/7", True),
        ("/projects/*/pipelines/*", "/projects/1/pipelines/7/jobs", False),
        ("/projects/**", "/projects/1/pipelines/7/jobs", True),
        ("/projects/*", "/projects/group%2Fapp", True),
        ("/user", "/users", False),
        ("/*a/*b", "/xaa/b", True),
        ("/*a/*b", "/a/a/b", False),
        ("/**a*b", "/a/ab", True),
        ("/**.git/**", "/group/app.git/info", True),
    ],
)
def test_a_star_in_a_path_stays_between_slashes(pattern: str, path: str, matches: bool):
    assert matches_path(pattern, path) is matches


# Whoever backtracks needs longer for these than the sun will shine; no assertion on time is needed.
@pytest.mark.parametrize("pattern", ["/^(a+)+$/", "/^(a|aa)+$/", "/(.*a){30}b/", "*a" * 30 + "b"])
def test_no_text_takes_a_pattern_long(pattern: str):
    assert not matches_text(pattern, "a" * 5000 + "!")


@pytest.mark.parametrize("pattern", ["/" + "*a" * 30 + "b", "/" + "**a" * 30 + "b"])
def test_no_path_takes_a_glob_long(pattern: str):
    assert not matches_path(pattern, "/" + "a" * 5000)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("/(/", "unclosed group"),
        ("/^(?!main$)/", "look-around, including look-ahead and look-behind, is not supported"),
        ("/(a)\\1/", "backreferences are not supported"),
        ("/(a{1000}){1000}/", "compiled regex exceeds size limit of 10485760 bytes"),
    ],
)
def test_what_cannot_be_searched_for_quickly_is_refused(pattern: str, reason: str):
    with pytest.raises(NoExpression) as refused:
        check_expression(pattern)
    assert str(refused.value) == reason


@pytest.mark.parametrize("pattern", ["(", "/(", "/", "*(*", ""])
def test_a_glob_is_always_well(pattern: str):
    check_expression(pattern)


@pytest.mark.parametrize(
    ("ref", "parts"),
    [
        ("main", ("main", None)),
        ("refs/heads/a/b", ("a/b", False)),
        ("refs/tags/v1", ("v1", True)),
        ("refs/heads/", ("", False)),
        ("refs/merge-requests/1/head", ("refs/merge-requests/1/head", None)),
        ("/refs/tags/", ("/refs/tags/", None)),
    ],
)
def test_a_full_ref_says_whether_it_is_a_tag(ref: str, parts: tuple[str, bool | None]):
    assert split_ref(ref) == parts


def test_an_expression_that_takes_long_to_compile_is_refused():
    with pytest.raises(NoExpression, match="more than 10000 characters"):
        check_expression(f"/{'a?' * 5000}/")


LONG = "a" * 30


@pytest.mark.parametrize("matches", [matches_text, matches_path])
@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (f"{LONG}*", f"{LONG}b", True),
        (f"{LONG}*", LONG, True),
        (f"{LONG}*{LONG}", LONG, False),
        (f"*{LONG}", f"b{LONG}", True),
        (f"*{LONG}b*c", f"{LONG}{LONG}bbc", True),
        (f"*{LONG}b*c", f"{LONG}{LONG}c", False),
        (f"x/*{LONG}", f"x/b{LONG}", True),
        (f"x/*{LONG}", f"y/b{LONG}", False),
    ],
)
def test_a_glob_with_long_parts_means_the_same(
    matches: Callable[[str, str], bool], pattern: str, text: str, expected: bool
):
    assert matches(pattern, text) is expected


def test_a_star_in_a_long_path_stops_at_a_slash():
    assert not matches_path(f"*{LONG}", f"b/{LONG}")
    assert matches_text(f"*{LONG}", f"b/{LONG}")


def test_a_long_text_and_a_long_glob_are_matched_in_linear_time():
    text, pattern = "a" * 900_000, f"*{'a' * 2000}b*"
    started = perf_counter()
    assert not matches_text(pattern, text)
    assert not matches_path(pattern, text)
    assert perf_counter() - started < 0.5
