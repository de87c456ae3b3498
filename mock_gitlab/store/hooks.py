"""Webhooks, and what was or is to be delivered to them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_gitlab.engine.codec import decode, encode, read_as
from mock_gitlab.engine.hooks import HookSpec
from mock_gitlab.engine.instants import parse_timestamp, timestamp
from mock_gitlab.engine.matching import DeliveryFault

from .errors import reading
from .rows import RowCheck

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_gitlab.engine.model import Duration, Instant

    from .database import Database, Row

_HOOK = "id, project_id, spec_json, site, created_at, declared, failures, disabled_until"
_DELIVERY = (
    "id, hook_id, event, pipeline_id, job_id, status, at, try, state, body, key, event_uuid, "
    "response_json, due_at, fault"
)
_check_hook = RowCheck("hooks", _HOOK.split(", "))
_check_delivery = RowCheck("hook_deliveries", _DELIVERY.split(", "))
EVERY_PROJECT = 0
"""Stands in place of the number of a project for a hook that all projects have."""
_FAULT = DeliveryFault | None
_SKIP = "UPDATE hook_deliveries SET state = 'skipped' WHERE state = 'due'"


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook of a project, or of ``EVERY_PROJECT``.

    ``site`` is the URL of GitLab in its payloads.
    """

    id: int
    project_id: int
    spec: HookSpec
    site: str
    created_at: Instant
    declared: bool
    failures: int
    disabled_until: Instant | None


class Event(NamedTuple):
    """A change of status that a hook is told of; ``job_id`` is 0 for that of the pipeline."""

    hook_id: int
    event: str
    pipeline_id: int
    job_id: int
    status: str
    at: Instant
    retry: int = 0


class Delivery(NamedTuple):
    """An event, the body of its request, and what was answered; None before that.

    It goes out at ``due_at``. ``fault`` is what a fault has done to it.
    """

    id: int
    event: Event
    state: str
    body: str
    key: str
    event_uuid: str
    response: dict[str, Any] | None
    due_at: Instant
    fault: DeliveryFault | None


