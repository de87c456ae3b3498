"""The configuration is shown and read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock


def test_an_edit_takes_effect_at_the_next_read_after_a_reload(mock_with: Callable[..., Mock]):
    mock = mock_with("scenarios:\n  - {scenario_id: 900, name: x, terminal_after_seconds: 5}\n")
    mock.trigger(scenario_id=900)
    mock.advance("5s")
    path = mock.app.live.path  # type: ignore[attr-defined]  # the application is ours
    text = path.read_text().replace("terminal_after_seconds: 5", "terminal_status: failed")

    path.write_text(text)
    reloaded = mock.post("/_mock/config/reload")

    assert reloaded.status_code == 200
    assert mock.pipeline(1)["status"] == "failed"


def test_a_broken_edit_leaves_the_last_good_configuration_whole(mock_with: Callable[..., Mock]):
    mock = mock_with("default_scenario: 7\n")
    path = mock.app.live.path  # type: ignore[attr-defined]  # the application is ours

    path.write_text(path.read_text() + "strikt: true\n")
    reloaded = mock.post("/_mock/config/reload")
    shown = mock.get("/_mock/config").json()

    assert reloaded.status_code == 422
    assert shown["default_scenario"] == 7
    assert [(error["line"], error["where"]) for error in shown["errors"]] == [(7, "strikt")]


def test_a_reload_reaches_every_sandbox(mock_with: Callable[..., Mock]):
    mock = mock_with("default_scenario: 1\n")
    mock.get("/sandbox/a/version")
    path = mock.app.live.path  # type: ignore[attr-defined]  # the application is ours

    path.write_text(path.read_text().replace("default_scenario: 1", "default_scenario: 2"))
    mock.post("/_mock/config/reload")

    assert mock.get("/sandbox/a/_mock/config").json()["default_scenario"] == 2
