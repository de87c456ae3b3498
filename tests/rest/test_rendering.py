"""Bodies of answers and their ETags."""

from __future__ import annotations

import re

from mock_gitlab.rest.rendering import etag, json_bytes


def test_json_is_written_without_blanks_in_utf8_and_in_order():
    value = {"b": [1, 2.5, None, True], "a": "größe"}
    assert json_bytes(value) == '{"b":[1,2.5,null,true],"a":"größe"}'.encode()


def test_an_etag_is_weak_and_32_hexadecimal_digits():
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', etag(b"{}"))


def test_the_same_body_has_the_same_etag_and_another_has_another():
    assert etag(b"{}") == etag(b"{}")
    assert etag(b"{}") != etag(b"[]")
