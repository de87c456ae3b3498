"""Pipelines are read from a GitLab with patience."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.importers import remote
from mock_gitlab.importers.places import CannotImport
from mock_gitlab.importers.remote import Remote, read_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.importers.recording import Pages

PIPELINE = "/api/v4/projects/1/pipelines/5"
JOB = {"id": 9, "name": "a", "stage": "b"}


class Fake:
    """A server with answers by path: (status, headers, body), the last of which repeats."""

    def __init__(self, answers: dict[str, list[tuple[int, dict[str, str], Any]]]) -> None:
        self.answers: dict[str, list[tuple[int, dict[str, str], Any]]] = {
            PIPELINE: [(200, {}, {"id": 5})],
            f"{PIPELINE}/jobs": [(200, {}, [])],
            f"{PIPELINE}/bridges": [(200, {}, [])],
            f"{PIPELINE}/variables": [(200, {}, [])],
            f"{PIPELINE}/test_report": [(200, {}, {})],
            **answers,
        }
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        self.said: list[str] = []
        self.waited: list[float] = []
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        self.tokens.add(handler.headers["PRIVATE-TOKEN"])
        listed = self.answers.get(handler.path.partition("?")[0], [(404, {}, {})])
        status, headers, body = listed.pop(0) if len(listed) > 1 else listed[0]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def read(self, token: str | None = "glpat-x") -> Pages:
        reader = Remote(token, self.said.append, self.waited.append)
        return reader.read(read_address(self.url + PIPELINE))


@contextmanager
def faking(**answers: list[tuple[int, dict[str, str], Any]]) -> Iterator[Fake]:
    """Serve; a name is the last part of a path, and ``pipeline`` the pipeline itself."""
    paths = {f"{PIPELINE}/{name}".removesuffix("/pipeline"): a for name, a in answers.items()}
    fake = Fake(paths)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fake.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        (
            "https://gitlab.com/a/b.c/-/pipelines/12",
            "https://gitlab.com/api/v4/projects/a%2Fb.c/pipelines/12",
        ),
        (
            "https://gitlab.com/a/b/-/pipelines/12/builds?x=1#y",
            "https://gitlab.com/api/v4/projects/a%2Fb/pipelines/12",
        ),
        (
            "http://host:8/git/api/v4/projects/a%2Fb/pipelines/1",
            "http://host:8/git/api/v4/projects/a%2Fb/pipelines/1",
        ),
        (
            "http://host/api/v4/projects/42/pipelines/1/",
            "http://host/api/v4/projects/42/pipelines/1",
        ),
    ],
)
def test_an_address_is_that_of_the_browser_or_of_the_api(url: str, meant: str):
    assert str(read_address(url)) == meant


@pytest.mark.parametrize(
    "url",
    [
        "gitlab.com/a/b/-/pipelines/1",
        "ftp://host/a/b/-/pipelines/1",
        "https://host/a/b",
        "https:///a/-/pipelines/1",
        "https://[a/-/pipelines/1",
    ],
)
def test_other_addresses_are_refused(url: str):
    with pytest.raises(CannotImport, match="is no pipeline's address such as"):
        read_address(url)


@pytest.mark.parametrize("path", ["/a/b/-/pipelines/1", "/a"])
def test_an_address_holds_no_password(path: str):
    with pytest.raises(CannotImport, match="must not hold a name or a password") as error:
        read_address(f"https://me:secret@host{path}")

    assert "secret" not in str(error.value)


def test_the_token_goes_with_each_request():
    with faking() as fake:
        fake.read()

    assert fake.tokens == {"glpat-x"}
    assert len(fake.asked) == 5


def test_a_public_pipeline_needs_no_token():
    with faking() as fake:
        fake.read(None)

    assert fake.tokens == {None}


def test_lists_are_read_page_by_page():
    first: tuple[int, dict[str, str], Any] = (200, {"X-Next-Page": "2"}, [{}])
    with faking(jobs=[first, (200, {"X-Next-Page": ""}, [{"x": 1}])]) as fake:
        pages = fake.read()

    assert pages.jobs == [{}, {"x": 1}]
    assert f"{PIPELINE}/jobs?include_retried=true&per_page=100&page=2" in fake.asked


def test_a_list_without_an_end_is_refused():
    with (
        faking(jobs=[(200, {"X-Next-Page": "2"}, [])]) as fake,
        pytest.raises(CannotImport, match="has more than 100 pages"),
    ):
        fake.read()


@pytest.mark.parametrize("body", [{}, [1]])
def test_a_list_that_is_none_is_refused(body: Any):
    with (
        faking(bridges=[(200, {}, body)]) as fake,
        pytest.raises(CannotImport, match=r"bridges.*must be a list of objects"),
    ):
        fake.read()


def test_a_rate_limit_is_obeyed():
    with faking(pipeline=[(429, {"Retry-After": "7"}, {}), (200, {}, {"id": 5})]) as fake:
        assert fake.read().pipeline == {"id": 5}

    assert fake.waited == [7]
    assert "429: trying again in 7s" in fake.said


def test_a_wait_that_is_too_long_is_refused():
    with (
        faking(pipeline=[(429, {"Retry-After": "3600"}, {})]) as fake,
        pytest.raises(CannotImport, match="429: asks to wait for 3600 seconds"),
    ):
        fake.read()


def test_a_server_that_is_busy_is_asked_five_times():
    with (
        faking(pipeline=[(503, {}, {})]) as fake,
        pytest.raises(CannotImport, match=r"GitLab answers 503$"),
    ):
        fake.read()

    assert fake.waited == [1, 2, 4, 8]


def test_a_server_that_is_away_is_asked_five_times():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        fake = Fake({})
        fake.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CannotImport, match=r"cannot be read: .*refused"):
            fake.read()

    assert fake.waited == [1, 2, 4, 8]


def test_a_redirect_does_not_get_the_token():
    with (
        faking() as other,
        faking(pipeline=[(302, {"Location": other.url}, {})]) as fake,
        pytest.raises(CannotImport, match="GitLab answers 302"),
    ):
        fake.read()

    assert other.asked == []


def test_another_kind_of_page_is_refused():
    with (
        faking(pipeline=[(200, {}, b"<html>")]) as fake,
        pytest.raises(CannotImport, match="is no JSON; is this a GitLab"),
    ):
        fake.read()


def test_a_page_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(remote, "_LARGEST", 3)
    with faking() as fake, pytest.raises(CannotImport, match="is larger than 3 bytes"):
        fake.read()


def test_what_is_hidden_is_left_out():
    hidden: list[tuple[int, dict[str, str], Any]] = [(403, {}, {})]
    with faking(variables=hidden, test_report=hidden, jobs=[(200, {}, [JOB])]) as fake:
        pages = fake.read()

    assert (pages.variables, pages.report, pages.traces) == ([], None, {})
    assert "variables cannot be read: 403" in fake.said


@pytest.mark.parametrize("part", ["variables", "trace", "downstream"])
def test_another_error_ends_the_recording(part: str):
    broken: list[tuple[int, dict[str, str], Any]] = [(418, {}, {})]
    child = {"downstream_pipeline": {"id": 6, "project_id": 1}}
    with faking(jobs=[(200, {}, [JOB])], bridges=[(200, {}, [child])]) as fake:
        fake.answers["/api/v4/projects/1/jobs/9/trace"] = [(200, {}, b"log")]
        paths = {
            "variables": f"{PIPELINE}/variables",
            "trace": "/api/v4/projects/1/jobs/9/trace",
            "downstream": "/api/v4/projects/1/pipelines/6",
        }
        fake.answers[paths[part]] = broken
        with pytest.raises(CannotImport, match="GitLab answers 418"):
            fake.read()


def test_a_pipeline_that_is_hidden_or_read_already_is_left_out():
    bridges = [
        {"downstream_pipeline": {"id": 6, "project_id": 1}},
        {"downstream_pipeline": {"id": 5, "project_id": 1}},
        {"downstream_pipeline": None},
        {"downstream_pipeline": {}},
    ]
    with faking(bridges=[(200, {}, bridges)]) as fake:
        pages = fake.read()

    assert pages.downstream == {}
    assert "pipeline 6 of 1 cannot be read" in fake.said
