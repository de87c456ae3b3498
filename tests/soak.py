"""A long mixed session with a live server, each answer checked against a model of its own.

The model knows nothing of the mock's code: a pipeline is when it was made, how long its scenario
runs and to which end, and what was done to it when.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from pathlib import Path

BEGIN = datetime.fromisoformat("2026-01-01T00:00:00+00:00").timestamp()
DECLARED = 900
CONFIG = """\
version: 1
watch: false
allow_reset: true
sandboxes: 5
clock: {start: 2026-01-01T00:00:00Z, frozen: true}
"""
FILE = "scenarios: [{{scenario_id: 900, terminal_after_seconds: {0}, terminal_status: {1}}}]\n"
ENDS = ("success", "failed", "canceled", "skipped")


@dataclass
class Made:
    """A pipeline: ``after`` and ``end`` of None follow the scenario."""

    at: int
    scenario: int
    after: int | None = None
    end: str | None = None
    done: list[tuple[int, str]] = field(default_factory=list)

    def at_moment(self, now: int, declared: tuple[int, str]) -> tuple[str, int | None]:
        """Tell the status, and the second at which it ended."""
        after, end = declared if self.scenario == DECLARED else (self.scenario, "success")
        after = after if self.after is None else self.after
        end = end if self.end is None else self.end
        begun, cancelled, now = self.at, None, max(now, self.at)

        def seen(moment: int) -> tuple[str, int | None]:
            if cancelled is not None:
                return "canceled", cancelled
            if moment < begun + after:
                return "running", None
            return end, None if end == "skipped" else begun + after  # GitLab's skipped never ran

        for moment, what in self.done:
            if moment > now:
                break
            status = seen(moment)[0]
            if what == "cancel" and status != "canceled":
                cancelled = moment  # it was running then, whatever is declared now
            elif what == "retry" and status in ("failed", "canceled"):
                begun, cancelled = moment, None
        return seen(now)


@dataclass
class World:
    """What a world should hold."""

    now: int = 0
    made: dict[int, Made] = field(default_factory=dict)
    last: int = 0


class Soak:
    """The session: ``folder`` is the server's, with CONFIG in it; ``rng`` says what is done."""

    def __init__(self, host: str, port: int, folder: Path, rng: random.Random) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=30)
        self._file = folder / "scenarios" / "a.yaml"
        self._rng = rng
        self._declared = (30, "success")
        self._worlds: dict[str, World] = {"": World()}
        self._edit("", self._worlds[""])

    def close(self) -> None:
        """Leave the server."""
        self._connection.close()

    def run(self, calls: int) -> None:
        """Go on for a number of steps, of one or a few calls each."""
        steps = {
            self._trigger: 20,
            self._poll: 40,
            self._list: 10,
            self._advance: 8,
            self._look_back: 3,
            self._act: 8,
            self._delete: 3,
            self._edit: 2,
            self._sandbox: 2,
            self._drop: 1,
            self._reset: 1,
        }
        for step in self._rng.choices(list(steps), list(steps.values()), k=calls):
            name = self._rng.choice(list(self._worlds))
            step(name, self._worlds[name])

    # ------------------------------------------------------------------ steps

    def _trigger(self, name: str, world: World) -> None:
        made = Made(world.now, self._rng.choice([DECLARED, 1, 5, 60, 99]))
        order: dict[str, Any] = {"ref": "main", "scenario_id": made.scenario}
        if self._rng.random() < 0.3:
            made.after = order["terminal_after_seconds"] = self._rng.randrange(100)
        if self._rng.random() < 0.3:
            made.end = order["terminal_status"] = self._rng.choice(ENDS)
        world.last += 1
        world.made[world.last] = made
        shown = self._call(name, "POST", "/api/v4/projects/1/pipeline", order, 201)
        self._check(world, shown, world.last)

    def _poll(self, name: str, world: World) -> None:
        if not world.made:
            return
        number = self._rng.choice(list(world.made))
        shown = self._call(name, "GET", f"/api/v4/projects/1/pipelines/{number}")
        self._check(world, shown, number)

    def _list(self, name: str, world: World) -> None:
        wanted = self._rng.choice([None, "running", *ENDS])
        path = "/api/v4/projects/1/pipelines?per_page=100"
        path += "" if wanted is None else f"&status={wanted}"
        shown = [(row["id"], row["status"]) for row in self._call(name, "GET", path)]
        expected = [
            (number, status)
            for number, made in sorted(world.made.items(), reverse=True)
            if (status := made.at_moment(world.now, self._declared)[0]) == wanted or not wanted
        ]
        assert shown == expected[:100], (name, wanted)

    def _advance(self, name: str, world: World) -> None:
        seconds = self._rng.randrange(1, 40)
        self._call(name, "POST", "/_mock/clock/advance", {"seconds": seconds})
        world.now += seconds

    def _look_back(self, name: str, world: World) -> None:
        there = world.now
        world.now = self._rng.randrange(there + 1)
        self._set(name, world.now)
        self._poll(name, world)
        world.now = there
        self._set(name, there)

    def _set(self, name: str, now: int) -> None:
        moment = datetime.fromtimestamp(BEGIN + now).astimezone().isoformat()
        self._call(name, "PUT", "/_mock/clock", {"now": moment})

    def _act(self, name: str, world: World) -> None:
        if not world.made:
            return
        number = self._rng.choice(list(world.made))
        what = self._rng.choice(["cancel", "retry"])
        made = world.made[number]
        before = made.at_moment(world.now, self._declared)[0]
        if before in (("running",) if what == "cancel" else ("failed", "canceled")):
            made.done.append((world.now, what))
        status = 201 if what == "retry" else 200
        shown = self._call(
            name, "POST", f"/api/v4/projects/1/pipelines/{number}/{what}", {}, status
        )
        self._check(world, shown, number)

    def _delete(self, name: str, world: World) -> None:
        if not world.made:
            return
        number = self._rng.choice(list(world.made))
        del world.made[number]
        self._call(name, "DELETE", f"/api/v4/projects/1/pipelines/{number}", status=204)
        self._call(name, "GET", f"/api/v4/projects/1/pipelines/{number}", status=404)

    def _edit(self, _: str, __: World) -> None:
        self._declared = (self._rng.randrange(60), self._rng.choice(ENDS))
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_text(FILE.format(*self._declared), encoding="utf-8")
        self._call("", "POST", "/_mock/config/reload", {})

    def _sandbox(self, _: str, __: World) -> None:
        name = f"soak-{self._rng.randrange(10**9)}"
        self._call("", "POST", "/_mock/sandboxes", {"name": name}, 201)
        self._worlds[name] = World()
        kept = {row["name"] for row in self._call("", "GET", "/_mock/sandboxes")}
        self._worlds = {each: self._worlds[each] for each in self._worlds if each in {"", *kept}}

    def _drop(self, name: str, _: World) -> None:
        if name:
            del self._worlds[name]
            self._call("", "DELETE", f"/_mock/sandboxes/{name}", status=204)

    def _reset(self, name: str, _: World) -> None:
        self._call(name, "POST", "/_mock/reset", status=204)
        self._worlds[name] = World()

    # ------------------------------------------------------------------ private

    def _check(self, world: World, shown: Any, number: int) -> None:
        made = world.made[number]
        status, ended = made.at_moment(world.now, self._declared)
        finished = shown["finished_at"]
        if finished is not None:
            finished = round(datetime.fromisoformat(finished).timestamp() - BEGIN)
        seen = (shown["id"], shown["status"], finished)
        assert seen == (number, status, ended), (made, world.now, self._declared)

    def _call(self, world: str, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        headers = {"PRIVATE-TOKEN": "MOCK_SUPER_SECRET", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        self._connection.request(
            method, f"/sandbox/{world}{path}" if world else path, sent, headers
        )
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status == status, (world, method, path, body, answer.status, text)
        return json.loads(text) if text else None
