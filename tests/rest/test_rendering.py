"""Answers: their bodies, their ETags, and what is kept of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mock_gitlab.rest.rendering import etag, json_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Mock


def test_json_is_written_without_blanks_in_utf8_and_in_order():
    value = {"b": [1, 2.5, None, True], "a": "größe"}
    assert json_bytes(value) == '{"b":[1,2.5,null,true],"a":"größe"}'.encode()


def test_an_etag_is_weak_and_32_hexadecimal_digits():
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', etag(b"{}"))


def test_the_same_body_has_the_same_etag_and_another_has_another():
    assert etag(b"{}") == etag(b"{}")
    assert etag(b"{}") != etag(b"[]")


def test_an_unchanged_trace_is_304(mock: Mock):
    mock.trigger(scenario_id=0)
    trace = f"/projects/1/jobs/{mock.get('/projects/1/jobs').json()[0]['id']}/trace"
    first = mock.get(trace)

    again = mock.get(trace, headers={"If-None-Match": first.headers["etag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_an_unchanged_answer_is_304(mock: Mock):
    mock.trigger(scenario_id=5)
    tag = mock.get("/projects/1/pipelines/1").headers["etag"]

    same = mock.get("/projects/1/pipelines/1", headers={"If-None-Match": tag})
    mock.advance("5s")
    other = mock.get("/projects/1/pipelines/1", headers={"If-None-Match": tag})

    assert tag.startswith('W/"')
    assert (same.status_code, same.content, other.status_code) == (304, b"", 200)


def test_each_client_is_answered_under_the_name_by_which_it_calls(mock: Mock):
    mock.trigger()

    urls = [
        mock.get("/projects/1/pipelines/1", headers={"Host": name}).json()["web_url"]
        for name in ("one.test", "two.test", "one.test")
    ]

    assert [url.split("/")[2] for url in urls] == ["one.test", "two.test", "one.test"]


def test_a_poll_shows_who_the_user_is_now(mock_with: Callable[..., Mock], tmp_path: Path):
    mock = mock_with()
    mock.trigger(scenario_id=0)
    assert mock.pipeline(1)["user"]["username"] == "root"

    config = tmp_path / "mock-0.yaml"
    config.write_text(config.read_text() + "user: {username: somebody}\n", encoding="utf-8")
    mock.post("/_mock/config/reload")

    assert mock.pipeline(1)["user"]["username"] == "somebody"


def test_answers_are_json_without_a_charset(mock: Mock):
    assert mock.get("/user").headers["content-type"] == "application/json"
