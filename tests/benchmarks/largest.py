"""The largest bodies that are allowed: how long they take, and how long other requests wait."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any
from urllib.error import HTTPError

from mock_gitlab.http.asgi import MOST_VALUES, has_more_values
from mock_gitlab.rest.body import MAX_JSON_VALUES

from . import servers

_MOST = 2**20
CREATE = "/api/v4/projects/1/pipeline"
TRIGGER = "/api/v4/projects/1/trigger/pipeline"
SCENARIOS = "/_mock/scenarios"


def _trigger(**fields: Any) -> dict[str, Any]:
    return {"ref": "main", "token": servers.TOKEN, **fields}


def _scenario(**fields: Any) -> dict[str, Any]:
    return {"scenario_id": 901, "name": "large", **fields}


BODIES: dict[str, tuple[str, Callable[[int], Any]]] = {
    "variables in rows": (
        CREATE,
        lambda n: {"ref": "main", "variables": [{"key": f"K{i}", "value": "v"} for i in range(n)]},
    ),
    "the same variable twice": (
        CREATE,
        lambda n: {"ref": "main", "variables": [{"key": f"K{i // 2}"} for i in range(n)]},
    ),
    "rows that are wrong": (CREATE, lambda n: {"ref": "main", "variables": [{"key": []}] * n}),
    "variables in a map": (
        TRIGGER,
        lambda n: _trigger(variables={f"K{i}": "v" for i in range(n)}),
    ),
    "unknown parameters": (TRIGGER, lambda n: _trigger(**{f"k{i}": "v" for i in range(n)})),
    "many lists": (TRIGGER, lambda n: _trigger(x=[[]] * n)),
    "escapes": (TRIGGER, lambda n: _trigger(x=["\u00e9"] * n)),
    "a long name": (TRIGGER, lambda n: _trigger(variables={"k" * n: "v"})),
    "jobs": (SCENARIOS, lambda n: _scenario(jobs=[{"name": f"j{i}"} for i in range(n)])),
    "needs": (
        SCENARIOS,
        lambda n: _scenario(jobs=[{"name": "a"}, {"name": "b", "needs": ["a"] * n}]),
    ),
    "jobs that are wrong": (SCENARIOS, lambda n: _scenario(jobs=[1] * n)),
    "unknown keys": (SCENARIOS, lambda n: _scenario(**{f"k{i}": 1 for i in range(n)})),
    "a long log": (SCENARIOS, lambda n: _scenario(jobs=[{"name": "a", "trace": ",[\n" * n}])),
    "artifacts": (
        SCENARIOS,
        lambda n: _scenario(jobs=[{"name": "a", "artifacts": {f"a{i}": "" for i in range(n)}}]),
    ),
    "conditions": (
        "/_mock/rules",
        lambda n: {"when": {"variables": {f"k{i}": "*" for i in range(n)}}, "scenario": 1},
    ),
    "a long glob": ("/_mock/rules", lambda n: {"when": {"ref": "a*" * n}, "scenario": 1}),
    "expectations": ("/_mock/verify", lambda n: {"variables": {f"k{i}": "v" for i in range(n)}}),
}


def largest(path: str, make: Callable[[int], Any]) -> Any:
    """Make the largest value whose JSON is allowed there."""
    values = MOST_VALUES if path.startswith("/_mock") else MAX_JSON_VALUES

    def allowed(count: int) -> bool:
        text = json.dumps(make(count)).encode()
        return len(text) <= _MOST and not has_more_values(text, values)

    fits, step = 1, _MOST
    while step:
        if allowed(fits + step):
            fits += step
        step //= 2
    return make(fits)


@contextmanager
def _polling(mock: servers.Process, waits: list[float]) -> Iterator[None]:
    """Poll all the time, and note how long each poll takes."""
    over = Event()

    def poll() -> None:
        while not over.is_set():
            begun = time.perf_counter()
            mock.call("GET", "/api/v4/version")
            waits.append((time.perf_counter() - begun) * 1000)

    thread = Thread(target=poll)
    thread.start()
    yield
    over.set()
    thread.join()


def measure(mock: servers.Process, path: str, body: Any) -> tuple[float, float]:
    """Send a body; return how long its answer took, and the longest wait of a poll meanwhile."""
    waits: list[float] = []
    with _polling(mock, waits):
        begun = time.perf_counter()
        try:
            mock.call("POST", path, body)
        except HTTPError as refused:
            refused.close()
        took = (time.perf_counter() - begun) * 1000
    mock.call("POST", "/_mock/reset")
    return took, max(waits)