class HookTable:
    """The webhooks, declared and made."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def select(self, project_id: int | None = None) -> list[Hook]:
        """List the hooks of a project, or all, oldest first."""
        of_project = "WHERE project_id IN (?, ?)"
        where, values = (
            ("", ()) if project_id is None else (of_project, (project_id, EVERY_PROJECT))
        )
        rows = self._db.all(f"SELECT {_HOOK} FROM hooks {where} ORDER BY id", values)
        return [_hook_of(row) for row in rows]

    def get(self, hook_id: int) -> Hook | None:
        """Find a hook."""
        row = self._db.one(f"SELECT {_HOOK} FROM hooks WHERE id = ?", (hook_id,))
        return None if row is None else _hook_of(row)

    def insert(
        self, project_id: int, spec: HookSpec, site: str, at: Instant, *, declared: bool = False
    ) -> int:
        """Add a hook and return its number."""
        return self._db.insert(
            "INSERT INTO hooks (project_id, spec_json, site, created_at, declared) "
            "VALUES (?, ?, ?, ?, ?)",
            (project_id, _text_of(spec), site, timestamp(at), declared),
        )

    def update(self, hook_id: int, spec: HookSpec) -> None:
        """Change a hook."""
        self._db.execute("UPDATE hooks SET spec_json = ? WHERE id = ?", (_text_of(spec), hook_id))

    def count_failures(self, hook_id: int, failures: int, disabled_until: Instant | None) -> None:
        """Record how often in a row a hook has failed, and until when it is disabled."""
        self._db.execute(
            "UPDATE hooks SET failures = ?, disabled_until = ? WHERE id = ?",
            (failures, timestamp(disabled_until), hook_id),
        )

    def delete(self, hook_id: int) -> None:
        """Delete a hook and what it was sent."""
        self._db.execute("DELETE FROM hook_deliveries WHERE hook_id = ?", (hook_id,))
        self._db.execute("DELETE FROM hooks WHERE id = ?", (hook_id,))

    def replace_declared(self, declared: Iterable[tuple[int, HookSpec]], at: Instant) -> None:
        """Replace the declared hooks; one that is declared again as it was is left alone."""
        wanted = [(project_id, spec) for project_id, spec in declared]
        for hook in self.select():
            if hook.declared and (hook.project_id, hook.spec) in wanted:
                wanted.remove((hook.project_id, hook.spec))
            elif hook.declared:
                self.delete(hook.id)
        for project_id, spec in wanted:
            self.insert(project_id, spec, "", at, declared=True)


class DeliveryTable:
    """What was delivered, and what is due."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def known(self, hook_id: int, pipeline_id: int) -> set[Event]:
        """List the events of a pipeline that are recorded for a hook."""
        rows = self._db.all(
            "SELECT hook_id, event, pipeline_id, job_id, status, at FROM hook_deliveries "
            "WHERE hook_id = ? AND pipeline_id = ? AND try = 0",
            (hook_id, pipeline_id),
        )
        return {Event._make((*row[:5], parse_timestamp(row[5]), 0)) for row in rows}

    def insert(
        self,
        event: Event,
        state: str,
        body: str,
        key: str,
        event_uuid: str,
        *,
        late: Duration = 0,
        fault: DeliveryFault | None = None,
    ) -> int:
        """Record an event, which is due ``late`` after its moment, and return its number."""
        times = (timestamp(event.at), event.retry)
        rest = (state, body, key, event_uuid, timestamp(event.at + late), fault)
        return self._db.insert(
            "INSERT INTO hook_deliveries (hook_id, event, pipeline_id, job_id, status, at, try, "
            "state, body, key, event_uuid, due_at, fault) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*event[:5], *times, *rest),
        )

    def release(self, hook_id: int, at: Instant) -> None:
        """Make what is held back for a hook due at an instant, after what is due already."""
        self._db.execute(
            "UPDATE hook_deliveries SET state = 'due', due_at = ? "
            "WHERE hook_id = ? AND state = 'held'",
            (timestamp(at), hook_id),
        )

    def next_due(self, after: Instant) -> Instant | None:
        """Return when the next delivery is due that a fault has made late."""
        row = self._db.one(
            "SELECT min(due_at) FROM hook_deliveries WHERE state = 'due' AND due_at > ?",
            (timestamp(after),),
        )
        with reading("the time of a delivery"):
            return None if row is None or row[0] is None else parse_timestamp(row[0])

    def tries(self) -> int:
        """Return a number that no test and no repetition has."""
        row = self._db.one("SELECT coalesce(max(try), 0) + 1 FROM hook_deliveries")
        assert row is not None
        return int(row[0])

    def due(self, now: Instant, limit: int) -> list[Delivery]:
        """List what is to be delivered by now, in the order of time."""
        # What was held back goes out after what it was held back for.
        order = "due_at, fault IS 'out_of_order', id"
        where = f"state = 'due' AND due_at <= ? ORDER BY {order} LIMIT ?"
        return self._select(where, timestamp(now), limit)

    def get(self, delivery_id: int) -> Delivery | None:
        """Find a delivery."""
        return next(iter(self._select("id = ?", delivery_id)), None)

    def of_hook(self, hook_id: int) -> list[Delivery]:
        """List what was sent to a hook, newest first."""
        return self._select("hook_id = ? AND state = 'sent' ORDER BY id DESC", hook_id)

    def newest(
        self, limit: int, hook_id: int | None, pipeline_id: int | None, status: str | None
    ) -> list[Delivery]:
        """List the newest deliveries, of all or of those that match, oldest first."""
        wanted = {"hook_id": hook_id, "pipeline_id": pipeline_id, "status": status}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join([f"{name} = ?" for name in given]) or "1"
        return self._select(f"{where} ORDER BY id DESC LIMIT ?", *given.values(), limit)[::-1]

    def sent(self, delivery_id: int, response: dict[str, Any]) -> None:
        """Mark a delivery as sent."""
        self._db.execute(
            "UPDATE hook_deliveries SET state = 'sent', response_json = ? WHERE id = ?",
            (json.dumps(response), delivery_id),
        )

    def skip(self, delivery_id: int) -> None:
        """Mark a delivery as not to be sent."""
        self._db.execute(f"{_SKIP} AND id = ?", (delivery_id,))

    def skip_due(self, *, but_last: bool) -> None:
        """Mark what is due as not to be sent, perhaps but for the last of each thing and hook."""
        last = (
            " AND id NOT IN (SELECT max(id) FROM hook_deliveries WHERE state = 'due' "
            "GROUP BY hook_id, event, pipeline_id, job_id)"
        )
        self._db.execute(_SKIP + (last if but_last else ""))

    def _select(self, where: str, *values: Any) -> list[Delivery]:
        rows = self._db.all(f"SELECT {_DELIVERY} FROM hook_deliveries WHERE {where}", values)
        return [_delivery_of(row) for row in rows]


def _text_of(spec: HookSpec) -> str:
    return json.dumps(encode(spec))


@lru_cache(maxsize=1024)
def _spec_of(text: str) -> HookSpec:
    spec: HookSpec = decode(HookSpec, json.loads(text))
    return spec


def _hook_of(row: Row) -> Hook:
    number, project_id, text, site, created_at, declared, failures, until = row
    with reading(f"the row of hook {number}"):
        _check_hook(row)
        return Hook(
            number,
            project_id,
            _spec_of(text),
            site,
            parse_timestamp(created_at),
            bool(declared),
            failures,
            None if until is None else parse_timestamp(until),
        )


def _delivery_of(row: Row) -> Delivery:
    number, hook_id, event, pipeline_id, job_id, status, at, retry, *rest = row
    *texts, response, due_at, fault = rest
    with reading(f"the row of delivery {number}"):
        _check_delivery(row)
        told = Event(hook_id, event, pipeline_id, job_id, status, parse_timestamp(at), retry)
        answer = None if response is None else json.loads(response)
        due = parse_timestamp(due_at), read_as(_FAULT, fault)
        return Delivery._make((number, told, *texts, answer, *due))
