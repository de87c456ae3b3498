"""Measure everything and print a table: ``python -m tests.benchmarks [--quick] [--json FILE]``.

The ceiling is a bare ASGI application on the same uvicorn that runs the same SQL statement and
writes a body of the same size. Ratios mean more than figures: machines differ, and are noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mock_gitlab.store.database import Database

from . import ceiling, largest, page, peers, servers

POLL = "/api/v4/projects/1/pipelines/1"
TRIGGER = "/api/v4/projects/1/trigger/pipeline"
ORDER = "ref=main"
LIST = "/api/v4/projects/1/pipelines"
CALLS = (
    ("poll", "GET", POLL, ""),
    ("list", "GET", LIST, ""),
    ("trigger", "POST", TRIGGER, ORDER),
)
RULES = 9
"""How many rules are tried at a trigger, as many as the mock.yaml of the project has."""
Row = tuple[str, Any]
_QUERIES = ("status=failed", "status=pending", "scope=branches", "ref=none", "order_by=updated_at")


def fill(path: Path, count: int) -> None:
    """Put pipelines of one project into a database, all of them to be computed anew."""
    database = Database(path)
    moment = "strftime('%Y-%m-%dT%H:%M:%fZ', i / 1000.0, 'unixepoch')"
    database.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO pipelines (project_id, iid, ref, sha, scenario_id, terminal_status, "
        "created_at, updated_at) "
        "SELECT 1, i, 'main', printf('%040x', i), i % 99 + 1, "
        f"CASE WHEN i % 1000 = 0 THEN 'failed' END, {moment}, {moment} FROM n",
        (count,),
    )
    database.close()


def with_rules(count: int) -> str:
    """Write a mock.yaml with rules that match no trigger of the benchmark."""
    rules = (f"  - when: {{variables: {{DEMO: d{i}}}}}\n    scenario: 1\n" for i in range(count))
    return "version: 1\nrules:\n" + "".join(rules)


def milliseconds(server: servers.Process, path: str, times: int = 30) -> float:
    """Time one call after the other and take the median."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        server.call("GET", path)
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


def in_turns(
    loads: dict[str, Callable[[], dict[str, float]]], rounds: int
) -> dict[str, dict[str, float]]:
    """Load several servers one after the other, again and again, and take the medians.

    A machine that is slow for some seconds is so for each of them.
    """
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in loads}
    for number in range(rounds):
        for name in list(loads)[:: -1 if number % 2 else 1]:
            taken[name].append(loads[name]())
            assert not taken[name][-1]["failures"], f"not every answer of {name} was a success"
    return {
        name: {what: statistics.median(each[what] for each in found) for what in found[0]}
        for name, found in taken.items()
    }


def throughput(folder: Path, rounds: int) -> list[Row]:
    """Compare polls, lists and triggers with the ceiling, side by side."""
    rows: list[Row] = []
    with (
        servers.ceiling(folder) as bare,
        servers.mock_gitlab(folder, yaml=with_rules(RULES)) as mock,
    ):
        for _ in range(ceiling.STORED):
            mock.call("POST", TRIGGER, {"ref": "main", "scenario_id": 0})
        for name, method, path, body in CALLS:
            for connections in (1, 16, 64):
                found = in_turns(
                    {
                        "the ceiling": bare.loading(method, path, body, connections),
                        "mock_gitlab": mock.loading(method, path, body, connections),
                    },
                    rounds,
                )
                best, ours = found.values()
                at = f"{name}, {connections} connections"
                for what in ("per_second", "p50_ms", "p99_ms", "cpu_us"):
                    rows.append((f"{at}: {what}, ceiling", best[what]))
                    rows.append((f"{at}: {what}", ours[what]))
                rows.append((f"{at}: of the ceiling", ours["per_second"] / best["per_second"]))
                rows.append((f"{at}: of its processor time", ours["cpu_us"] / best["cpu_us"]))
    return rows


def many_rules(folder: Path, rounds: int, count: int = 100) -> list[Row]:
    """Compare triggers with the ceiling where there are many rules."""
    yaml = with_rules(count)
    with servers.ceiling(folder) as bare, servers.mock_gitlab(folder, yaml=yaml) as mock:
        loads = {
            "the ceiling": bare.loading("POST", TRIGGER, ORDER, 16),
            "mock_gitlab": mock.loading("POST", TRIGGER, ORDER, 16),
        }
        best, ours = in_turns(loads, rounds).values()
    ratio = ours["per_second"] / best["per_second"]
    return [(f"trigger, 16 connections, {count} rules: of the ceiling", ratio)]


