"""Pipelines that the files declare."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.engine.model import Declarations
from tests.conftest import FROZEN, Mock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mock_gitlab.testing.receiver import Receiver

URL = "/api/v4/projects/1/pipelines"
SHA = "a" * 40


def listed(mock: Mock, *keys: str, url: str = URL) -> list[tuple[Any, ...]]:
    answer = mock.get(url)
    assert answer.status_code == 200, answer.text
    return [tuple(row[key] for key in keys) for row in answer.json()]


def test_pipelines_exist_from_the_beginning_on(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "pipelines:\n"
        f"  - {{project: 1, ref: main, sha: {SHA}, source: schedule, name: nightly, age: 1h,\n"
        "     scenario: 5, variables: {A: 1}}\n"
        "  - {project: 1}\n"
    )

    first, second = mock.pipeline(1), mock.pipeline(2)

    assert (first["status"], first["source"], first["name"]) == ("success", "schedule", "nightly")
    assert (first["sha"], first["created_at"]) == (SHA, "2025-12-31T23:00:00.000Z")
    assert first["finished_at"] == "2025-12-31T23:00:05.000Z"
    assert mock.get(f"{URL}/1/variables").json()[0]["value"] == "1"
    assert (second["ref"], second["source"], second["status"]) == ("main", "push", "running")
    assert mock.trigger()["id"] == 3


def test_a_pipeline_is_found_by_lists_and_filters(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "pipelines: [{project: group/app, age: 1h, scenario: 5}, {project: group/app, ref: v1}]\n"
        "projects: [{id: 1, path: group/app, tags: [v1]}]\n"
    )
    mock.trigger()

    assert listed(mock, "id", "status", "ref") == [
        (3, "running", "main"),
        (2, "running", "v1"),
        (1, "success", "main"),
    ]
    assert listed(mock, "id", url=f"{URL}?status=success") == [(1,)]
    assert listed(mock, "id", url=f"{URL}?scope=tags") == [(2,)]
    assert mock.get(f"{URL}/latest?ref=v1").json()["id"] == 2


def test_numbers_are_chosen_or_follow_the_time_of_creation(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "pipelines:\n"
        "  - {project: 1, age: 1h}\n"
        "  - {project: 1, age: 2h}\n"
        "  - {project: 1, id: 70, iid: 7, created_at: 2020-01-01}\n"
        "  - {project: 2, iid: 9}\n"
    )

    assert listed(mock, "id", "iid", "created_at") == [
        (73, 9, "2025-12-31T23:00:00.000Z"),
        (72, 8, "2025-12-31T22:00:00.000Z"),
        (70, 7, "2020-01-01T00:00:00.000Z"),
    ]
    assert listed(mock, "id", "iid", url="/api/v4/projects/2/pipelines") == [(71, 9)]
    assert mock.trigger()["iid"] == 10


def test_the_default_scenario_is_followed(mock_with: Callable[..., Mock]):
    mock = mock_with("default_scenario: 5\npipelines: [{project: 1, age: 1m}]\n")

    assert mock.pipeline(1)["status"] == "success"


def test_a_declared_sha_is_the_head_if_the_pipeline_is_the_newest_of_its_ref(
    mock_with: Callable[..., Mock],
):
    mock = mock_with(
        "pipelines:\n"
        f"  - {{project: 1, sha: {SHA}, age: 1h}}\n"
        f"  - {{project: 1, sha: {'b' * 40}, age: 2h}}\n"
        f"  - {{project: 1, sha: {'c' * 40}, age: 2h, ref: dev}}\n"
        "  - {project: 1, age: 1h, ref: dev}\n"
    )
    commits = "/api/v4/projects/1/repository/commits"

    assert mock.trigger(ref="main")["sha"] == SHA
    assert mock.trigger(ref="dev")["sha"] == mock.pipeline(4)["sha"]
    assert mock.get(f"{commits}/main").json()["id"] == SHA
    assert mock.get(f"{commits}/bbbbbbb").json()["id"] == "b" * 40
    assert mock.get(f"{commits}/ccccccc").json()["last_pipeline"]["ref"] == "dev"


def test_what_was_done_to_a_pipeline_stays(mock_with: Callable[..., Mock], tmp_path: Path):
    base = f"version: 1\ndatabase: {tmp_path / 'mock.db'}\nseed: 7\n"
    base += "clock: {start: 2026-01-01T00:00:00Z, frozen: true}\n"
    declared = "pipelines: [{project: 1, age: 1h, scenario: 0}]\n"
    first = mock_with(declared, base=base)
    first.post(f"{URL}/1/cancel")
    first.advance("1h")
    first.__exit__()

    second = mock_with(declared, base=base)

    assert listed(second, "id", "status", "created_at") == [
        (1, "canceled", "2025-12-31T23:00:00.000Z")
    ]


def test_an_entry_that_is_gone_takes_its_pipeline_along(
    mock_with: Callable[..., Mock], tmp_path: Path
):
    base = f"version: 1\ndatabase: {tmp_path / 'mock.db'}\n"
    first = mock_with("pipelines: [{project: 1}, {project: 1}]\n", base=base)
    first.trigger()
    first.__exit__()

    second = mock_with("", base=base)

    assert listed(second, "id") == [(3,)]


def test_a_reset_restores_them(mock_with: Callable[..., Mock]):
    mock = mock_with("pipelines: [{project: 1, age: 1h}]\n")
    mock.trigger()
    mock.delete(f"{URL}/1")
    mock.advance("1d")

    mock.post("/_mock/reset")

    assert listed(mock, "id", "created_at") == [(1, "2025-12-31T23:00:00.000Z")]
    assert mock.trigger()["id"] == 2


def test_every_sandbox_has_them(mock_with: Callable[..., Mock]):
    mock = mock_with("pipelines: [{project: 1, age: 1h}]\n")
    own = {"clock": {"now": "2030-01-01T00:00:00Z"}}
    mock.post("/_mock/sandboxes", json={"name": "a", **own})
    mine = {"pipelines": [{"project": 1, "id": 9, "scenario": 0}]}
    mock.post("/_mock/sandboxes", json={"name": "b", **mine})

    assert listed(mock, "id", "created_at", url=f"/sandbox/a{URL}") == [
        (1, "2029-12-31T23:00:00.000Z")
    ]
    assert listed(mock, "id", url=f"/sandbox/b{URL}") == [(9,)]


def edited(mock: Mock, path: Path, yaml: str) -> None:
    path.write_text(FROZEN + yaml, encoding="utf-8")
    answer = mock.post("/_mock/config/reload")
    assert answer.status_code == 200, answer.text


def test_an_edit_takes_effect_at_once(mock_with: Callable[..., Mock], tmp_path: Path):
    path = tmp_path / "mock-0.yaml"
    mock = mock_with("pipelines: [{project: 1, scenario: 0}, {project: 1, name: kept}]\n")
    mock.trigger()

    edited(
        mock,
        path,
        "pipelines: [{project: 1, scenario: 0, name: new}, {project: 1, name: kept}, "
        "{project: 1, ref: third}]\n",
    )

    assert listed(mock, "id", "iid", "name", "ref") == [
        (4, 4, None, "third"),
        (3, 3, None, "main"),
        (2, 2, "kept", "main"),
        (1, 1, "new", "main"),
    ]


def test_an_edit_of_something_else_brings_no_pipeline_back(
    mock_with: Callable[..., Mock], tmp_path: Path
):
    declared = "pipelines: [{project: 1}]\n"
    mock = mock_with(declared)
    mock.delete(f"{URL}/1")

    edited(mock, tmp_path / "mock-0.yaml", f"{declared}journal: 10\n")
    assert listed(mock, "id") == []


def test_ages_count_from_the_clock_that_an_edit_sets(
    mock_with: Callable[..., Mock], tmp_path: Path
):
    declared = "pipelines: [{project: 1, age: 1h}]\n"
    mock = mock_with(declared)
    path = tmp_path / "mock-0.yaml"
    clock = FROZEN.replace("2026", "2027")
    path.write_text(clock + declared, encoding="utf-8")
    mock.post("/_mock/config/reload")

    assert listed(mock, "created_at") == [("2026-12-31T23:00:00.000Z",)]


def test_a_number_that_another_pipeline_has_is_left_out_with_a_warning(
    mock_with: Callable[..., Mock], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    mock = mock_with()
    mock.trigger()

    with caplog.at_level(logging.WARNING):
        edited(mock, tmp_path / "mock-0.yaml", "pipelines: [{project: 1, id: 1, ref: x}]\n")

    assert listed(mock, "id", "ref") == [(1, "main")]
    assert "another one has its id 1" in caplog.text


def test_a_ref_that_does_not_exist_is_left_out_with_a_warning(
    mock_with: Callable[..., Mock], caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING):
        mock = mock_with(
            "projects: [{id: 1, path: group/app, refs: [main]}]\n"
            "pipelines: [{project: 1, ref: nowhere}, {project: 1}]\n"
        )

    assert listed(mock, "ref") == [("main",)]
    assert "mock-0.yaml:" in caplog.text
    assert "nowhere" in caplog.text


def test_the_past_is_not_told_to_webhooks(mock_with: Callable[..., Mock], receiver: Receiver):
    mock = mock_with(
        "pipelines: [{project: 1, age: 1h, scenario: 5}, {project: 1, age: 10s, scenario: 20}]\n"
        "projects: [{id: 1, path: group/app, "
        f'hooks: [{{url: "{receiver.url}", pipeline_events: true, deployment_events: true}}]}}]\n'
    )
    mock.advance("1m")

    told = [
        (got.body["object_attributes"]["id"], got.body["object_attributes"]["status"])
        for got in receiver.received
    ]
    assert told == [(2, "success")]


def test_bridges_of_the_past_have_started_their_pipelines(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "scenarios: [{scenario_id: 900, jobs: [{name: a, duration: 60}, "
        "{name: b, stage: deploy, downstream: {project: 2, scenario: 5}}]}]\n"
        "pipelines: [{project: 1, age: 1h, scenario: 900}]\n"
    )

    [bridge] = mock.get(f"{URL}/1/bridges").json()
    started = bridge["downstream_pipeline"]

    assert (started["project_id"], started["status"]) == (2, "success")
    assert started["created_at"] == "2025-12-31T23:01:00.000Z"


def test_jobs_and_traces_of_an_existing_pipeline_are_read(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "scenarios: [{scenario_id: 900, jobs: [{name: a, duration: 60, trace: done}]}]\n"
        "pipelines: [{project: 1, id: 41, age: 1h, scenario: 900}]\n"
    )

    [job] = mock.get(f"{URL}/41/jobs").json()

    assert (job["id"], job["status"], job["duration"]) == (4_100_001, "success", 60)
    assert mock.get("/api/v4/projects/1/jobs/4100001/trace").text == "done"


def test_a_failed_edit_leaves_everything_as_it_was(mock_with: Callable[..., Mock]):
    mock = mock_with(f"pipelines: [{{project: 1, sha: {SHA}}}]\n")
    world: Any = mock.app.worlds.default  # type: ignore[attr-defined]  # the application is ours

    def fail() -> None:
        with world._db.transaction():
            world._existing.apply(Declarations())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert listed(mock, "id") == [(1,)]
    assert mock.trigger()["sha"] == SHA
