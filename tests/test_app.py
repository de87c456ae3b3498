"""The application as a whole: what is built when, and opened and closed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mock_gitlab.app
from mock_gitlab.app import ROUTES, MockGitLabApp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Mock


def test_the_module_makes_an_application_when_app_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOCK_DATABASE", ":memory:")

    app = mock_gitlab.app.app

    assert isinstance(app, MockGitLabApp)
    app.close()


def test_the_module_has_no_other_names_that_it_makes():
    with pytest.raises(AttributeError, match="nothing"):
        _ = mock_gitlab.app.nothing


def test_the_document_is_made_once_whatever_was_requested_before(mock: Mock):
    app = mock.app
    assert isinstance(app, MockGitLabApp)
    mock.get("/_mock/health")

    first, again = app.openapi(), app.openapi()

    assert first is again
    assert "/_mock/health" in first["paths"]


def test_fastapi_serves_the_control_namespace_alone(mock: Mock):
    app = mock.app
    assert isinstance(app, MockGitLabApp)
    app.openapi()

    paths = {getattr(route, "path", "") for route in app.routes}

    assert not paths & {route.path for route in ROUTES}


def test_an_application_whose_lifespan_has_ended_can_start_again(mock_with: Callable[..., Mock]):
    mock = mock_with()
    mock.trigger()

    mock.__exit__()
    mock.__enter__()

    assert mock.get("/projects/1/pipelines").json() == []  # its database was in memory
