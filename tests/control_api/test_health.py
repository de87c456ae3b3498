"""``/_mock/ready`` says whether requests should be sent here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab.app import MockGitLabApp
from mock_gitlab.store.errors import StoreUnavailable

if TYPE_CHECKING:
    from tests.conftest import Mock


@pytest.fixture
def app(mock: Mock) -> MockGitLabApp:
    assert isinstance(mock.app, MockGitLabApp)
    return mock.app


def test_a_server_that_can_serve_is_ready(mock: Mock):
    answer = mock.get("/_mock/ready")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "version": answer.json()["version"],
        "database": "ok",
        "configuration": {
            "status": "ok",
            "loaded_at": mock.get("/_mock/config").json()["loaded_at"],
            "mistakes": 0,
        },
    }


def test_a_server_that_is_about_to_end_is_not_ready(mock: Mock, app: MockGitLabApp):
    app.ending = True

    answer = mock.get("/_mock/ready")

    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")


def test_a_server_that_cannot_read_its_database_is_not_ready(
    mock: Mock, app: MockGitLabApp, monkeypatch: pytest.MonkeyPatch
):
    def fail(_: str) -> str:
        raise StoreUnavailable("the disk is gone")

    monkeypatch.setattr(app.worlds.default._db, "meta", fail)

    answer = mock.get("/_mock/ready")

    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["database"]) == ("not ready", "unavailable")
