"""Pages of lists: their headers, their links, and walking them by number and by cursor."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_gitlab.rest.body import parse
from mock_gitlab.rest.pagination import Page, page_headers
from tests.conftest import Mock

URL = "https://gitlab.example.com/api/v4/projects/1/pipelines"


def headers(number: int, total: int | None, more: bool, **query: Any) -> dict[str, str]:
    """The headers of a page of twenty that is not past the end."""
    return dict(page_headers(URL, query, Page(["row"], total, more), number=number, size=20))


def links(found: dict[str, str]) -> list[tuple[str, str]]:
    """The name of each link and the page that it leads to."""
    pairs = re.findall(r'<([^>]+)>; rel="(\w+)"', found["Link"])
    return [(name, dict(parse_qsl(urlsplit(url).query))["page"]) for url, name in pairs]


def link_query(**query: Any) -> str:
    """The query of the link to the first page."""
    found = re.search(r'<[^>]*\?([^>]*)>; rel="first"', headers(1, 0, False, **query)["Link"])
    assert found is not None
    return found[1]


# ---------------------------------------------------------------------------- the headers


def test_a_page_in_the_middle_has_all_headers_in_gitlabs_order():
    found = page_headers(
        URL,
        {"sort": "desc", "id": "1", "order_by": "id", "page": 2, "per_page": 20},
        Page(["row"], total=45, more=True),
        number=2,
        size=20,
    )
    first, second, third = (
        f"<{URL}?id=1&order_by=id&page={page}&per_page=20&sort=desc>" for page in (1, 2, 3)
    )
    assert second not in found[-1][1]
    assert found == [
        ("X-Page", "2"),
        ("X-Per-Page", "20"),
        ("X-Next-Page", "3"),
        ("X-Prev-Page", "1"),
        ("X-Total", "45"),
        ("X-Total-Pages", "3"),
        (
            "Link",
            f'{first}; rel="prev", {third}; rel="next", {first}; rel="first", {third}; rel="last"',
        ),
    ]


def test_the_first_page_has_no_previous_one():
    found = headers(1, 45, True)
    assert (found["X-Prev-Page"], found["X-Next-Page"]) == ("", "2")
    assert links(found) == [("next", "2"), ("first", "1"), ("last", "3")]


def test_the_last_page_has_no_next_one():
    found = headers(3, 45, False)
    assert (found["X-Prev-Page"], found["X-Next-Page"]) == ("2", "")
    assert links(found) == [("prev", "2"), ("first", "1"), ("last", "3")]


def test_an_empty_list_has_one_page():
    found = headers(1, 0, False)
    assert (found["X-Total"], found["X-Total-Pages"]) == ("0", "1")
    assert links(found) == [("first", "1"), ("last", "1")]


@pytest.mark.parametrize("page", [4, 99, 2**63 - 1])
def test_a_page_past_the_end_leads_only_to_the_first_and_the_last(page: int):
    found = dict(page_headers(URL, {}, Page([], 45, more=False), number=page, size=20))
    assert (found["X-Page"], found["X-Prev-Page"], found["X-Next-Page"]) == (str(page), "", "")
    assert links(found) == [("first", "1"), ("last", "3")]


@pytest.mark.parametrize(("total", "pages"), [(1, 1), (20, 1), (21, 2), (40, 2), (10_000, 500)])
def test_a_page_that_is_not_full_counts(total: int, pages: int):
    assert headers(1, total, total > 20)["X-Total-Pages"] == str(pages)


def test_an_uncounted_list_tells_no_totals_and_no_last_page():
    found = headers(2, None, True)
    assert list(found) == ["X-Page", "X-Per-Page", "X-Next-Page", "X-Prev-Page", "Link"]
    assert links(found) == [("prev", "1"), ("next", "3"), ("first", "1")]


def test_the_last_page_of_an_uncounted_list_has_no_next_one():
    found = headers(2, None, False)
    assert (found["X-Next-Page"], found["X-Prev-Page"]) == ("", "1")
    assert links(found) == [("prev", "1"), ("first", "1")]


def test_the_link_repeats_the_size_that_was_asked_for_and_the_header_tells_the_real_one():
    page = Page([], 0, more=False)
    found = dict(page_headers(URL, {"per_page": "500"}, page, number=1, size=100))
    assert found["X-Per-Page"] == "100"
    assert "per_page=500" in found["Link"]


# ---------------------------------------------------------------------------- the links' queries


def test_keys_are_sorted():
    assert link_query(sort="asc", id="1", order_by="id") == "id=1&order_by=id&page=1&sort=asc"


@pytest.mark.parametrize(
    ("value", "written"),
    [(1, "1"), (0, "0"), (True, "true"), (False, "false"), (None, ""), (1.5, "1.5"), ("", "")],
)
def test_a_value_is_written_as_it_was_meant(value: Any, written: str):
    assert link_query(a=value) == f"a={written}&page=1"


def test_text_is_encoded_as_rails_does():
    assert link_query(name="a b/c&d=é~x") == "name=a+b%2Fc%26d%3D%C3%A9~x&page=1"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (["b", "a"], "a%5B%5D=b&a%5B%5D=a"),
        (("b",), "a%5B%5D=b"),
        ([], "a%5B%5D="),
        ({"y": "1", "x": "2"}, "a%5Bx%5D=2&a%5By%5D=1"),
        ({"x": ["1", {"z": "2"}]}, "a%5Bx%5D%5B%5D=1&a%5Bx%5D%5B%5D%5Bz%5D=2"),
        ({}, ""),
    ],
)
def test_arrays_and_hashes_are_written_in_brackets(value: Any, written: str):
    assert link_query(a=value) == "&".join(filter(None, [written, "page=1"]))


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text("abc_-é ", min_size=1, max_size=4),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
        | st.lists(st.text("ab &=%+", max_size=3), min_size=1, max_size=3),
        max_size=4,
    )
)
def test_a_link_that_is_followed_asks_for_the_same(query: dict[str, Any]):
    assert parse(link_query(**query).encode(), None, b"") == {**query, "page": "1"}


# ---------------------------------------------------------------------------- offsets


@pytest.mark.parametrize(
    "listed", ["pipelines", "pipelines/1/jobs", "triggers", "repository/branches"]
)
def test_a_page_beyond_all_numbers_is_an_empty_list(mock: Mock, listed: str):
    mock.trigger()

    answer = mock.get(f"/projects/1/{listed}?page=9223372036854775807&per_page=100")

    assert (answer.status_code, answer.json()) == (200, [])


def test_pages_of_a_projects_jobs_cannot_be_turned_beyond_50000_rows(mock: Mock):
    near = mock.get("/projects/1/jobs?page=501&per_page=100")
    far = mock.get("/projects/1/jobs?page=502&per_page=100")

    assert (near.status_code, near.json()) == (200, [])
    assert far.status_code == 405
    assert far.json()["error"].startswith("Offset pagination has a maximum allowed offset of 50000")


# ---------------------------------------------------------------------------- cursors


def test_a_walk_by_cursor_sees_every_job_once_and_ends_without_a_link(mock: Mock):
    mock.declare(900, jobs=[{"name": name} for name in "abc"])
    for _ in range(3):
        mock.trigger(scenario_id=900)

    url, walked, answers = "/api/v4/projects/1/jobs?pagination=keyset&per_page=4", [], []
    while url:
        answers.append(mock.get(url))
        walked += [job["id"] for job in answers[-1].json()]
        url = answers[-1].links.get("next", {}).get("url")

    assert [len(answer.json()) for answer in answers] == [4, 4, 1]
    assert walked == sorted(walked, reverse=True)
    assert len(set(walked)) == 9
    assert "link" not in answers[-1].headers
    assert not [name for name in answers[0].headers if name.startswith(("x-page", "x-next"))]


def test_a_cursor_may_be_followed_where_the_page_before_has_changed(mock: Mock):
    for _ in range(3):
        mock.trigger(scenario_id=0)
    first = mock.get("/projects/1/jobs?pagination=keyset&per_page=2")
    mock.delete("/projects/1/pipelines/3")

    second = mock.get(first.links["next"]["url"])

    assert [job["pipeline"]["id"] for job in second.json()] == [1]


def test_no_cursor_follows_another_order_than_that_of_the_ids(mock: Mock):
    answer = mock.get("/projects/1/jobs?pagination=keyset&order_by=name")

    error = "Keyset pagination is not yet available for this type of request"
    assert (answer.status_code, answer.json()) == (405, {"error": error})


@pytest.mark.parametrize(
    "cursor", ["x", "e30=", "WzFd", "eyJpZCI6Int9In0=", "é", "eyJpZCI6IDFlOTk5fQ=="]
)
def test_a_cursor_that_nobody_gave_is_invalid(mock: Mock, cursor: str):
    answer = mock.get("/projects/1/jobs", params={"pagination": "keyset", "cursor": cursor})

    assert (answer.status_code, answer.json()) == (400, {"error": "cursor is invalid"})
