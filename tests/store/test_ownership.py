"""A database file belongs to one running server."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from mock_gitlab.app import create_app
from mock_gitlab.store.database import Database
from mock_gitlab.store.errors import UnusableDatabase
from mock_gitlab.store.ownership import Ownership
from tests.live import serving

if TYPE_CHECKING:
    from pathlib import Path


def second_server(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mock_gitlab", "--port", "0", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_second_server_on_a_file_is_refused_and_told_who_has_it(tmp_path: Path):
    with serving(tmp_path) as live:
        live.trigger()
        refused = second_server(tmp_path)
        polled = live.call("GET", "/api/v4/projects/1/pipelines/1")

    assert refused.returncode == 2
    assert refused.stderr == (
        f"mock-gitlab: mock.db is in use by another mock_gitlab (process {live.process.pid}): "
        "stop that one, or name another file (--database FILE, MOCK_DATABASE=FILE), "
        "or use :memory: in tests\n"
    )
    assert polled.status == 200


def test_a_file_opens_at_once_after_its_owner_was_killed(tmp_path: Path):
    with serving(tmp_path) as live:
        live.trigger()
        live.process.kill()
        live.process.wait()

    with serving(tmp_path) as again:
        assert again.call("GET", "/api/v4/projects/1/pipelines/1").status == 200


def test_a_link_to_a_file_is_the_same_file(tmp_path: Path):
    database = Database(tmp_path / "mock.db")
    (tmp_path / "link.db").symlink_to("mock.db")
    with pytest.raises(UnusableDatabase, match=re.escape("in use by another mock_gitlab")):
        Database(tmp_path / "link.db")
    database.close()


def test_two_applications_of_one_process_cannot_share_a_file(tmp_path: Path):
    first = create_app(environ={"MOCK_DATABASE": str(tmp_path / "mock.db")})
    with pytest.raises(UnusableDatabase, match="this process"):
        create_app(environ={"MOCK_DATABASE": str(tmp_path / "mock.db")})
    first.close()


def test_an_application_whose_lifespan_has_ended_has_let_go_of_its_file(tmp_path: Path):
    applications = []
    for _ in range(2):
        applications.append(create_app(environ={"MOCK_DATABASE": str(tmp_path / "mock.db")}))
        with TestClient(applications[-1]) as client:
            assert client.get("/_mock/health").status_code == 200


def test_an_application_that_nobody_refers_to_has_let_go_of_its_file(tmp_path: Path):
    for _ in range(3):
        app = create_app(environ={"MOCK_DATABASE": str(tmp_path / "mock.db")})
        assert app.worlds.default.clock.now() > 0
        del app


def test_the_application_that_a_server_imports_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MOCK_DATABASE", str(tmp_path / "mock.db"))
    monkeypatch.chdir(tmp_path)
    first = import_module("mock_gitlab.app").app
    assert import_module("mock_gitlab.app").app is first
    del first

    assert import_module("mock_gitlab.app").app.worlds.closed is False


def test_other_programs_read_a_file_that_is_owned(tmp_path: Path):
    database = Database(tmp_path / "mock.db")
    database.remember("key", "value")
    other = sqlite3.connect(f"file:{tmp_path}/mock.db?mode=ro", uri=True)
    assert other.execute("SELECT value FROM meta WHERE key = 'key'").fetchone() == ("value",)
    other.close()
    database.close()


def test_the_file_beside_it_names_the_owner(tmp_path: Path):
    owner = Ownership(str(tmp_path / "mock.db"))
    lock = sqlite3.connect(tmp_path / "mock.db.lock")
    assert lock.execute("SELECT process_id FROM owner").fetchone() == (os.getpid(),)
    lock.close()
    owner.release()


def test_an_owner_that_is_just_taking_the_file_has_no_name_yet(tmp_path: Path):
    taking = sqlite3.connect(tmp_path / "mock.db.lock", isolation_level=None)
    taking.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UnusableDatabase, match="process unknown"):
        Ownership(str(tmp_path / "mock.db"))
    taking.close()


@pytest.mark.parametrize("content", [b"no database, but a text of some length " * 40])
def test_a_lock_that_cannot_be_written_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "mock.db.lock").write_bytes(content)
    with pytest.raises(UnusableDatabase, match=re.escape("mock.db.lock")):
        Ownership(str(tmp_path / "mock.db"))


def test_a_lock_that_is_a_folder_is_named(tmp_path: Path):
    (tmp_path / "mock.db.lock").mkdir()
    with pytest.raises(UnusableDatabase, match=re.escape("mock.db.lock")):
        Ownership(str(tmp_path / "mock.db"))
