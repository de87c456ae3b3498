"""MockWorld: the client of one world, over HTTP and with the standard library alone."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from mock_gitlab.testing.undelivered import differences, undelivered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from mock_gitlab.testing.keywords import (
        Duration,
        FaultFields,
        RuleFields,
        SandboxFields,
        ScenarioFields,
    )

__tracebackhide__ = True
"""Makes pytest show the failing line of the test, and no line of this file."""
_HEADERS = {"Content-Type": "application/json", "User-Agent": "mock_gitlab"}
_FIRST_FREE_NUMBER = 10_001
_Socket = socket.socket
_connect = socket.socket.connect
_getaddrinfo = socket.getaddrinfo
_to_json = json.dumps


class _Connection(http.client.HTTPConnection):
    """A connection that uses what Python offered on import, whatever a test patches later."""

    request = http.client.HTTPConnection.request
    getresponse = http.client.HTTPConnection.getresponse

    def connect(self) -> None:
        """Connect to the first address that takes the connection."""
        failure: OSError | None = None
        for *kind, _, target in _getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            try:
                self.sock = _open(kind, target, self.timeout)
            except OSError as error:
                failure = error
            else:
                return
        assert failure is not None  # a name that has no address raises before
        raise failure


def _open(kind: list[int], target: Any, timeout: float | None) -> socket.socket:
    opened = _Socket(*kind)
    try:
        opened.settimeout(timeout)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _connect(opened, target)
    except OSError:
        opened.close()
        raise
    return opened


class MockError(Exception):
    """The mock refused a request, or does not answer; the message says which."""


class MockWorld:
    """A world of a running server: the default one, or a sandbox.

    A client of GitLab takes ``url`` as its base URL, and authenticates with ``token``. Threads may
    share a MockWorld. Each method raises MockError if the server refuses its request.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self.token = token
        parts = urlsplit(self.url)
        self._base = parts.path
        self._lock = threading.Lock()
        self._connection = _Connection(parts.hostname or "", parts.port, timeout=60)

    @property
    def api_url(self) -> str:
        """The URL of the API, for clients that want it with /api/v4."""
        return f"{self.url}/api/v4"

    def close(self) -> None:
        """Close the connection to the server; the next request opens another."""
        self._connection.close()

    def __enter__(self) -> MockWorld:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # ------------------------------------------------------------------ time

    def clock(self) -> dict[str, Any]:
        """Read the clock: ``now`` in ISO 8601 and UTC, and whether it is ``frozen``."""
        found: dict[str, Any] = self._request("GET", "/_mock/clock")
        return found

    def now(self) -> str:
        """Read the clock: ISO 8601, UTC."""
        return str(self.clock()["now"])

    def advance(self, span: Duration) -> str:
        """Move the clock by a duration ("5m"), seconds or a timedelta; returns the new time."""
        body = {"duration": span} if isinstance(span, str) else {"seconds": span}
        return str(self._request("POST", "/_mock/clock/advance", body)["now"])

    def next(
        self,
        *,
        project_id: int | None = None,
        pipeline_id: int | None = None,
        until: str | None = None,
        job: int | str | None = None,
    ) -> list[dict[str, Any]]:
        """Jump to the next visible change, and return what has changed: [] if nothing will.

        With ``until`` jump on until the pipeline, or one of its jobs, has this status.
        """
        body = {"project_id": project_id, "pipeline_id": pipeline_id, "until": until, "job": job}
        changes: list[dict[str, Any]] = self._request("POST", "/_mock/clock/next", body)["changes"]
        return changes

    def wait_until(
        self, status: str, pipeline_id: int, *, job: int | str | None = None
    ) -> dict[str, Any]:
        """Move the clock until a pipeline, or one of its jobs, has a status; show the pipeline.

        Raises:
            MockError: it never has this status by itself; the message says what it does instead.
        """
        self.next(pipeline_id=pipeline_id, until=status, job=job)
        return self.pipeline(pipeline_id)

    def set_clock(
        self,
        now: str | None = None,
        *,
        frozen: bool | None = None,
        speed: float | None = None,
        advance_per_poll: Duration | None = None,
    ) -> None:
        """Set the clock to an ISO 8601 time, which may be earlier, or change how it goes.

        ``speed`` is how many times as fast as real time it runs, and ``advance_per_poll`` how far
        each read of the API moves it.
        """
        body = {"now": now, "frozen": frozen, "speed": speed, "advance_per_poll": advance_per_poll}
        self._request("PUT", "/_mock/clock", body)

    def freeze(self) -> None:
        """Stop the clock."""
        self._request("POST", "/_mock/clock/freeze")

    def resume(self) -> None:
        """Let the clock run on."""
        self._request("POST", "/_mock/clock/resume")

    # ------------------------------------------------------------------ declaring

    def scenario(self, **fields: Unpack[ScenarioFields]) -> int:
        """Declare a scenario with the keys of a file, and return its number.

        Without ``scenario_id`` it gets a free number.
        """
        if "scenario_id" not in fields:
            taken = {row["scenario_id"] for row in self.scenarios()}
            fields["scenario_id"] = max(_FIRST_FREE_NUMBER - 1, *taken) + 1
        return int(self._request("POST", "/_mock/scenarios", fields)["scenario_id"])

    def course(self, name: str) -> int:
        """Declare a course of the gallery, and return the number of its scenario.

        Raises:
            ValueError: there is no course of that name.
        """
        from mock_gitlab.config.gallery import find_course

        course = find_course(name)
        taken = {row["scenario_id"] for row in self._request("GET", "/_mock/scenarios")}
        for fields in course.scenarios:
            if fields["scenario_id"] not in taken:
                self._request("POST", "/_mock/scenarios", fields)
        return course.scenario_id

    def rule(self, **fields: Unpack[RuleFields]) -> str:
        """Declare a rule with the keys of a file (``when``, ``scenario``); returns its key."""
        return str(self._request("POST", "/_mock/rules", fields)["key"])

    def fault(self, **fields: Unpack[FaultFields]) -> str:
        """Declare a fault with the keys of a file (``when``, ``respond``); returns its key."""
        return str(self._request("POST", "/_mock/faults", fields)["key"])

    def switch_rule(self, key: str, *, enabled: bool) -> None:
        """Switch a rule on or off in this world, also one of the files."""
        self._request("PATCH", f"/_mock/rules?key={quote(key)}", {"enabled": enabled})

    def switch_fault(self, key: str, *, enabled: bool) -> None:
        """Switch a fault on or off in this world, also one of the files."""
        self._request("PATCH", f"/_mock/faults?key={quote(key)}", {"enabled": enabled})

    def trigger_token(self, project: int | str, description: str = "test") -> str:
        """Create a trigger token for a project, given by its number or path."""
        path = f"/api/v4/projects/{quote(str(project), safe='')}/triggers"
        return str(self._request("POST", path, {"description": description})["token"])

    # ------------------------------------------------------------------ acting

    def cancel(self, pipeline_id: int, job: int | str | None = None) -> dict[str, Any]:
        """Cancel a pipeline, or one of its jobs, as somebody else does; show the pipeline."""
        return self._act("cancel", pipeline_id, job)

    def retry(self, pipeline_id: int, job: int | str | None = None) -> dict[str, Any]:
        """Retry what has failed in a pipeline, or one of its jobs; show the pipeline."""
        return self._act("retry", pipeline_id, job)

    def play(self, pipeline_id: int, job: int | str) -> dict[str, Any]:
        """Start a manual or delayed job, given by number or name; show the pipeline."""
        return self._act("play", pipeline_id, job)

    def erase(self, pipeline_id: int, job: int | str) -> dict[str, Any]:
        """Erase the log and the artifacts of a job; show the pipeline."""
        return self._act("erase", pipeline_id, job)

    def delete(self, pipeline_id: int) -> None:
        """Delete a pipeline."""
        self._request("DELETE", f"/_mock/pipelines/{pipeline_id}")

    def _act(self, action: str, pipeline_id: int, job: int | str | None) -> dict[str, Any]:
        path = f"/_mock/pipelines/{pipeline_id}/actions"
        shown: dict[str, Any] = self._request("POST", path, {"action": action, "job": job})
        return shown

    # ------------------------------------------------------------------ looking

    def pipelines(self, project_id: int | None = None) -> list[dict[str, Any]]:
        """List the pipelines, newest first, with what GitLab's API hides."""
        query = "" if project_id is None else f"?project_id={project_id}"
        found: list[dict[str, Any]] = self._request("GET", f"/_mock/pipelines{query}")
        return found

    def pipeline(self, pipeline_id: int) -> dict[str, Any]:
        """Show a pipeline with its jobs and its past and future changes."""
        found: dict[str, Any] = self._request("GET", f"/_mock/pipelines/{pipeline_id}")
        return found

    def scenarios(self, source: str | None = None) -> list[dict[str, Any]]:
        """List the scenarios: all, or of the source "builtin", "file" or "runtime"."""
        query = "" if source is None else f"?source={source}"
        found: list[dict[str, Any]] = self._request("GET", f"/_mock/scenarios{query}")
        return found

    def rules(self) -> list[dict[str, Any]]:
        """List the rules in the order in which they are tried."""
        found: list[dict[str, Any]] = self._request("GET", "/_mock/rules")
        return found

    def faults(self) -> list[dict[str, Any]]:
        """List the faults in the order in which they are tried."""
        found: list[dict[str, Any]] = self._request("GET", "/_mock/faults")
        return found

    def requests(
        self,
        *,
        method: str | None = None,
        path: str | None = None,
        operation: str | None = None,
        project_id: int | None = None,
        status: int | None = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """List the requests to the GitLab API, newest first: all, or those that match."""
        filters = _without_none(
            method=method,
            path=path,
            operation=operation,
            project_id=project_id,
            status=status,
            limit=limit,
        )
        query = f"?{urlencode(filters)}" if filters else ""
        found: list[dict[str, Any]] = self._request("GET", f"/_mock/requests{query}")
        return found

    def controls(self, *, limit: int | None = None) -> list[dict[str, Any]]:
        """List what was changed through ``/_mock`` and by whom, newest first."""
        query = "" if limit is None else f"?limit={limit}"
        found: list[dict[str, Any]] = self._request("GET", f"/_mock/controls{query}")
        return found

    def deliveries(
        self,
        *,
        hook_id: int | None = None,
        pipeline_id: int | None = None,
        status: str | None = None,
    ) -> list[dict[str, Any]]:
        """List the newest 1,000 deliveries of webhooks, oldest first: all, or those that match."""
        filters = _without_none(hook_id=hook_id, pipeline_id=pipeline_id, status=status)
        query = f"?{urlencode(filters)}" if filters else ""
        found: list[dict[str, Any]] = self._request("GET", f"/_mock/deliveries{query}")
        return found

    def verify_delivered(
        self,
        status: str,
        *,
        event: str = "Pipeline Hook",
        pipeline_id: int | None = None,
        times: int | None = None,
    ) -> None:
        """Check that webhooks about a status were delivered: at least one, or ``times``.

        Raises:
            AssertionError: they were not; the message shows the nearest misses.
        """
        expected = {"event": event, "status": status, "state": "sent"}
        expected |= _without_none(pipeline_id=pipeline_id)
        every = self.deliveries()
        found = [each for each in every if not differences(expected, each)]
        if len(found) != times and (times is not None or not found):
            raise AssertionError(undelivered(expected, every, len(found), times))

    def explain(self, project: int | str, ref: str, **fields: Any) -> dict[str, Any]:
        """Say which scenario a pipeline would get, and why; nothing is created.

        ``fields`` are those of ``POST /_mock/explain``: ``variables``, ``inputs``, ``source``,
        ``scenario_id``.
        """
        body = {"project": project, "ref": ref, **fields}
        found: dict[str, Any] = self._request("POST", "/_mock/explain", body)
        return found

    def verify(
        self,
        *,
        method: str | None = None,
        path: str | None = None,
        operation: str | Sequence[str] | None = None,
        project: int | str | None = None,
        project_id: int | None = None,
        ref: str | None = None,
        variables: Mapping[str, str | bool | Mapping[str, bool]] | None = None,
        parameters: Mapping[str, Any] | None = None,
        status: int | None = None,
        times: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
    ) -> None:
        """Check that matching requests came in, at least one unless a number is given.

        Raises:
            AssertionError: they did not; the message shows the nearest misses.
        """
        expected = _without_none(
            method=method,
            path=path,
            operation=operation,
            project=project,
            project_id=project_id,
            ref=ref,
            variables=variables,
            parameters=parameters,
            status=status,
            times=times,
            at_least=at_least,
            at_most=at_most,
        )
        status, verification = self._send("POST", "/_mock/verify", expected)
        if status == 409:
            raise AssertionError(verification["message"])
        _raise_for_status(status, verification)

    def reset(self) -> None:
        """Make the world as new; the default world only if ``allow_reset`` is set."""
        self._request("POST", "/_mock/reset")

    # ------------------------------------------------------------------ worlds

    def sandbox(self, name: str, **own: Unpack[SandboxFields]) -> MockWorld:
        """Make an isolated world, optionally with a clock, a seed, projects, ... of its own."""
        self._request("POST", "/_mock/sandboxes", {"name": name, **own})
        return MockWorld(f"{self.url}/sandbox/{quote(name)}", self.token)

    def delete_sandbox(self, name: str) -> None:
        """Delete a sandbox with everything in it."""
        self._request("DELETE", f"/_mock/sandboxes/{quote(name)}")

    # ------------------------------------------------------------------ private

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self._send(method, path, body)
        _raise_for_status(status, answer)
        return answer

    def _send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = None if body is None else _to_json(body, default=_encode_timedelta)
        with self._lock:
            try:
                return self._exchange_with_retry(method, path, sent)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                raise MockError(f"{self.url} does not answer: {error}") from error

    def _exchange_with_retry(self, method: str, path: str, body: str | None) -> tuple[int, Any]:
        try:
            return self._exchange(method, path, body)
        except (ConnectionResetError, BrokenPipeError):
            # The server closes idle connections; it has not seen this request.
            self._connection.close()
            return self._exchange(method, path, body)

    def _exchange(self, method: str, path: str, body: str | None) -> tuple[int, Any]:
        headers = {**_HEADERS, "PRIVATE-TOKEN": self.token}
        self._connection.request(method, self._base + path, body, headers)
        with self._connection.getresponse() as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None


def _encode_timedelta(value: object) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"a {type(value).__name__} cannot be sent as JSON")


def _without_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _raise_for_status(status: int, answer: Any) -> None:
    if status >= 400:
        raise MockError(_message(status, answer))


def _message(status: int, answer: Any) -> str:
    from mock_gitlab.config.diagnostics import where

    body = answer if isinstance(answer, dict) else {}
    if status == 422 and isinstance(body.get("detail"), list):
        lines = [(where(each["loc"][1:]), each["msg"]) for each in body["detail"]]
        return "\n".join(f"{place}: {what}" if place else what for place, what in lines)
    message = body.get("message") or body.get("error") or body.get("detail")
    if not isinstance(message, str):
        return f"{status}: {_to_json(answer)}"
    return message if message.startswith(str(status)) else f"{status}: {message}"
