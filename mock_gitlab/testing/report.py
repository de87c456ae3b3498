"""The report on a world that is shown when a test has failed: what happened, and why."""

from __future__ import annotations

import json
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mock_gitlab.control_api.explained import chosen_by
from mock_gitlab.control_api.masking import Masking
from mock_gitlab.testing.client import MockError
from mock_gitlab.testing.undelivered import delivery_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.testing.client import MockWorld

_REQUESTS_READ = 500
_REQUESTS_SHOWN = 30
_PIPELINES_SHOWN = 10
_JOBS_SHOWN = 20
_RULES_SHOWN = 5
_CONTROLS_SHOWN = 10
_EXTRAS_SHOWN = 10
_DELIVERIES_SHOWN = 10
_LONGEST = 200
_told: WeakKeyDictionary[MockWorld, int] = WeakKeyDictionary()
"""The number of the newest call to each default world of which a report has told."""
_OLDER = "and older ones"


def report_on(world: MockWorld, default: MockWorld, configuration: str | None) -> str:
    """Report on the world of a test, or say that it does not answer.

    ``default`` is the default world of its server, which gets the calls with a wrong base URL.
    """
    try:
        return "\n".join(_lines(world, default, configuration))
    except MockError as error:  # must not end the run of the other tests
        return str(error)


def _lines(world: MockWorld, default: MockWorld, configuration: str | None) -> list[str]:
    clock, requests = world.clock(), world.requests(limit=_REQUESTS_READ)
    return [
        f"clock: {clock['now']}, {'frozen' if clock['frozen'] else 'running'}",
        f"configuration: {configuration or 'none'}",
        *_extras(world),
        "pipelines, newest first:",
        *_pipelines(world, clock["now"]),
        "last requests, newest first:",
        *_requests(requests),
        *([] if requests else _strays(default)),
        *_deliveries(world.deliveries()),
        "changed through /_mock, newest first:",
        *_controls(world.controls(limit=_CONTROLS_SHOWN + 1)),
    ]


# ---------------------------------------------------------------------------- declared


def _extras(world: MockWorld) -> Iterator[str]:
    """Say what is declared for this world beside the files, and what is switched off in it."""
    lines = [
        *(
            f"with scenario {row['scenario_id']}: {row['name']}"
            for row in world.scenarios("runtime")
        ),
        *_extra(world.rules(), "rule", ("when", "scenarios", "variables", "respond")),
        *_extra(world.faults(), "fault", ("definition",)),
    ]
    yield from (f"  {line}" for line in lines[:_EXTRAS_SHOWN])
    if len(lines) > _EXTRAS_SHOWN:
        yield f"  and {len(lines) - _EXTRAS_SHOWN} more"


def _extra(rows: list[dict[str, Any]], kind: str, fields: tuple[str, ...]) -> Iterator[str]:
    for row in rows:
        if row["source"] == "runtime":
            shown = {name: row[name] for name in fields if row[name]}
            yield f"with {kind} {row['key']}:{_sent(shown)}"
        if not row["enabled"]:
            yield f"without {kind} {row['place']}, which is switched off"


# ---------------------------------------------------------------------------- requests


def _requests(requests: list[dict[str, Any]]) -> list[str]:
    groups = [list(group) for _, group in groupby(requests, key=_in_words)]
    shown = groups[:_REQUESTS_SHOWN]
    lines = [f"{alike[0]['at']} {_in_words(alike[0])}{_repeated(alike)}" for alike in shown]
    return [*(lines or ["none"]), *([_OLDER] if len(groups) > len(shown) else [])]


def _in_words(request: dict[str, Any]) -> str:
    answered = request["outcome"] if request["status"] is None else request["status"]
    fault = f", fault {request['fault']}: {request['does']}" if request["fault"] else ""
    rule = f", rule {request['rule']}" if request["rule"] else ""
    reason = f": {_short(request['reason'])}" if request["reason"] and not fault else ""
    return f"{request['method']} {request['path']} -> {answered}{fault or rule}{reason}"


def _repeated(alike: list[dict[str, Any]]) -> str:
    if len(alike) == 1:
        return ""
    newest, oldest = alike[0]["at"], alike[-1]["at"]
    return f" ({len(alike)} times{'' if newest == oldest else f' since {oldest}'})"


