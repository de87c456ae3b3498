"""MockWorld: the test author's hand on one world, over HTTP and with the standard library alone."""

from __future__ import annotations

import http.client
import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from mock_gitlab.testing.keywords import Duration, FaultFields, RuleFields, ScenarioFields

__tracebackhide__ = True
"""Makes pytest show the line of a test that was refused, and none of this file."""
_FIRST_NUMBER = 10_000


class MockError(Exception):
    """The mock refused what was asked of it, or does not answer; the message says which."""


class MockWorld:
    """A world of a running server: the default one, or a sandbox.

    ``url`` is what a client of GitLab gets as its base URL, ``token`` what it authenticates with.
    Threads may share it. What the server refuses is a MockError.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self.token = token
        parts = urlsplit(self.url)
        self._base = parts.path
        self._lock = threading.Lock()
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    @property
    def api_url(self) -> str:
        """The address of the API, for clients that want it with its prefix."""
        return f"{self.url}/api/v4"

    def close(self) -> None:
        """Close the connection to the server; the next call opens another."""
        self._connection.close()

    def __enter__(self) -> MockWorld:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # ------------------------------------------------------------------ time

    def now(self) -> str:
        """Read the clock: ISO 8601, UTC."""
        return str(self._call("GET", "/_mock/clock")["now"])

    def advance(self, span: Duration) -> str:
        """Move the clock by a duration ("5m"), seconds or a timedelta; returns the new time."""
        body = {"duration": span} if isinstance(span, str) else {"seconds": span}
        return str(self._call("POST", "/_mock/clock/advance", body)["now"])

    def next(
        self, *, project_id: int | None = None, pipeline_id: int | None = None
    ) -> list[dict[str, Any]]:
        """Jump to the next visible change, and tell what has changed; nothing to come: []."""
        body = {"project_id": project_id, "pipeline_id": pipeline_id}
        changes: list[dict[str, Any]] = self._call("POST", "/_mock/clock/next", body)["changes"]
        return changes

    def set_clock(self, now: str, *, frozen: bool | None = None) -> None:
        """Set the clock to an ISO 8601 time, back too."""
        self._call("PUT", "/_mock/clock", {"now": now, "frozen": frozen})

    def freeze(self) -> None:
        """Stop the clock."""
        self._call("POST", "/_mock/clock/freeze")

    def resume(self) -> None:
        """Let the clock go on."""
        self._call("POST", "/_mock/clock/resume")

    # ------------------------------------------------------------------ what is declared

    def scenario(self, **fields: Unpack[ScenarioFields]) -> int:
        """Declare a scenario with the fields of a file, and return its number.

        Without ``scenario_id`` it gets a free one.
        """
        if "scenario_id" not in fields:
            taken = {row["scenario_id"] for row in self._call("GET", "/_mock/scenarios")}
            fields["scenario_id"] = max(_FIRST_NUMBER, *taken) + 1
        return int(self._call("POST", "/_mock/scenarios", fields)["scenario_id"])

    def rule(self, **fields: Unpack[RuleFields]) -> str:
        """Declare a rule with the fields of a file (``when``, ``scenario``); returns its key."""
        return str(self._call("POST", "/_mock/rules", fields)["key"])

    def fault(self, **fields: Unpack[FaultFields]) -> str:
        """Declare a fault with the fields of a file (``when``, ``respond``); returns its key."""
        return str(self._call("POST", "/_mock/faults", fields)["key"])

    def trigger_token(self, project: int | str, description: str = "test") -> str:
        """Make a trigger token of a project, given by its number or path."""
        path = f"/api/v4/projects/{quote(str(project), safe='')}/triggers"
        return str(self._call("POST", path, {"description": description})["token"])

    # ------------------------------------------------------------------ what was recorded

    def pipelines(self, project_id: int | None = None) -> list[dict[str, Any]]:
        """List the pipelines, newest first, with what GitLab's shape hides."""
        query = "" if project_id is None else f"?project_id={project_id}"
        found: list[dict[str, Any]] = self._call("GET", f"/_mock/pipelines{query}")
        return found

    def pipeline(self, pipeline_id: int) -> dict[str, Any]:
        """Show a pipeline with its jobs and its course."""
        found: dict[str, Any] = self._call("GET", f"/_mock/pipelines/{pipeline_id}")
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
        """List the calls to the GitLab API, newest first: all, or those that match."""
        wanted = _given(
            method=method,
            path=path,
            operation=operation,
            project_id=project_id,
            status=status,
            limit=limit,
        )
        query = f"?{urlencode(wanted)}" if wanted else ""
        found: list[dict[str, Any]] = self._call("GET", f"/_mock/requests{query}")
        return found

    def verify(
        self,
        *,
        method: str | None = None,
        path: str | None = None,
        operation: str | None = None,
        project: int | str | None = None,
        project_id: int | None = None,
        ref: str | None = None,
        variables: Mapping[str, str | bool] | None = None,
        status: int | None = None,
        times: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
    ) -> None:
        """Check that matching calls were made, at least one unless a number is given.

        Raises:
            AssertionError: the journal does not agree; the message shows the nearest misses.
        """
        expected = _given(
            method=method,
            path=path,
            operation=operation,
            project=project,
            project_id=project_id,
            ref=ref,
            variables=variables,
            status=status,
            times=times,
            at_least=at_least,
            at_most=at_most,
        )
        answered, found = self._ask("POST", "/_mock/verify", expected)
        if answered == 409:
            raise AssertionError(found["message"])
        _refuse(answered, found)

    def reset(self) -> None:
        """Make the world as new; of the default world only where that is allowed."""
        self._call("POST", "/_mock/reset")

    # ------------------------------------------------------------------ worlds

    def sandbox(
        self, name: str, *, clock: Mapping[str, Any] | None = None, seed: int | str | None = None
    ) -> MockWorld:
        """Make an isolated world beside this one, perhaps with a clock or seed of its own."""
        self._call("POST", "/_mock/sandboxes", {"name": name, "clock": clock, "seed": seed})
        return MockWorld(f"{self.url}/sandbox/{quote(name)}", self.token)

    def delete_sandbox(self, name: str) -> None:
        """Drop a sandbox with all that is in it."""
        self._call("DELETE", f"/_mock/sandboxes/{quote(name)}")

    # ------------------------------------------------------------------ private

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self._ask(method, path, body)
        _refuse(status, answer)
        return answer

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = None if body is None else json.dumps(body, default=_seconds)
        with self._lock:
            try:
                return self._exchange_again(method, path, sent)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                raise MockError(f"{self.url} does not answer: {error}") from error

    def _exchange_again(self, method: str, path: str, body: str | None) -> tuple[int, Any]:
        try:
            return self._exchange(method, path, body)
        except (ConnectionResetError, BrokenPipeError):
            # A connection that nobody used for a while may be closed by now; it saw no call.
            self._connection.close()
            return self._exchange(method, path, body)

    def _exchange(self, method: str, path: str, body: str | None) -> tuple[int, Any]:
        headers = {"PRIVATE-TOKEN": self.token, "Content-Type": "application/json"}
        self._connection.request(method, self._base + path, body, headers)
        with self._connection.getresponse() as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None


def _seconds(value: object) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"a {type(value).__name__} cannot be sent as JSON")


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _refuse(status: int, answer: Any) -> None:
    if status >= 400:
        raise MockError(_in_words(status, answer))


def _in_words(status: int, answer: Any) -> str:
    from mock_gitlab.config.diagnostics import where

    told = answer if isinstance(answer, dict) else {}
    if isinstance(told.get("detail"), list):
        lines = [(where(each["loc"][1:]), each["msg"]) for each in told["detail"]]
        return "\n".join(f"{place}: {what}" if place else what for place, what in lines)
    said = told.get("message") or told.get("error")
    if not isinstance(said, str):
        return f"{status}: {json.dumps(answer)}"
    return said if said.startswith(str(status)) else f"{status}: {said}"
