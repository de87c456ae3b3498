"""Progress by looks instead of time, and what a restart keeps."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from mock_gitlab.app import create_app
from tests.conftest import TOKEN, Mock

if TYPE_CHECKING:
    from pathlib import Path


def test_a_pipeline_is_done_at_the_third_look_and_lists_do_not_count(mock: Mock):
    mock.declare(900, terminal_after_polls=3, terminal_status="failed")
    mock.trigger(scenario_id=900)

    seen = []
    for _ in range(4):
        mock.get("/projects/1/pipelines?status=running")
        mock.get("/projects/1/pipelines/1/jobs")
        seen.append(mock.pipeline(1)["status"])

    assert seen == ["running", "running", "failed", "failed"]
    assert [row["id"] for row in mock.get("/projects/1/pipelines?status=failed").json()] == [1]


def test_polls_and_seconds_end_it_whichever_comes_first(mock: Mock):
    mock.declare(900, terminal_after_polls=3, terminal_after_seconds=10)
    mock.trigger(scenario_id=900)

    assert mock.pipeline(1)["status"] == "running"
    mock.advance("10s")
    assert mock.pipeline(1)["status"] == "success"


def test_a_retry_counts_looks_anew(mock: Mock):
    attempts = [{"terminal_status": "failed"}, {"terminal_status": "success"}]
    mock.declare(900, terminal_after_polls=2, attempts=attempts)
    mock.trigger(scenario_id=900)
    assert [mock.pipeline(1)["status"] for _ in range(2)] == ["running", "failed"]

    mock.post("/projects/1/pipelines/1/retry")

    assert [mock.pipeline(1)["status"] for _ in range(2)] == ["running", "success"]


def test_an_end_by_polls_holds_when_the_clock_is_set_back(mock: Mock):
    mock.declare(900, terminal_after_polls=1)
    mock.trigger(scenario_id=900)
    mock.advance("1h")
    assert mock.pipeline(1)["status"] == "success"

    mock.put("/_mock/clock", json={"now": "2026-01-01T00:00:00Z"})

    assert mock.pipeline(1)["status"] == "success"


def started(folder: Path, yaml: str = "") -> Mock:
    path = folder / "mock.yaml"
    path.write_text(f"version: 1\ndatabase: kept.db\n{yaml}", encoding="utf-8")
    mock = Mock(create_app(path, environ={}, watch=False), headers={"PRIVATE-TOKEN": TOKEN})
    mock.__enter__()
    return mock


def test_a_restart_keeps_pipelines_clock_tokens_numbers_and_runtime_scenarios(tmp_path: Path):
    mock = started(tmp_path)
    mock.put("/_mock/clock", json={"now": "2030-01-01T00:00:00Z", "frozen": True})
    mock.declare(900, terminal_after_seconds=60, terminal_status="failed")
    made = mock.trigger("group%2Fapp", scenario_id=900)
    token = mock.post("/projects/1/triggers", json={"description": "x"}).json()
    mock.advance("59s")
    mock.__exit__()

    mock = started(tmp_path)
    try:
        kept = mock.pipeline(made["id"], "group%2Fapp")
        mock.advance("1s")
        ended = mock.pipeline(made["id"], str(made["project_id"]))
        tokens = mock.get("/projects/1/triggers").json()
        clock = mock.get("/_mock/clock").json()
    finally:
        mock.__exit__()

    assert (kept["status"], kept["sha"]) == ("running", made["sha"])
    assert (ended["status"], ended["finished_at"]) == ("failed", "2030-01-01T00:01:00.000Z")
    assert tokens == [token]
    assert clock == {"now": "2030-01-01T00:01:00.000Z", "frozen": True}


def test_a_declared_clock_that_was_edited_begins_anew_and_an_unchanged_one_goes_on(tmp_path: Path):
    declared = "clock: {{start: {}-01-01T00:00:00Z, frozen: true}}\n"
    times = []
    for year in (2026, 2026, 2027):
        mock = started(tmp_path, declared.format(year))
        times.append(mock.get("/_mock/clock").json()["now"][:16])
        mock.advance("1h")
        mock.__exit__()

    assert times == ["2026-01-01T00:00", "2026-01-01T01:00", "2027-01-01T00:00"]


def test_a_clock_that_cannot_be_kept_does_not_move(tmp_path: Path):
    mock = started(tmp_path, "clock: {start: 2026-01-01T00:00:00Z, frozen: true}\n")
    other = sqlite3.connect(tmp_path / "kept.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        refused = mock.post("/_mock/clock/advance", json={"seconds": 60})
        clock = mock.get("/_mock/clock").json()
    finally:
        other.execute("ROLLBACK")
        other.close()
        mock.__exit__()

    assert (refused.status_code, clock["now"]) == (503, "2026-01-01T00:00:00.000Z")


def test_a_scenario_that_left_the_files_is_gone_and_a_built_in_comes_back(tmp_path: Path):
    mine = "scenarios: [{scenario_id: 7, name: mine, terminal_status: failed}]\n"
    names = []
    for yaml in ("", mine, ""):
        mock = started(tmp_path, yaml)
        names.append(mock.get("/_mock/scenarios/7").json()["name"])
        mock.__exit__()

    assert names == ["succeeds after 7 seconds", "mine", "succeeds after 7 seconds"]