def _strays(default: MockWorld) -> list[str]:
    """Say how many calls went to the default world of which no report has told, if any."""
    requests = default.requests(limit=_REQUESTS_READ)
    newest = max((request["id"] for request in requests), default=0)
    count = sum(request["id"] > _told.get(default, 0) for request in requests)
    _told[default] = newest
    if not count:
        return []
    calls = "1 call" if count == 1 else f"{count} calls"
    return [f"{calls} went to the default world of this server: is the base URL wrong?"]


def _deliveries(deliveries: list[dict[str, Any]]) -> Iterator[str]:
    """Say which webhooks went out, or are to go out, if there are any."""
    if deliveries:
        yield "webhooks, newest first:"
        yield from map(delivery_in_words, deliveries[: -_DELIVERIES_SHOWN - 1 : -1])
    if len(deliveries) > _DELIVERIES_SHOWN:
        yield _OLDER


def _controls(controls: list[dict[str, Any]]) -> list[str]:
    lines = [_control(each) for each in controls[:_CONTROLS_SHOWN]]
    return [*(lines or ["nothing"]), *([_OLDER] if len(controls) > len(lines) else [])]


def _control(control: dict[str, Any]) -> str:
    query = f"?{control['query']}" if control["query"] else ""
    by = "" if control["client"] == "mock_gitlab" else f", by {control['client']}"
    address = f"{control['method']} {control['path']}{query}"
    return f"{control['at']} {address}{_sent(control['body'])}{by}"


def _sent(body: Any) -> str:
    """Write a body without the keys that say nothing; a long one is text that breaks off."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if value is not None}
    if not body:
        return ""
    return f" {_short(body if isinstance(body, str) else json.dumps(body, ensure_ascii=False))}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


# ---------------------------------------------------------------------------- pipelines


def _pipelines(world: MockWorld, now: str) -> Iterator[str]:
    masking = Masking(world.token)
    rows = world.pipelines()
    for row in rows[:_PIPELINES_SHOWN]:
        yield from _pipeline(world.pipeline(row["id"]), masking, now)
    if not rows:
        yield "none"
    elif len(rows) > _PIPELINES_SHOWN:
        yield _OLDER


def _pipeline(pipeline: dict[str, Any], masking: Masking, now: str) -> Iterator[str]:
    name = f"#{pipeline['id']} {pipeline['project']} {masking.text(pipeline['ref'])}"
    yield f"{name}: {pipeline['status']}, {_scenario(pipeline)}"
    yield from _passed_rules(pipeline)
    variables = masking.mapping(pipeline["variables"])
    if variables:
        yield f"  variables: {', '.join(f'{key}={value}' for key, value in variables.items())}"
    jobs = pipeline["jobs"]
    if jobs:
        more = f" and {len(jobs) - _JOBS_SHOWN} more" if len(jobs) > _JOBS_SHOWN else ""
        shown = ", ".join(f"{job['name']} {job['status']}" for job in jobs[:_JOBS_SHOWN])
        yield f"  jobs: {shown}{more}"
    yield f"  next: {_next(pipeline, now)}"


def _scenario(pipeline: dict[str, Any]) -> str:
    """Name the scenario of a pipeline, and why it has that one."""
    matched = pipeline["matched"]
    why = "no rules are declared" if matched is None else chosen_by(matched)
    return f"scenario {pipeline['scenario_id']}, {why}"


def _passed_rules(pipeline: dict[str, Any]) -> Iterator[str]:
    matched = pipeline["matched"] or {"passed": [], "unexplained": 0}
    passed = matched["passed"]
    for each in islice(passed, _RULES_SHOWN):
        yield f"  not the rule at {each['rule']}: {each['because']}"
    more = len(passed) - _RULES_SHOWN + matched["unexplained"]
    if more > 0:
        yield f"  and not {more} more"


def _next(pipeline: dict[str, Any], now: str) -> str:
    """Say what happens to a pipeline by itself, or what it waits for."""
    to_come = [change for change in pipeline["timeline"] if change["at"] > now]
    if to_come:
        change = to_come[0]
        return f"{change['name']} {change['after']} at {change['at']}"
    manual = [job["name"] for job in pipeline["jobs"] if job["status"] == "manual"]
    if manual:
        return f"nothing, unless somebody plays {', '.join(manual[:_JOBS_SHOWN])}"
    return "nothing"