def others(folder: Path, rounds: int) -> list[Row]:
    """Compare poll and trigger with the canned answers of other mocks, where they are installed."""
    rows: list[Row] = []
    with ExitStack() as stack:
        mock = stack.enter_context(servers.mock_gitlab(folder, yaml=with_rules(RULES)))
        bare = stack.enter_context(servers.ceiling(folder))
        mock.call("POST", TRIGGER, {"ref": "main", "scenario_id": 0})
        loads = {
            name: stack.enter_context(serve(folder)).loading("GET", POLL, "", 16)
            for name, serve in peers.installed().items()
        }
        peer_names = list(loads)
        for what, method, path, body in (CALLS[0], CALLS[-1]):
            loads[what] = mock.loading(method, path, body, 16)
            loads[f"{what} of the ceiling"] = bare.loading(method, path, body, 16)
        found = in_turns(loads, rounds)
    for name in peer_names:
        peer = found[name]
        rows.append((f"{name}, a canned answer: per_second", peer["per_second"]))
        rows.append((f"{name}, a canned answer: cpu_us", peer["cpu_us"]))
        for what in list(found)[len(peer_names) :]:
            ours = found[what]
            rows += [
                (f"{what}, as a multiple of {name}", ours["per_second"] / peer["per_second"]),
                (f"{what}, the same for each second of a core", peer["cpu_us"] / ours["cpu_us"]),
            ]
    return rows


def stored_pipelines(folder: Path, counts: list[int]) -> list[Row]:
    """See how polls and lists grow with what is stored."""
    rows: list[Row] = []
    for count in counts:
        path = folder / f"filled-{count}.db"
        fill(path, count)
        with servers.mock_gitlab(folder, database=path.name) as mock:
            base = "/api/v4/projects/1/pipelines"
            begun = time.perf_counter()
            mock.call("GET", f"{base}?status=failed")
            first = (time.perf_counter() - begun) * 1000
            rows += [
                (f"{count} pipelines: first status filter, all statuses computed anew, ms", first),
                (f"{count} pipelines: default page, ms", milliseconds(mock, base)),
                *(
                    (f"{count} pipelines: {query}, ms", milliseconds(mock, f"{base}?{query}"))
                    for query in _QUERIES
                ),
                (
                    f"{count} pipelines: status=failed after a scenario was declared, ms",
                    _after(mock),
                ),
                (f"{count} pipelines: latest, ms", milliseconds(mock, f"{base}/latest")),
                (f"{count} pipelines: poll, ms", milliseconds(mock, f"{base}/{count // 2}", 300)),
            ]
        path.unlink()
    return rows


def _after(mock: servers.Process) -> float:
    """Declare a scenario that no pipeline follows, and time the next list that is filtered."""
    mock.call("POST", "/_mock/scenarios", {"scenario_id": 7_000, "name": "followed by none"})
    return milliseconds(mock, f"{LIST}?status=failed", 1)


def scenarios(folder: Path, counts: list[int]) -> list[Row]:
    """See what many scenarios cost: at the poll, at the start, at a reload."""
    rows: list[Row] = []
    for count in counts:
        files = folder / "scenarios"
        shutil.rmtree(files, ignore_errors=True)
        files.mkdir()
        for number in range(count):
            text = f"scenarios:\n  - {{scenario_id: {1000 + number}, name: number {number}}}\n"
            (files / f"{number}.yaml").write_text(text, encoding="utf-8")
        yaml = "version: 1\nscenarios: [scenarios/*.yaml]\nwatch: false\n"
        with servers.mock_gitlab(folder, yaml=yaml, database=":memory:") as mock:
            mock.call("POST", TRIGGER, {"ref": "main", "scenario_id": 1000})
            begun = time.perf_counter()
            mock.call("POST", "/_mock/config/reload")
            reload = (time.perf_counter() - begun) * 1000
            rows.append((f"{count} scenario files: reload, ms", reload))
            rows.append((f"{count} scenario files: poll, ms", milliseconds(mock, POLL, 300)))
    return rows


def largest_bodies(folder: Path) -> list[Row]:
    """See how long the largest bodies take, and how long other requests wait meanwhile."""
    rows: list[Row] = []
    with servers.mock_gitlab(
        folder, yaml="version: 1\nallow_reset: true\n", database=":memory:"
    ) as mock:
        for name, (path, make) in largest.BODIES.items():
            took, waited = largest.measure(mock, path, largest.largest(path, make))
            rows.append((f"largest body, {name}: answer, ms", took))
            rows.append((f"largest body, {name}: longest wait of a poll, ms", waited))
    return rows


def memory(folder: Path, requests: int) -> list[Row]:
    """See what it holds when idle, and after many requests."""
    with servers.mock_gitlab(folder, database=":memory:") as mock:
        idle = mock.memory_mb()
        mock.call("POST", TRIGGER, {"ref": "main", "scenario_id": 0})
        mock.load(mock.request("GET", POLL), 16, 2)
        warm, done = mock.memory_mb(), 0.0
        while done < requests:
            done += mock.load(mock.request("GET", POLL), 16, 5)["requests"]
        grown = mock.memory_mb() - warm
    return [
        ("memory, idle, MB", idle),
        ("memory, warm, MB", warm),
        (f"memory, growth over {done:.0f} polls, MB", grown),
    ]


