"""Report: what a test author wants to see of a world when a test has failed."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from mock_gitlab.control_api.masking import Masking
from mock_gitlab.testing.client import MockError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.testing.client import MockWorld

_READ = 500
_CALLS = 30
_PIPELINES = 10


def report(world: MockWorld, configuration: str | None) -> str:
    """Tell the last calls and pipelines of a world; where it does not answer, tell that."""
    try:
        lines = [
            f"configuration: {configuration or 'none'}",
            "last calls, newest first:",
            *_calls(world.requests(limit=_READ)),
            "pipelines, newest first:",
            *_pipelines(world),
        ]
    except MockError as error:  # which must not end the run of all the other tests
        return str(error)
    return "\n".join(lines)


def _calls(calls: list[dict[str, Any]]) -> list[str]:
    alike = [list(each) for _, each in groupby(calls, key=_in_words)]
    shown = [f"{same[0]['at']} {_in_words(same[0])}{_repeated(same)}" for same in alike[:_CALLS]]
    return [*(shown or ["none"]), *(["and older ones"] if len(alike) > _CALLS else [])]


def _in_words(call: dict[str, Any]) -> str:
    answered = call["outcome"] if call["status"] is None else call["status"]
    struck = f", fault {call['fault']}" if call["fault"] else ""
    return f"{call['method']} {call['path']} -> {answered}{struck}"


def _repeated(same: list[dict[str, Any]]) -> str:
    if len(same) == 1:
        return ""
    newest, oldest = same[0]["at"], same[-1]["at"]
    return f" ({len(same)} times{'' if newest == oldest else f' since {oldest}'})"


def _pipelines(world: MockWorld) -> Iterator[str]:
    masking = Masking(world.token)
    rows = world.pipelines()
    for row in rows[:_PIPELINES]:
        pipeline = world.pipeline(row["id"])
        where = f"#{pipeline['id']} {pipeline['project']} {masking.text(pipeline['ref'])}"
        about = f"{where}: {pipeline['status']}"
        failed = [job["name"] for job in pipeline["jobs"] if job["status"] == "failed"]
        variables = masking.mapping(pipeline["variables"]).items()
        yield f"{about}, {_chosen(pipeline)}"
        if variables:
            yield f"  variables: {', '.join(f'{name}={value}' for name, value in variables)}"
        if failed:
            yield f"  failed jobs: {', '.join(failed)}"
    if not rows:
        yield "none"
    elif len(rows) > _PIPELINES:
        yield "and older ones"


def _chosen(pipeline: dict[str, Any]) -> str:
    matched = pipeline["matched"]
    by = None if matched is None else matched["by"]
    why = {
        None: ", no rules are declared",
        "request": ", which the request named",
        "rule": f" by the rule at {matched and matched['rule']}",
        "default": ", the default: no rule matched",
    }
    return f"scenario {pipeline['scenario_id']}{why[by]}"
