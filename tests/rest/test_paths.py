"""Segments of a path, as they were sent."""

from __future__ import annotations

import pytest

from mock_gitlab.rest.errors import ApiError
from mock_gitlab.rest.paths import decode_segment, path_integer


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("group%2Fapp", "group/app"),
        ("group%2fsub%2fapp", "group/sub/app"),
        ("a%252Fb", "a%2Fb"),
        ("a%20b+c", "a b+c"),
        ("v1.2", "v1.2"),
        ("gr%C3%B6%C3%9Fe", "größe"),
        ("größe".encode().decode("latin-1"), "größe"),
        ("100%", "100%"),
        ("", ""),
    ],
)
def test_a_segment_is_decoded_exactly_once(raw: str, text: str):
    assert decode_segment(raw) == text


@pytest.mark.parametrize("raw", ["%ff", "a%C3", "\xff"])
def test_a_segment_that_is_no_utf8_is_400(raw: str):
    with pytest.raises(ApiError) as caught:
        decode_segment(raw)
    assert caught.value.status == 400
    assert caught.value.body == {"error": "the parameters are not valid UTF-8"}


@pytest.mark.parametrize("raw", ["a%00b", "\0", "a\0b", "a\0%20"])
def test_a_null_byte_in_a_segment_is_400(raw: str):
    with pytest.raises(ApiError) as caught:
        decode_segment(raw)
    assert (caught.value.status, caught.value.body) == (
        400,
        {"error": "the path contains a null byte"},
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("-5", -5), ("0", 0), ("-0", 0), ("007", 7), ("%37", 7), ("0" * 5000 + "7", 7)],
)
def test_a_number_in_a_path_is_written_in_digits(text: str, number: int):
    assert path_integer(text) == number


@pytest.mark.parametrize("text", [str(2**63), str(-(2**64)), "1" * 40])
def test_a_number_past_64_bits_is_still_a_number(text: str):
    assert path_integer(text) == int(text)


@pytest.mark.parametrize("digits", [41, 50, 5000])
def test_a_number_however_long_is_one_that_nothing_has(digits: int):
    large, small = path_integer("1" * digits), path_integer("-" + "1" * digits)
    assert large is not None
    assert small is not None
    assert (large > 2**64, small < -(2**64)) == (True, True)


@pytest.mark.parametrize(
    "text", ["abc", "1.5", "", "-", "+1", "1a", "7%0A", "%D9%A3", "1%2F2", "1_0", " 1"]
)
def test_what_is_no_number_is_none(text: str):
    assert path_integer(text) is None
