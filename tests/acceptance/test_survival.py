"""What the server survives: a kill, a full disk, a locked or read-only file."""

from __future__ import annotations

import http.client
import os
import resource
import signal
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from tests.live import Live, serving

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = int(os.environ.get("MOCK_TEST_KILLS", "4"))
UNAVAILABLE = {"message": "503 Service Unavailable"}


def storm(live: Live, answered: list[int]) -> None:
    """Trigger until the connection breaks; keep the numbers of what was answered."""
    try:
        while True:
            answer = live.trigger()
            if answer.status == 201:
                answered.append(answer.json()["id"])
    except (OSError, http.client.HTTPException):
        return


def test_every_pipeline_that_was_answered_is_there_after_a_kill(tmp_path: Path):
    known: list[int] = []
    for _ in range(ROUNDS):
        with serving(tmp_path) as live:
            answered: list[list[int]] = [[] for _ in range(4)]
            threads = [threading.Thread(target=storm, args=(live, each)) for each in answered]
            for thread in threads:
                thread.start()
            while sum(map(len, answered)) < 100:
                pass
            live.process.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
        new = [number for each in answered for number in each]
        assert len({*known, *new}) == len(known) + len(new), "a number was given twice"
        known += new

    database = sqlite3.connect(tmp_path / "mock.db")
    kept = {row[0] for row in database.execute("SELECT id FROM pipelines")}
    iids = [row[0] for row in database.execute("SELECT iid FROM pipelines ORDER BY id")]
    database.close()
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
