"""What the server survives: a kill, a full disk, a locked or read-only file."""

from __future__ import annotations

import http.client
import os
import resource
import sqlite3
from contextlib import closing, contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.live import Live, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS = int(os.environ.get("MOCK_TEST_KILLS", "4"))
UNAVAILABLE = {"message": "503 Service Unavailable"}


def storm(live: Live, answered: SimpleQueue[int | None]) -> None:
    """Trigger until the connection breaks; hand over the number of each answer, None at the end."""
    try:
        while (answer := live.trigger()).status == 201:
            answered.put(answer.json()["id"])
    except (OSError, http.client.HTTPException):
        pass
    finally:
        answered.put(None)


def killed_in_a_storm(folder: Path) -> list[int]:
    """Serve, kill in the middle of a storm of triggers, and list the pipelines that clients got."""
    answered: SimpleQueue[int | None] = SimpleQueue()
    known: list[int] = []
    with serving(folder) as live:
        threads = [Thread(target=storm, args=(live, answered)) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            while len(known) < 100:
                number = answered.get(timeout=30)
                assert number is not None, "the storm was over before the kill"
                known.append(number)
        finally:
            live.process.kill()
            for thread in threads:
                thread.join()
    rest = [answered.get() for _ in range(answered.qsize())]
    return known + [number for number in rest if number is not None]


@pytest.mark.timeout(60 + 10 * ROUNDS)
def test_every_pipeline_that_was_answered_is_there_after_a_kill(tmp_path: Path):
    known = [number for _ in range(ROUNDS) for number in killed_in_a_storm(tmp_path)]

    database = sqlite3.connect(tmp_path / "mock.db")
    kept = {row[0] for row in database.execute("SELECT id FROM pipelines")}
    iids = [row[0] for row in database.execute("SELECT iid FROM pipelines")]
    database.close()
    assert len(known) == len(set(known)), "a number was given twice"
    assert set(known) <= kept
    assert len(iids) == len(set(iids))


def test_a_locked_database_is_an_honest_503_for_writes_while_reads_go_on(tmp_path: Path):
    with serving(tmp_path) as live:
        made = live.trigger().json()
        other = sqlite3.connect(tmp_path / "mock.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        refused = live.trigger()
        polled = live.call("GET", f"/api/v4/projects/1/pipelines/{made['id']}")
        other.execute("ROLLBACK")
        other.close()
        recovered = live.trigger()

    assert (refused.status, refused.json()) == (503, UNAVAILABLE)
    assert polled.status == 200
    assert recovered.status == 201


def test_a_pipeline_that_has_ended_is_shown_although_the_database_is_locked(tmp_path: Path):
    with serving(tmp_path) as live:
        bridge = (
            '{"name": "b", "downstream": {"project": "2", "scenario": 1, "strategy": "depend"}}'
        )
        for number, jobs in (("1", None), ("900", f"[{bridge}]")):
            if jobs is not None:
                declared = f'{{"scenario_id": {number}, "jobs": {jobs}}}'
                assert live.post_json("/_mock/scenarios", declared).status == 201
            assert live.trigger(scenario_id=number).status == 201
        assert live.post_json("/_mock/clock/advance", '{"seconds": 9}').status == 200
        other = sqlite3.connect(tmp_path / "mock.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        paths = ("pipelines/1", "pipelines/2", "pipelines", "pipelines/2/bridges")
        answers = [live.call("GET", f"/api/v4/projects/1/{path}") for path in paths]
        narrowed = live.call("GET", "/api/v4/projects/1/pipelines?status=success")
        other.execute("ROLLBACK")
        other.close()
        afterwards = live.call("GET", "/api/v4/projects/1/pipelines?status=success").json()

    assert [answer.status for answer in answers] == [200] * 4
    assert [row["status"] for row in answers[2].json()] == ["success", "success"]
    assert (narrowed.status, narrowed.json()) == (503, UNAVAILABLE)
    assert len(afterwards) == 2


@pytest.fixture
def moved_on(tmp_path: Path) -> Iterator[tuple[Live, Path]]:
    """A server whose pipeline has ended since it was last looked at; its clock stands still."""
    start = "version: 1\nclock: {start: 2026-01-01T00:00:00Z, frozen: true}\n"
    (tmp_path / "mock.yaml").write_text(start, encoding="utf-8")
    with serving(tmp_path, "--no-watch") as live:
        assert live.trigger(scenario_id="5").status == 201
        assert live.control("POST", "/clock/advance", {"seconds": 10}).status == 200
        yield live, tmp_path / "mock.db"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("pipelines/1", b'"status":"success"'),
        ("pipelines", b'"status":"success"'),
        ("pipelines/latest", b'"status":"success"'),
        ("pipelines?ref=main", b'"status":"success"'),
        ("repository/branches", b'"name":"main"'),
        ("repository/tags", b"[]"),
        ("jobs", b'"status":"success"'),
    ],
)
def test_reads_of_what_has_changed_go_on_while_nothing_can_be_stored(
    moved_on: tuple[Live, Path], path: str, shown: bytes
):
    live, database = moved_on
    with locked(database):
        read = live.call("GET", f"/api/v4/projects/1/{path}")
    again = live.call("GET", f"/api/v4/projects/1/{path}")

    assert (read.status, again.status) == (200, 200)
    assert shown in read.body
    assert read.body == again.body


def test_a_bridge_that_could_start_nothing_does_so_when_it_can(tmp_path: Path):
    bridge = "{name: b, stage: s, downstream: {project: group/b, scenario: 1}}"
    (tmp_path / "mock.yaml").write_text(
        "version: 1\nclock: {start: 2026-01-01T00:00:00Z, frozen: true}\nscenarios:\n"
        f"  - {{scenario_id: 900, jobs: [{{name: a, stage: r, duration: 5}}, {bridge}]}}\n",
        encoding="utf-8",
    )
    with serving(tmp_path, "--no-watch") as live:
        assert live.trigger(scenario_id="900").status == 201
        assert live.control("POST", "/clock/advance", {"seconds": 7}).status == 200
        with locked(tmp_path / "mock.db"):
            read = live.call("GET", "/api/v4/projects/1/pipelines/1")
            listed = live.call("GET", "/api/v4/projects/1/pipelines")
        [started] = live.call("GET", "/api/v4/projects/group%2Fb/pipelines").json()

    assert (read.status, read.json()["status"]) == (200, "success")
    assert [(row["id"], row["status"]) for row in listed.json()] == [(1, "success")]
    assert (started["status"], started["created_at"]) == ("success", "2026-01-01T00:00:05.000Z")


def test_a_project_that_nobody_has_used_can_be_read_while_nothing_can_be_stored(
    moved_on: tuple[Live, Path],
):
    live, database = moved_on
    with locked(database):
        assert live.call("GET", "/api/v4/projects/77/pipelines").body == b"[]"


def test_a_clock_that_could_not_be_stored_has_not_moved(moved_on: tuple[Live, Path]):
    live, database = moved_on
    with locked(database):
        moved = live.control("POST", "/clock/advance", {"seconds": 10})

    assert moved.status == 503
    assert live.control("GET", "/clock").json()["now"] == "2026-01-01T00:00:10.000Z"


def test_a_full_disk_is_an_honest_503_for_writes_and_recovers_by_itself(tmp_path: Path):
    # To the server a limit on the size of files looks as a full disk does.
    with serving(tmp_path, before="ulimit -S -f 300;") as live:
        answers = [live.trigger(ref="x" * 4000)]
        while answers[-1].status == 201:
            answers.append(live.trigger(ref="x" * 4000))
        polled = live.call("GET", "/api/v4/projects/1/pipelines/1")
        hard = resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        recovered = live.trigger()

    assert (answers[-1].status, answers[-1].json()) == (503, UNAVAILABLE)
    assert len(answers) > 2
    assert polled.status == 200
    assert recovered.status == 201
    assert recovered.json()["id"] == len(answers)


@pytest.mark.parametrize("damage", [b"\x00" * 8192, b"garbage" * 2000])
def test_a_damaged_database_is_refused_at_the_start(tmp_path: Path, damage: bytes):
    with serving(tmp_path) as live:
        live.trigger()
        live.process.terminate()
        live.process.wait()
    content = (tmp_path / "mock.db").read_bytes()
    (tmp_path / "mock.db").write_bytes(damage + content[len(damage) :])

    with pytest.raises(AssertionError, match="the server has ended"), serving(tmp_path):
        pass


def test_a_database_that_is_deleted_under_a_running_server_is_said_loudly(tmp_path: Path):
    with serving(tmp_path, before="exec 2>stderr.txt;") as live:
        (tmp_path / "mock.db").unlink()
        while "CRITICAL" not in (said := (tmp_path / "stderr.txt").read_text(encoding="utf-8")):
            assert live.trigger().status == 201

    assert "THE DATABASE IS GONE: mock.db was deleted or replaced" in said


def test_a_value_that_is_damaged_while_the_server_runs_is_503_with_one_clear_line(tmp_path: Path):
    with serving(tmp_path, before="exec 2>stderr.txt;") as live:
        live.trigger()
        with closing(sqlite3.connect(tmp_path / "mock.db")) as database:
            database.execute("UPDATE scenarios SET details_json = 'no JSON'")
            database.commit()
        shown = live.call("GET", "/_mock/scenarios")
        triggered = live.trigger(scenario_id="7")

    said = (tmp_path / "stderr.txt").read_text(encoding="utf-8")
    assert (shown.status, triggered.status) == (503, 503)
    assert "the store is unavailable: the row of scenario 0 is damaged: " in said
    assert "Traceback" not in said
