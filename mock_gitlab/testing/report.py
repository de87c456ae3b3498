"""The report on a world that is shown when a test has failed."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from mock_gitlab.control_api.masking import Masking
from mock_gitlab.testing.client import MockError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.testing.client import MockWorld

_REQUESTS_READ = 500
_REQUESTS_SHOWN = 30
_PIPELINES_SHOWN = 10
_OLDER = "and older ones"


def report_on(world: MockWorld, configuration: str | None) -> str:
    """List the last requests and pipelines of a world, or say that it does not answer."""
    try:
        lines = [
            f"configuration: {configuration or 'none'}",
            "last requests, newest first:",
            *_requests(world.requests(limit=_REQUESTS_READ)),
            "pipelines, newest first:",
            *_pipelines(world),
        ]
    except MockError as error:  # must not end the run of the other tests
        return str(error)
    return "\n".join(lines)


def _requests(requests: list[dict[str, Any]]) -> list[str]:
    groups = [list(group) for _, group in groupby(requests, key=_in_words)]
    shown = groups[:_REQUESTS_SHOWN]
    lines = [f"{alike[0]['at']} {_in_words(alike[0])}{_repeated(alike)}" for alike in shown]
    return [*(lines or ["none"]), *([_OLDER] if len(groups) > len(shown) else [])]


def _in_words(request: dict[str, Any]) -> str:
    answered = request["outcome"] if request["status"] is None else request["status"]
    fault = f", fault {request['fault']}" if request["fault"] else ""
    return f"{request['method']} {request['path']} -> {answered}{fault}"


def _repeated(alike: list[dict[str, Any]]) -> str:
    if len(alike) == 1:
        return ""
    newest, oldest = alike[0]["at"], alike[-1]["at"]
    return f" ({len(alike)} times{'' if newest == oldest else f' since {oldest}'})"


def _pipelines(world: MockWorld) -> Iterator[str]:
    masking = Masking(world.token)
    rows = world.pipelines()
    for row in rows[:_PIPELINES_SHOWN]:
        yield from _pipeline(world.pipeline(row["id"]), masking)
    if not rows:
        yield "none"
    elif len(rows) > _PIPELINES_SHOWN:
        yield _OLDER


def _pipeline(pipeline: dict[str, Any], masking: Masking) -> Iterator[str]:
    name = f"#{pipeline['id']} {pipeline['project']} {masking.text(pipeline['ref'])}"
    yield f"{name}: {pipeline['status']}, {_scenario(pipeline)}"
    variables = masking.mapping(pipeline["variables"])
    if variables:
        yield f"  variables: {', '.join(f'{key}={value}' for key, value in variables.items())}"
    failed = [job["name"] for job in pipeline["jobs"] if job["status"] == "failed"]
    if failed:
        yield f"  failed jobs: {', '.join(failed)}"


def _scenario(pipeline: dict[str, Any]) -> str:
    """Name the scenario of a pipeline, and why it has that one."""
    matched = pipeline["matched"] or {"by": None, "rule": None}
    why = {
        None: ", no rules are declared",
        "request": ", which the request named",
        "rule": f" by the rule at {matched['rule']}",
        "default": ", the default: no rule matched",
    }
    return f"scenario {pipeline['scenario_id']}{why[matched['by']]}"
