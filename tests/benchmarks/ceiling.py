"""The ceiling: a bare ASGI application that runs the same statement and writes the same body.

``python -m tests.benchmarks.ceiling FOLDER`` serves it on a free port, with the settings of the
real server, over a copy of its schema.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn

from mock_gitlab.server import address, listen
from mock_gitlab.store.pipelines import SELECT, insert_statement
from mock_gitlab.store.schema import create_tables
from mock_gitlab.store.status_index import Filter, PipelineRow

Send = Callable[[dict[str, Any]], Awaitable[None]]
_CREATED = "2026-01-01T00:00:00.000Z"
_RECORD = {
    "project_id": 1, "iid": 0, "ref": "main", "sha": "a" * 40, "source": "trigger",
    "created_at": _CREATED, "updated_at": _CREATED, "scenario_id": 5,
}  # fmt: skip
_INSERT = insert_statement(tuple(_RECORD))


def body(number: int) -> dict[str, Any]:
    """Give a body of the size of a real one."""
    url = f"http://127.0.0.1:8000/root/project-1/-/pipelines/{number}"
    moment = "2026-01-01T00:00:00.000Z"
    return {
        "id": number, "iid": number, "project_id": 1, "sha": "a" * 40, "ref": "main",
        "status": "running", "source": "trigger", "created_at": moment, "updated_at": moment,
        "web_url": url, "before_sha": "0" * 40, "tag": False, "yaml_errors": None,
        "user": {
            "id": 1, "username": "root", "public_email": None, "name": "Administrator",
            "state": "active", "locked": False, "avatar_url": f"{url}/avatar.png",
            "web_url": "http://127.0.0.1:8000/root",
        },
        "started_at": moment, "finished_at": None, "committed_at": None, "duration": None,
        "queued_duration": None, "coverage": None,
        "detailed_status": {
            "icon": "status_running", "text": "Running", "label": "running", "group": "running",
            "tooltip": "running", "has_details": False,
            "details_path": f"/root/project-1/-/pipelines/{number}", "illustration": None,
            "favicon": "/assets/ci_favicons/favicon_status_running.png",
        },
        "archived": False, "name": None,
    }  # fmt: skip


STORED = 100
"""How many pipelines there are before anything is measured."""
_WHERE, _VALUES = Filter(project_id=1).where(indexed=False)
_COUNT = f"SELECT count(*) FROM (SELECT 1 FROM pipelines p WHERE {_WHERE} LIMIT 10001)"
_PAGE = (
    f"SELECT {', '.join(PipelineRow._fields)} FROM pipelines p WHERE {_WHERE} "
    f"ORDER BY {Filter().order()} LIMIT 21"
)


def _row(row: Any) -> dict[str, Any]:
    moment = "2026-01-01T00:00:00.000Z"
    return {
        "id": row[0], "iid": row[1], "project_id": row[2], "sha": row[3], "ref": row[4],
        "status": row[5], "source": row[6], "created_at": moment, "updated_at": moment,
        "web_url": f"http://127.0.0.1:8000/root/project-1/-/pipelines/{row[0]}", "name": row[9],
    }  # fmt: skip


class Ceiling:
    """Three answers: POST inserts a row, a list selects a page, anything else selects a row."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(
            folder / "ceiling.db", isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA page_size = 1024")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        create_tables(self._db)
        self._db.execute("INSERT INTO scenarios (scenario_id, name) VALUES (5, 'five')")
        self._last = 0
        for _ in range(STORED):
            self._insert()

    def _insert(self) -> int:
        self._last += 1
        self._db.execute(_INSERT, tuple({**_RECORD, "iid": self._last}.values()))
        return self._last

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] == "POST":
            await receive()
            found: Any = body(self._insert())
        elif scope["path"].endswith("/pipelines"):
            self._db.execute(_COUNT, _VALUES).fetchone()
            rows = self._db.execute(_PAGE, _VALUES).fetchall()
            found = [_row(row) for row in rows[:20]]
        else:
            found = body(self._db.execute(f"{SELECT} WHERE p.id = ?", (1,)).fetchone()[0])
        answer = json.dumps(found, separators=(",", ":")).encode()
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": answer})


def main() -> None:
    """Serve until killed; the first line printed is the address."""
    bound = listen("127.0.0.1", 0)
    print(address(bound), flush=True)
    config = uvicorn.Config(
        Ceiling(Path(sys.argv[1])),
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[bound])


if __name__ == "__main__":
    main()
