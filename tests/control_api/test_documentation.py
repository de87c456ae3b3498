"""The documentation is shown without a network."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock


@pytest.mark.parametrize("root", ["", "/sandbox/mine"])
@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_of_documentation_loads_everything_from_here(mock: Mock, root: str, path: str):
    page = mock.get(root + path)

    assert page.headers["content-type"].startswith("text/html")
    assert re.findall(r"https?://", page.text) == []
    loaded = re.findall(r"""(?:src|href|url|spec-url)(?:=|: )["']([^"']+)""", page.text)
    assert f"{root}/openapi.json" in loaded
    assert len(loaded) >= 3
    for each in loaded:
        assert mock.get(each).status_code == 200, each


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_browser_may_ask_no_other_host(mock: Mock, path: str):
    policy = mock.get(path).headers["content-security-policy"]

    assert "default-src 'self'" in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("swagger-ui.css", "text/css; charset=utf-8"),
        ("redoc.standalone.js", "text/javascript; charset=utf-8"),
        ("favicon.png", "image/png"),
    ],
)
def test_what_the_pages_load_has_its_type(mock: Mock, name: str, kind: str):
    answer = mock.get(f"/docs/{name}")

    assert answer.headers["content-type"] == kind
    assert len(answer.content) > 100


def test_nothing_else_is_served_beside_the_pages(mock: Mock):
    assert mock.get("/docs/other.js").status_code == 404


def test_the_document_is_made_beside_the_event_loop(mock: Mock, monkeypatch: pytest.MonkeyPatch):
    app: Any = mock.app
    make, on_the_loop = app.openapi, []

    def openapi() -> Any:
        on_the_loop.append(asyncio._get_running_loop() is not None)
        return make()

    monkeypatch.setattr(app, "openapi", openapi)
    first, second = mock.get("/openapi.json"), mock.get("/openapi.json")

    assert on_the_loop == [False]
    assert first.json() == second.json() == make()
    assert first.headers["content-type"] == "application/json"
