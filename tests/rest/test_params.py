"""Parameters as an endpoint declares them: typed, or refused in GitLab's words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mock_gitlab.rest.body import parse
from mock_gitlab.rest.errors import ApiError
from mock_gitlab.rest.pagination import PAGE
from mock_gitlab.rest.params import Kind, Param, Params

TRIGGER = Params(
    Param("ref", Kind.STRING, required=True, allow_blank=False),
    Param("token", Kind.STRING, required=True),
    Param("variables", Kind.HASH),
)
CREATE = Params(
    Param("ref", Kind.STRING, required=True),
    Param(
        "variables",
        Kind.ARRAY_OF_HASHES,
        items=(
            Param("key", Kind.STRING, required=True),
            Param("value", Kind.STRING),
            Param("variable_type", Kind.STRING, values=("env_var", "file"), default="env_var"),
        ),
    ),
)
LIST = Params(
    Param("scope", Kind.STRINGS, values=("running", "failed")),
    Param("status", Kind.STRING, values=("running", "failed")),
    Param("ref", Kind.STRING),
    Param("yaml_errors", Kind.BOOLEAN),
    Param("sort", Kind.STRING, values=("asc", "desc"), default="desc"),
    *PAGE,
)


def read(kind: Kind, value: Any, **more: Any) -> Any:
    return Params(Param("p", kind, **more)).check({"p": value})["p"]


def refusal(params: Params, given: dict[str, Any]) -> str:
    with pytest.raises(ApiError) as caught:
        params.check(given)
    assert caught.value.status == 400
    assert list(caught.value.body) == ["error"]
    return str(caught.value.body["error"])


def refused(kind: Kind, value: Any, **more: Any) -> str:
    return refusal(Params(Param("p", kind, **more)), {"p": value})


# ---------------------------------------------------------------------------- presence


def test_every_declared_parameter_has_a_value_or_its_default():
    assert LIST.check({}) == {
        "scope": None, "status": None, "ref": None, "yaml_errors": None, "sort": "desc",
        "page": 1, "per_page": 20,
    }  # fmt: skip


def test_what_is_not_declared_is_left_aside():
    assert Params(Param("a", Kind.STRING)).check({"a": "1", "b": "2"}) == {"a": "1"}


def test_an_answer_may_be_changed_without_changing_the_next():
    LIST.check({})["sort"] = "asc"
    assert LIST.check({})["sort"] == "desc"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"token": "t"}, "ref is missing, ref is empty"),
        ({"token": "t", "ref": ""}, "ref is empty"),
        ({"token": "t", "ref": " \t"}, "ref is empty"),
        ({"token": "t", "ref": None}, "ref is empty"),
        ({"ref": "main"}, "token is missing"),
        ({}, "ref is missing, ref is empty, token is missing"),
        ({"token": "t", "ref": "main", "variables": "x"}, "variables is invalid"),
        ({"ref": "", "variables": []}, "ref is empty, token is missing, variables is invalid"),
    ],
)
def test_all_that_is_wrong_is_named_in_the_order_of_declaration(given: dict[str, Any], error: str):
    assert refusal(TRIGGER, given) == error


def test_a_required_parameter_may_be_blank_unless_that_is_refused():
    found = TRIGGER.check({"ref": "main", "token": ""})
    assert found == {"ref": "main", "token": "", "variables": None}


def test_a_null_is_not_missing():
    assert read(Kind.STRING, None, required=True) == ""


def test_an_optional_parameter_that_must_not_be_blank_may_be_left_out():
    params = Params(Param("p", Kind.STRING, allow_blank=False))
    assert params.check({}) == {"p": None}
    assert refusal(params, {"p": ""}) == "p is empty"


# ---------------------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("value", "text"), [("x", "x"), ("", ""), (12, "12"), (1.5, "1.5"), (True, "true"),
                        (False, "false")],
)  # fmt: skip
def test_a_text_may_be_written_as_a_json_number_or_boolean(value: Any, text: str):
    assert read(Kind.STRING, value) == text


@pytest.mark.parametrize("value", [{}, {"a": "b"}, [], ["a"]])
def test_a_hash_or_an_array_is_no_text(value: Any):
    assert refused(Kind.STRING, value) == "p is invalid"


@pytest.mark.parametrize("value", ["unknown", "RUNNING", "", 1])
def test_a_text_outside_the_allowed_ones_has_no_valid_value(value: Any):
    assert refusal(LIST, {"status": value}) == "status does not have a valid value"


def test_a_null_is_none_of_the_values_and_counts_as_left_out():
    assert LIST.check({"status": None, "sort": None})["sort"] == "desc"


def test_a_blank_text_without_allowed_values_stays_blank():
    assert LIST.check({"ref": ""})["ref"] == ""


# ---------------------------------------------------------------------------- integers, numbers


@pytest.mark.parametrize(
    ("value", "number"),
    [("12", 12), ("-12", -12), ("+12", 12), ("007", 7), ("0", 0), (12, 12), (-1, -1),
     (str(2**63 - 1), 2**63 - 1), (str(-(2**63)), -(2**63)), (2**63 - 1, 2**63 - 1)],
)  # fmt: skip
def test_an_integer_is_written_in_decimal_digits(value: Any, number: Any):
    assert read(Kind.INTEGER, value) == number


@pytest.mark.parametrize(
    "value",
    ["abc", "1.5", "1.0", "1_0", "0x1", " 1", "1\n", "1e3", "-", "--1", "\u0663", 1.5, 1.0, True,
     False, [], [1], {}, {"a": 1}, 2**63, -(2**63) - 1, str(2**63), "9" * 41, "9" * 5000],
)  # fmt: skip
def test_anything_else_is_no_integer(value: Any):
    assert refused(Kind.INTEGER, value) == "p is invalid"


@pytest.mark.parametrize(
    ("value", "number"),
    [("1", 1.0), ("1.5", 1.5), ("-.5", -0.5), ("2.", 2.0), ("1e3", 1000.0), (3, 3.0), (0.25, 0.25)],
)
def test_a_number_may_have_a_fraction(value: Any, number: Any):
    found = read(Kind.NUMBER, value)
    assert (found, type(found)) == (number, float)


@pytest.mark.parametrize(
    "value",
    ["x", "nan", "inf", "-Infinity", "1_0", " 1", "\u0663", "1e999", 10**400, True, [], {}, "."],
)
def test_what_is_no_finite_number_is_invalid(value: Any):
    assert refused(Kind.NUMBER, value) == "p is invalid"


@pytest.mark.parametrize("kind", [Kind.NUMBER, Kind.INTEGER])
def test_a_number_beyond_its_bounds_has_no_valid_value(kind: Kind):
    bounds = {"minimum": 0, "maximum": 10}
    assert [read(kind, value, **bounds) for value in ("0", "10")] == [0, 10]
    assert refused(kind, "-1", **bounds) == "p does not have a valid value"
    assert refused(kind, "11", **bounds) == "p does not have a valid value"


# ---------------------------------------------------------------------------- booleans


@pytest.mark.parametrize("value", [True, 1, "true", "1", "t", "on"])
def test_what_is_true(value: Any):
    assert read(Kind.BOOLEAN, value) is True


@pytest.mark.parametrize("value", [False, 0, "false", "0", "f", "off"])
def test_what_is_false(value: Any):
    assert read(Kind.BOOLEAN, value, default=True) is False


@pytest.mark.parametrize("value", ["maybe", "2", " true", 2, 1.0, [], {}, [True]])
def test_anything_else_is_no_boolean(value: Any):
    assert refusal(LIST, {"yaml_errors": value}) == "yaml_errors is invalid"


# ---------------------------------------------------------------------------- moments


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01", 1767225600000),
        ("2026-01-01T00:00:00Z", 1767225600000),
        ("2026-01-01T00:00:00", 1767225600000),
        ("2026-01-01 00:00:00", 1767225600000),
        ("2026-01-01T02:00", 1767232800000),
        ("2026-01-01T02:00:00+02:00", 1767225600000),
        ("2025-12-31T19:00:00-0500", 1767225600000),
        ("2026-01-01T00:00:00.1Z", 1767225600100),
        ("2026-01-01T00:00:00.123Z", 1767225600123),
        ("2026-01-01T00:00:00.123999Z", 1767225600123),
        ("1969-12-31T23:59:59.999Z", -1),
        ("0001-01-01", -62135596800000),
        ("9999-12-31T23:59:59.999Z", 253402300799999),
    ],
)
def test_a_moment_is_milliseconds_in_utc(text: str, moment: int):
    assert read(Kind.DATETIME, text) == moment


@pytest.mark.parametrize(
    "value",
    ["abc", "01/01/2050", "25/26/27", "2308", "2026-13-01", "2026-02-30", "2026-W01-1", "20260101",
     "2026-01-01x00:00", "2026-01-01T", "2026-01-01T25:00:00Z", "yesterday", 1767225600, True, [],
     {}, "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00",
     "\u0662\u0660\u0662\u0666-01-01"],
)  # fmt: skip
def test_what_is_no_moment_of_the_years_1_to_9999_is_invalid(value: Any):
    assert refused(Kind.DATETIME, value) == "p is invalid"


# ---------------------------------------------------------------------------- blanks


@pytest.mark.parametrize(
    "kind", [Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.DATETIME, Kind.HASH,
             Kind.ARRAY_OF_HASHES],
)  # fmt: skip
@pytest.mark.parametrize("value", ["", None])
def test_a_blank_that_is_to_be_no_text_counts_as_left_out(kind: Kind, value: Any):
    assert read(kind, value, default="the default") == "the default"


# ---------------------------------------------------------------------------- hashes, arrays


def test_a_hash_keeps_its_values_as_they_came():
    assert read(Kind.HASH, {"a": 1, "b": [None]}) == {"a": 1, "b": [None]}


@pytest.mark.parametrize("value", ["x", 1, True, [], [{"a": "b"}]])
def test_what_is_no_hash_is_invalid(value: Any):
    assert refused(Kind.HASH, value) == "p is invalid"


@pytest.mark.parametrize(
    ("value", "texts"),
    [("failed", ["failed"]), (["failed", "running"], ["failed", "running"]), ([], [])],
)
def test_one_text_or_an_array_are_texts(value: Any, texts: list[str]):
    assert LIST.check({"scope": value})["scope"] == texts


def test_the_values_of_a_hash_are_texts_only_where_the_parameter_takes_one():
    value = {"0": "failed", "1": "running"}
    assert read(Kind.STRINGS_OF_HASH, value) == ["failed", "running"]
    assert refused(Kind.STRINGS, value) == "p is invalid"


@pytest.mark.parametrize("value", ["x", "", ["running", "x"], [""]])
def test_one_text_outside_the_allowed_ones_spoils_them_all(value: Any):
    assert refusal(LIST, {"scope": value}) == "scope does not have a valid value"


@pytest.mark.parametrize("value", [[["running"]], [{"a": "running"}], [None]])
def test_texts_within_texts_are_invalid(value: Any):
    assert refusal(LIST, {"scope": value}) == "scope is invalid"


def test_the_fields_of_each_hash_are_typed_and_have_defaults():
    given = {"ref": "main", "variables": [{"key": "A", "value": 1, "other": "x"}]}
    assert CREATE.check(given)["variables"] == [
        {"key": "A", "value": "1", "variable_type": "env_var"}
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"ref=main&variables[][key]=A&variables[][value]=1&variables[][key]=B&variables[][value]=2",
        b"ref=main&variables[1][key]=B&variables[0][key]=A&variables[0][value]=1&variables[1][value]=2",
        b"ref=main&variables[10][key]=B&variables[9][key]=A&variables[9][value]=1&variables[10][value]=2",
    ],
)
def test_a_form_may_count_an_arrays_hashes_or_not(text: bytes):
    found = CREATE.check(parse(text, None, b""))["variables"]
    assert [(each["key"], each["value"]) for each in found] == [("A", "1"), ("B", "2")]


@pytest.mark.parametrize(
    "value",
    ["x", 1, {}, {"A": "1"}, {"0": "x"}, {"0": {"key": "A"}, "x": {"key": "B"}}, ["x"], [[]],
     [None], {"\u0663": {"key": "A"}}, {"9" * 5000: {"key": "A"}}],
)  # fmt: skip
def test_what_is_no_array_of_hashes_is_invalid(value: Any):
    assert refusal(CREATE, {"ref": "main", "variables": value}) == "variables is invalid"


def test_an_empty_array_is_no_hashes():
    assert CREATE.check({"ref": "main", "variables": []})["variables"] == []


@pytest.mark.parametrize(
    ("items", "error"),
    [
        (
            [{"key": "A", "variable_type": "x"}],
            "variables[0][variable_type] does not have a valid value",
        ),
        ([{"key": "A"}, {"value": "1"}], "variables[1][key] is missing"),
        (
            [{"value": []}, {"key": {}}],
            "variables[0][key] is missing, variables[0][value] is invalid, "
            "variables[1][key] is invalid",
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_place(items: list[Any], error: str):
    assert refusal(CREATE, {"ref": "main", "variables": items}) == error


# ---------------------------------------------------------------------------- pages


@pytest.mark.parametrize(("asked", "page"), [("3", 3), (3, 3), ("0", 1), ("-2", 1), ("", 1)])
def test_a_page_below_the_first_is_the_first(asked: Any, page: int):
    assert LIST.check({"page": asked})["page"] == page


@pytest.mark.parametrize(
    ("asked", "size"),
    [("1", 1), ("100", 100), ("101", 100), ("500", 100), ("-1", 20), ("", 20), (None, 20)],
)
def test_a_page_has_100_rows_at_most_and_a_negative_number_is_the_default(asked: Any, size: int):
    assert LIST.check({"per_page": asked})["per_page"] == size


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"per_page": "0"}, "per_page has a value not allowed"),
        ({"per_page": 0}, "per_page has a value not allowed"),
        ({"per_page": "abc"}, "per_page is invalid"),
        ({"page": "x"}, "page is invalid"),
        ({"page": "x", "per_page": "0"}, "page is invalid, per_page has a value not allowed"),
        ({"page": str(2**64)}, "page is invalid"),
    ],
)
def test_what_is_no_page_is_refused(given: dict[str, Any], error: str):
    assert refusal(LIST, given) == error


# ---------------------------------------------------------------------------- schemas


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (Kind.STRING, {"type": "string"}),
        (Kind.INTEGER, {"type": "integer"}),
        (Kind.NUMBER, {"type": "number"}),
        (Kind.BOOLEAN, {"type": "boolean"}),
        (Kind.DATETIME, {"type": "string", "format": "date-time"}),
        (Kind.HASH, {"type": "object"}),
        (Kind.STRINGS, {"type": "array", "items": {"type": "string"}}),
    ],
)
def test_each_kind_has_its_schema(kind: Kind, schema: dict[str, Any]):
    assert Param("p", kind).schema() == schema


def test_a_schema_tells_all_that_is_declared():
    param = Param(
        "p", Kind.STRING, allow_blank=False, values=("a", "b"), default="a",
        description="One of two.", example="b",
    )  # fmt: skip
    assert param.schema() == {
        "type": "string", "enum": ["a", "b"], "default": "a", "minLength": 1,
        "description": "One of two.", "examples": ["b"],
    }  # fmt: skip


def test_a_schema_tells_the_bounds_of_a_number():
    schema = Param("p", Kind.INTEGER, minimum=0, maximum=9, allow_blank=False).schema()
    assert schema == {"type": "integer", "minimum": 0, "maximum": 9}


def test_the_values_of_texts_are_those_of_each():
    schema = Param("p", Kind.STRINGS, values=("a",)).schema()
    assert schema == {"type": "array", "items": {"type": "string", "enum": ["a"]}}


def test_a_schema_tells_the_fields_of_an_arrays_hashes():
    items = (Param("key", Kind.STRING, required=True), Param("value", Kind.STRING))
    assert Param("p", Kind.ARRAY_OF_HASHES, items=items).schema() == {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"key": {"type": "string"}, "value": {"type": "string"}},
            "required": ["key"],
        },
    }


@pytest.mark.parametrize("kind", Kind)
def test_every_schema_is_a_schema(kind: Kind):
    Draft202012Validator.check_schema(Param("p", kind, values=("a",), example="a").schema())


# ---------------------------------------------------------------------------- whatever is given

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
    | st.sampled_from(["2026-01-01", "1", "-1", "true", "running"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(Kind), ANYTHING)
def test_whatever_is_given_is_a_value_or_is_refused_by_name(kind: Kind, value: Any):
    params = Params(Param("p", kind, items=(Param("key", Kind.STRING, required=True),)))
    try:
        names = list(params.check({"p": value}))
    except ApiError as error:
        names = [error.body["error"][0]]
    assert names == ["p"]
