"""Brackets in the keys of forms, nested as Rack does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_gitlab.rest.body import parse
from mock_gitlab.rest.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("text", "nested"),
    [
        ("a[b]=1", {"a": {"b": "1"}}),
        ("a[b]=1&a[c]=2", {"a": {"b": "1", "c": "2"}}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("a[b]=1&a[b]=2", {"a": {"b": "2"}}),
        ("a[b]=", {"a": {"b": ""}}),
        ("a%5Bb%5D=1", {"a": {"b": "1"}}),
    ],
)
def test_a_name_in_brackets_is_a_key_of_a_hash(text: str, nested: Any):
    assert parse(text.encode(), None, b"") == nested


@pytest.mark.parametrize(
    ("text", "nested"),
    [
        ("a[]=1", {"a": ["1"]}),
        ("a[]=1&a[]=2&a[]=1", {"a": ["1", "2", "1"]}),
        ("a[b][]=1&a[b][]=2", {"a": {"b": ["1", "2"]}}),
    ],
)
def test_empty_brackets_append(text: str, nested: Any):
    assert parse(text.encode(), None, b"") == nested


@pytest.mark.parametrize(
    ("text", "nested"),
    [
        ("a[][k]=1&a[][v]=2", [{"k": "1", "v": "2"}]),
        ("a[][k]=1&a[][v]=2&a[][k]=3&a[][v]=4", [{"k": "1", "v": "2"}, {"k": "3", "v": "4"}]),
        ("a[][k]=1&a[][k]=2", [{"k": "1"}, {"k": "2"}]),
        ("a[][k]=1&a[][v][w]=2&a[][v][w]=3", [{"k": "1", "v": {"w": "2"}}, {"v": {"w": "3"}}]),
        ("a[][k][]=1&a[][k][]=2", [{"k": ["1", "2"]}]),
        ("a[]=1&a[][k]=2", ["1", {"k": "2"}]),
    ],
)
def test_a_key_that_the_last_hash_holds_begins_the_next(text: str, nested: Any):
    assert parse(text.encode(), None, b"") == {"a": nested}


def test_numbers_in_brackets_are_keys_until_an_array_is_declared():
    assert parse(b"a[0][k]=1&a[1][k]=2", None, b"") == {"a": {"0": {"k": "1"}, "1": {"k": "2"}}}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a=1&a[b]=2", "expected Hash (got String) for param `a'"),
        ("a[]=1&a[b]=2", "expected Hash (got Array) for param `a'"),
        ("a=1&a[]=2", "expected Array (got String) for param `a'"),
        ("a[b]=1&a[]=2", "expected Array (got Hash) for param `a'"),
        ("a[b]=1&a[b][c]=2", "expected Hash (got String) for param `b'"),
        ("a[][k]=1&a[][k][w]=2", "expected Hash (got String) for param `k'"),
    ],
)
def test_a_parameter_of_two_shapes_is_400(text: str, error: str):
    with pytest.raises(ApiError) as caught:
        parse(text.encode(), None, b"")
    assert (caught.value.status, caught.value.body) == (400, {"error": error})


def test_a_plain_value_replaces_a_nested_one():
    assert parse(b"a[b]=1&a=2", None, b"") == {"a": "2"}


@pytest.mark.parametrize("key", ["[a]", "a[b", "a]b", "a[b]c", "[]", "[", "a[[b]]", "a[b]]"])
def test_brackets_that_do_not_pair_are_part_of_the_name(key: str):
    assert parse(f"{key}=1".encode(), None, b"") == {key: "1"}


def test_31_brackets_after_a_name_are_taken():
    assert "a" in parse(b"a" + b"[b]" * 31 + b"=1", None, b"")


@pytest.mark.parametrize("bracket", [b"[b]", b"[]"])
@pytest.mark.parametrize("count", [32, 50_000])
def test_more_brackets_are_400(bracket: bytes, count: int):
    with pytest.raises(ApiError) as caught:
        parse(b"a" + bracket * count + b"=1", None, b"")
    assert caught.value.body == {"error": "the parameters are nested too deep"}


def test_the_query_and_the_body_nest_each_for_itself():
    assert parse(b"v[A]=1", FORM, b"v[B]=2") == {"v": {"B": "2"}}


# ---------------------------------------------------------------------------- forms and JSON

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
NAMES = st.text(
    st.characters(exclude_characters="\0[]", exclude_categories=["Cs"]), min_size=1, max_size=4
)
VALUES = st.recursive(
    TEXTS | st.lists(TEXTS, min_size=1, max_size=3),
    lambda inner: (
        st.dictionaries(NAMES, inner, min_size=1, max_size=3)
        | st.lists(
            st.fixed_dictionaries({"key": TEXTS, "value": TEXTS, "more": inner}),
            min_size=1,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def pairs(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        # In an array each hash begins with the key that they all have; else none would begin anew.
        for name, item in sorted(value.items(), key=lambda item: item[0] != "key"):
            yield from pairs(f"{key}[{name}]", item)
    elif isinstance(value, list):
        for item in value:
            yield from pairs(f"{key}[]", item)
    else:
        yield f"{quote_plus(key)}={quote_plus(value)}"


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_form_and_json_of_the_same_value_are_the_same(value: dict[str, Any]):
    form = "&".join(text for key, item in value.items() for text in pairs(key, item)).encode()
    as_json = parse(b"", "application/json", json.dumps(value).encode())
    assert parse(b"", FORM, form) == as_json == parse(form, None, b"") == value