def live_page(folder: Path, times: int) -> list[Row]:
    """See how quickly the live page shows itself, in an empty world and in a full one."""
    if page.MISSING is not None:
        print(f"the live page is not measured: {page.MISSING}")
        return []
    rows: list[Row] = []
    yaml = "version: 1\njournal: 10000\n"
    with servers.mock_gitlab(folder, yaml=yaml, database=":memory:") as mock:
        for pipelines, requests in ((0, 0), (1_000, 10_000)):
            for _ in range(pipelines):
                mock.call("POST", TRIGGER, {"ref": "main", "scenario_id": 0})
            for _ in range(requests):
                mock.call("GET", POLL)
            what = f"page, {pipelines} pipelines, {requests} requests"
            painted, listed = medians(page.times_of(mock, "1000" if pipelines else "", times))
            rows += [(f"{what}: first paint, ms", painted), (f"{what}: list, ms", listed)]
    return rows


def seconds_of(*command: str, folder: Path) -> float:
    """Time a program from its start to its end."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def medians(taken: Iterable[Iterable[float]]) -> Iterator[float]:
    """Take the median of each column, seconds in and milliseconds out."""
    return (statistics.median(each) * 1000 for each in zip(*taken, strict=True))


def start(folder: Path, times: int) -> list[Row]:
    """Compare the time to the first answer with a bare import of FastAPI, in turns."""

    def ours() -> float:
        begun = time.perf_counter()
        with servers.mock_gitlab(folder, database=":memory:") as mock:
            mock.call("GET", "/api/v4/version")
            return time.perf_counter() - begun

    taken = [(seconds_of("-c", "import fastapi", folder=folder), ours()) for _ in range(times + 1)]
    bare, first = medians(taken[1:])
    return [
        ("import of fastapi, ms", bare),
        ("start to first answer, ms", first),
        ("start, as a multiple of the import", first / bare),
    ]


def plugin(folder: Path, times: int) -> list[Row]:
    """See what the plugin costs a test run that does not use it, and one more test that does."""
    (folder / "test_none.py").write_text("def test_it():\n    pass\n", encoding="utf-8")
    for count in (1, 101):
        (folder / f"test_{count}.py").write_text(
            "import pytest\n"
            f"@pytest.mark.parametrize('n', range({count}))\n"
            "def test_it(mock_gitlab, n):\n    pass\n",
            encoding="utf-8",
        )
    pytest = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    runs = (
        (*pytest, "-p", "no:mock_gitlab", "test_none.py"),
        (*pytest, "test_none.py"),
        (*pytest, "test_1.py"),
        (*pytest, "test_101.py"),
    )
    taken = [[seconds_of(*run, folder=folder) for run in runs] for _ in range(times + 1)]
    without, idle, one, many = medians(taken[1:])
    timed = "import pytest, time; begun = time.perf_counter(); "
    timed += "import mock_gitlab.testing.pytest_plugin; print((time.perf_counter() - begun) * 1000)"
    imports = [
        float(subprocess.check_output([sys.executable, "-c", timed], cwd=folder))
        for _ in range(times)
    ]
    return [
        ("import of the plugin, where pytest is imported, ms", statistics.median(imports)),
        ("pytest without the plugin, ms", without),
        ("pytest with the plugin, not used: more, ms", idle - without),
        ("pytest with a first test that uses it: more, ms", one - idle),
        ("each further test that uses it, ms", (many - one) / 100),
    ]


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller numbers, for a first look")
    parser.add_argument("--json", type=Path, help="where to write the figures for machines")
    parser.add_argument(
        "--only",
        help="throughput, rules, peers, stored, scenarios, largest, memory, start, plugin or page",
    )
    chosen = parser.parse_args()
    quick = chosen.quick
    with tempfile.TemporaryDirectory() as name:
        # As after an installation: what is imported has been compiled before.
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(name, "compiled"))
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        with servers.mock_gitlab(Path(name), database=":memory:") as mock:
            mock.call("GET", "/_mock/clock")
        parts: dict[str, Callable[[Path], list[Row]]] = {
            "throughput": lambda folder: throughput(folder, 3 if quick else 15),
            "rules": lambda folder: many_rules(folder, 3 if quick else 15),
            "peers": lambda folder: others(folder, 3 if quick else 15),
            "stored": lambda folder: stored_pipelines(
                folder, [1_000, 10_000] if quick else [1_000, 100_000, 1_000_000]
            ),
            "scenarios": lambda folder: scenarios(folder, [100] if quick else [100, 1_000, 10_000]),
            "largest": largest_bodies,
            "memory": lambda folder: memory(folder, 20_000 if quick else 200_000),
            "start": lambda folder: start(folder, 3 if quick else 15),
            "plugin": lambda folder: plugin(folder, 3 if quick else 15),
            "page": lambda folder: live_page(folder, 3 if quick else 15),
        }
        rows: list[Row] = []
        for part, measure in parts.items():
            if chosen.only in (None, part):
                own = Path(name, "parts", part)  # what one declares is nothing to another
                own.mkdir(parents=True)
                rows += (found := measure(own))
                for what, figure in found:
                    print(f"{what:<64}{figure:>12.2f}", flush=True)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(dict(rows), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
