"""Where the live page is served, and where it is not."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, get_args

import pytest

from mock_gitlab.dashboard.pages import File

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/_mock/",
        "/_mock",
        "/group/app",
        "/group/app/-/pipelines/1",
        "/group/app/-/jobs/1",
    ],
)
def test_a_browser_gets_the_page_where_people_would_look_for_it(mock: Mock, path: str):
    answer = mock.anonymous().get(path, headers=BROWSER)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>mock_gitlab</title>" in answer.text


@pytest.mark.parametrize("path", ["/", "/group/app", "/group/app/-/pipelines/1"])
def test_a_program_gets_404_there(mock: Mock, path: str):
    answer = mock.get(path)

    assert (answer.status_code, answer.json()) == (404, {"error": "404 Not Found"})


def test_a_browser_gets_the_answers_of_the_api(mock: Mock):
    number = mock.trigger()["id"]

    api = mock.get("/api/v4/nowhere", headers=BROWSER)
    short = mock.get(f"/projects/1/pipelines/{number}", headers=BROWSER)

    assert (api.status_code, api.headers["content-type"]) == (404, "application/json")
    assert short.json()["id"] == number


def test_the_web_url_of_a_pipeline_and_of_a_job_show_the_page(mock: Mock):
    number = mock.declare(900, jobs=[{"name": "build"}])
    pipeline = mock.trigger(scenario_id=number)
    [job] = mock.get(f"/projects/1/pipelines/{pipeline['id']}/jobs").json()

    for url in (pipeline["web_url"], job["web_url"]):
        assert "mock_gitlab" in mock.anonymous().get(url, headers=BROWSER).text


def test_the_page_is_no_request_of_the_api(mock: Mock):
    mock.get("/", headers=BROWSER)

    assert mock.get("/_mock/requests").json() == []


def test_the_files_are_loaded_from_the_world_that_the_page_shows(mock: Mock):
    mock.get("/sandbox/a%22b/api/v4/version")
    mock.post("/_mock/sandboxes", json={"name": "mine"})
    text = mock.get("/sandbox/mine/", headers=BROWSER).text

    assert 'data-root="../../sandbox/mine"' in text
    assert 'src="../../sandbox/mine/_mock/page/app.js"' in text


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/", "."),
        ("/_mock", "."),
        ("/_mock/", ".."),
        ("/group/app", ".."),
        ("/group%2Fapp/-/jobs/1", "../../.."),
        ("/sandbox/mine/group/app", "../../../sandbox/mine"),
    ],
)
def test_the_page_finds_its_root_also_below_the_prefix_of_a_proxy(mock: Mock, path: str, root: str):
    mock.post("/_mock/sandboxes", json={"name": "mine"})
    assert f'data-root="{root}"' in mock.anonymous().get(path, headers=BROWSER).text


def test_nothing_is_loaded_from_another_host(mock: Mock):
    answer = mock.get("/", headers=BROWSER)
    policy = answer.headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    for name in get_args(File):
        text = (files("mock_gitlab.dashboard") / "static" / name).read_text(encoding="utf-8")
        assert re.findall(r"https?://(?!www\.w3\.org)", text) == [], name


@pytest.mark.parametrize("name", get_args(File))
def test_each_file_is_served_without_a_token(mock: Mock, name: str):
    answer = mock.anonymous().get(f"/_mock/page/{name}")

    kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind[name.rpartition(".")[2]])
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_file_of_the_folder_is_served():
    found = {each.name for each in (files("mock_gitlab.dashboard") / "static").iterdir()}

    assert found == {*get_args(File), "index.html"}


def test_no_file_beside_them_is_served(mock: Mock):
    for name in ("..%2Fpages.py", "index.html", "", "app.js/x"):
        assert mock.get(f"/_mock/page/{name}").status_code == 404


def test_the_page_is_only_read(mock: Mock):
    assert mock.post("/_mock/", headers=BROWSER).status_code == 405


def test_text_is_never_read_as_html():
    for name in get_args(File):
        text = (files("mock_gitlab.dashboard") / "static" / name).read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text), name


def test_the_page_can_be_turned_off(mock_with: Callable[..., Mock]):
    mock = mock_with("dashboard: false\n")

    for path in ("/", "/_mock/", "/_mock/page/app.js", "/group/app/-/pipelines/1"):
        assert mock.get(path, headers=BROWSER).status_code == 404
