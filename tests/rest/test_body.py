"""Query, form, multipart and JSON, read as one set of parameters."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_gitlab.rest.body import parse
from mock_gitlab.rest.errors import ApiError

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=frontier"
JSON = "application/json"
UNREADABLE = (
    "message body does not match declared format: The JSON object in the body cannot be read"
)


def part(name: str, value: bytes, more: str = "") -> bytes:
    head = f'--frontier\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def refused(query: bytes, content_type: str | None, body: bytes) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        parse(query, content_type, body)
    assert list(caught.value.body) == ["error"]
    return caught.value.status, caught.value.body["error"]


# ---------------------------------------------------------------------------- one set


def test_nothing_sent_is_no_parameters():
    assert parse(b"", None, b"") == {}


def test_a_content_type_without_a_body_is_not_looked_at():
    assert parse(b"a=1", "text/plain", b"") == {"a": "1"}


def test_query_and_body_are_one_set():
    assert parse(b"ref=main", JSON, b'{"token": "t"}') == {"ref": "main", "token": "t"}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"ref=body"),
        (JSON, b'{"ref": "body"}'),
        (MULTIPART, part("ref", b"body") + b"--frontier--\r\n"),
    ],
)
def test_the_body_beats_the_query(content_type: str | None, body: bytes):
    assert parse(b"ref=query", content_type, body) == {"ref": "body"}


def test_the_last_of_a_repeated_key_wins():
    assert parse(b"ref=a&ref=b", None, b"") == {"ref": "b"}


def test_a_key_without_a_value_is_blank():
    assert parse(b"ref&sha=", None, b"") == {"ref": "", "sha": ""}


def test_empty_pairs_and_empty_keys_are_left_aside():
    assert parse(b"&&a=1&=2&", None, b"") == {"a": "1"}


def test_plus_and_percent_are_decoded_once():
    assert parse(b"a=x+y%20z%252F%C3%A9", None, b"") == {"a": "x y z%2Fé"}


@given(st.text(alphabet="ab=&%+;3dC29Zé", max_size=30).filter(lambda text: "%00" not in text))
def test_a_query_is_read_as_python_reads_it(text: str):
    try:
        expected = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        assert refused(text.encode(), None, b"")[1] == "the parameters are not valid UTF-8"
    else:
        assert parse(text.encode(), None, b"") == {key: v for key, v in expected if key}


# ---------------------------------------------------------------------------- content types


@pytest.mark.parametrize("content_type", ["text/plain", "text/plain; charset=utf-8", "TEXT/PLAIN"])
def test_another_content_type_is_415_by_its_name(content_type: str | None):
    expected = "The provided content-type 'text/plain' is not supported."
    assert refused(b"", content_type, b"ref=main") == (415, expected)


@pytest.mark.parametrize("content_type", [None, "", " ", ";"])
def test_a_body_of_no_type_is_json_if_it_parses(content_type: str | None):
    assert parse(b"", content_type, b'{"ref": "main"}') == {"ref": "main"}


@pytest.mark.parametrize("content_type", [None, ""])
def test_a_body_of_no_type_that_is_no_json_is_415(content_type: str | None):
    expected = "The provided content-type '' is not supported."
    assert refused(b"", content_type, b"ref=main") == (415, expected)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/ld+json"]
)
def test_json_is_known_by_its_type_whatever_follows_it(content_type: str | None):
    assert parse(b"", content_type, b'{"a": [1]}') == {"a": [1]}


def test_a_form_is_known_with_its_charset():
    assert parse(b"", f"{FORM}; charset=UTF-8", b"a=1") == {"a": "1"}


# ---------------------------------------------------------------------------- JSON


def test_json_keeps_its_types():
    body = b'{"a": 1, "b": 1.5, "c": true, "d": null, "e": {"f": ["g"]}}'
    assert parse(b"", JSON, body) == {
        "a": 1, "b": 1.5, "c": True, "d": None, "e": {"f": ["g"]},
    }  # fmt: skip


def test_json_may_begin_with_a_byte_order_mark():
    assert parse(b"", JSON, b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b" ",
        b'{"a": 1} x',
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a": "\0"}',
        '{"a": 1}'.encode("utf-16-le"),
        b'{"a": ' + b"1" * 5000 + b"}",
    ],
)
def test_json_that_cannot_be_read_is_400(body: bytes):
    assert refused(b"", JSON, body) == (400, UNREADABLE)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"ref=main"', b"null", b"true"])
@pytest.mark.parametrize("content_type", [JSON, None])
def test_json_that_is_no_object_is_400(content_type: str | None, body: bytes):
    expected = "message body does not match declared format: A JSON object is expected"
    assert refused(b"", content_type, body) == (400, expected)


def nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def test_json_may_be_nested_a_hundred_deep():
    assert json.dumps(parse(b"", JSON, nested(100))).count("[") == 99


@pytest.mark.parametrize("depth", [101, 900])
def test_json_that_is_nested_deeper_is_400(depth: int):
    assert refused(b"", JSON, nested(depth)) == (400, "the parameters are nested too deep")


def test_json_too_deep_to_be_read_at_all_is_400():
    assert refused(b"", JSON, nested(200_000))[0] == 400


def test_many_flat_brackets_are_not_deep():
    assert len(parse(b"", JSON, b'{"a": [' + b"{}," * 500 + b"[]]}")["a"]) == 501


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (rb'{"ref": "a\u0000b"}', "ref"),
        (rb'{"ref": "\ud800"}', "ref"),
        (rb'{"re\u0000f": 1}', "re\0f"),
        (rb'{"variables": [{"value": "\u0000"}]}', "variables[0][value]"),
        (rb'{"variables": {"A\u0000": "x"}}', "variables[A\0]"),
        (rb'{"variables": {"\udc00": "x"}}', "variables[?]"),
    ],
)
def test_json_text_that_cannot_be_stored_is_refused_by_its_name(body: bytes, name: str):
    assert refused(b"", JSON, body) == (400, f"{name} is invalid")


def test_escapes_and_numbers_stand_side_by_side():
    assert parse(b"", JSON, rb'{"a": [1, null, "\u00e9"]}') == {"a": [1, None, "é"]}


def test_an_escaped_pair_of_surrogates_is_a_character():
    assert parse(b"", JSON, rb'{"a": "\ud83d\ude00"}') == {"a": "\U0001f600"}


# ---------------------------------------------------------------------------- forms


@pytest.mark.parametrize("text", [b"a=%ff", b"%ff=a", b"a=\xff"])
def test_a_query_or_form_that_is_no_utf8_is_400(text: bytes):
    expected = (400, "the parameters are not valid UTF-8")
    assert refused(text, None, b"") == expected
    assert refused(b"", FORM, text) == expected


def test_a_null_byte_is_refused_by_the_parameters_name():
    assert refused(b"a=1&b[c]=%00", None, b"") == (400, "b[c] is invalid")
    assert refused(b"", FORM, b"a%00=1") == (400, "a\0 is invalid")


def test_4096_parameters_are_taken():
    assert len(parse(b"&".join(b"a%d=" % n for n in range(4096)), None, b"")) == 4096


def test_more_than_4096_parameters_are_refused():
    many = b"&".join([b"a=1"] * 4097)
    assert refused(many, None, b"") == (400, "there are more than 4096 parameters")


# ---------------------------------------------------------------------------- multipart


def test_a_multipart_field_is_text():
    body = part("ref", "größe".encode()) + part("blank", b"") + b"--frontier--\r\n"
    assert parse(b"", MULTIPART, body) == {"ref": "größe", "blank": ""}


def test_multipart_names_nest_like_those_of_a_form():
    body = part("v[A]", b"1") + part("v[B]", b"2") + part("s[]", b"x") + b"--frontier--\r\n"
    assert parse(b"", MULTIPART, body) == {"v": {"A": "1", "B": "2"}, "s": ["x"]}


def test_a_file_is_its_content_as_text():
    body = part("log", b"line\n\xff", '; filename="job.log"') + b"--frontier--\r\n"
    assert parse(b"", MULTIPART, body) == {"log": "line\n\ufffd"}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", part("a", b"1") + b"--frontier--\r\n"),
        (MULTIPART, b"a=1"),
        (MULTIPART, b"--frontier\r\nContent-Disposition: form-data\r\n\r\n1\r\n--frontier--\r\n"),
        (MULTIPART, b"--frontier\r\n\r\n1\r\n--frontier--\r\n"),
    ],
)
def test_a_malformed_multipart_body_is_400(content_type: str | None, body: bytes):
    expected = "message body does not match declared format"
    assert refused(b"", content_type, body) == (400, expected)


@pytest.mark.parametrize("more", ["", '; filename="f"'])
def test_a_multipart_body_that_breaks_off_is_400(more: str):
    expected = "message body does not match declared format: it breaks off"
    assert refused(b"", MULTIPART, part("a", b"1", more)) == (400, expected)


def test_a_large_file_that_breaks_off_leaves_nothing_open():
    body = part("a", b"x" * 2_000_000, '; filename="f"')
    assert refused(b"", MULTIPART, body)[0] == 400


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("a", b"\xff", "the parameters are not valid UTF-8"),
        ("a", b"\0", "a is invalid"),
    ],
)
def test_multipart_text_that_is_no_text_is_400(name: str, value: bytes, error: str):
    assert refused(b"", MULTIPART, part(name, value) + b"--frontier--\r\n") == (400, error)


def test_more_than_4096_parts_are_refused():
    body = part("a", b"1") * 4097 + b"--frontier--\r\n"
    assert refused(b"", MULTIPART, body) == (400, "there are more than 4096 parameters")


# ---------------------------------------------------------------------------- whatever is sent


TYPES = st.sampled_from([None, FORM, JSON, MULTIPART, "multipart/form-data", "text/plain"])
PIECES = st.sampled_from(
    [b"a", b"[", b"]", b"[]", b"=", b"&", b"%", b"%00", b"%ff", b"\0", b"\xff", b"{", b"}", b'"',
     b"\\u0000", b":", b",", b"1", b"--frontier", b"--", b"\r\n", b"\r\n\r\n",
     b'Content-Disposition: form-data; name="a"', b'; filename="f"',
     b"Content-Transfer-Encoding: base64"]
)  # fmt: skip
BYTES = st.binary(max_size=60) | st.lists(PIECES, max_size=25).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(query=BYTES, content_type=TYPES, body=BYTES)
def test_whatever_is_sent_is_parameters_or_a_refusal_that_can_be_written(
    query: bytes, content_type: str | None, body: bytes
):
    status = 200
    try:
        found = parse(query, content_type, body)
    except ApiError as error:
        status, found = error.status, error.body
    assert status in (200, 400, 415)
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
