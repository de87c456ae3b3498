"""Short ways to make pipelines, scenarios and jobs. Times are in seconds here."""

from __future__ import annotations

from typing import Any

from mock_gitlab.engine.instants import from_seconds
from mock_gitlab.engine.model import (
    Action,
    ActionName,
    Instant,
    JobSpec,
    PipelineRecord,
    Scenario,
    job_id,
)
from mock_gitlab.engine.timeline import JobState, Timeline

CREATED: Instant = 1_700_000_000_000
PIPELINE = 7


def at(seconds: float) -> Instant:
    """Return the instant so many seconds after the creation of the pipeline."""
    return CREATED + from_seconds(seconds)


def record(*actions: Action, **given: Any) -> PipelineRecord:
    if "terminal_after" in given:
        given["terminal_after"] = from_seconds(given["terminal_after"])
    for name in ("polled_at", "renamed_at"):
        if given.get(name) is not None:
            given[name] = at(given[name])
    return PipelineRecord(
        id=PIPELINE,
        iid=1,
        project_id=42,
        ref="main",
        sha="0" * 40,
        source="trigger",
        created_at=CREATED,
        actions=actions,
        **given,
    )


def scenario(*jobs: JobSpec, **given: Any) -> Scenario:
    for name in ("terminal_after", "pending"):
        if name in given:
            given[name] = from_seconds(given[name])
    return Scenario(scenario_id=900, name="a scenario", jobs=jobs, **given)


def job(name: str, duration: float = 10, **given: Any) -> JobSpec:
    for key in ("pending", "start_in"):
        if key in given:
            given[key] = from_seconds(given[key])
    return JobSpec(name=name, duration=round(duration * 1000), **given)


def run(slot: int, attempt: int = 0) -> int:
    """Return the id of a run."""
    return job_id(PIPELINE, slot, attempt)


def done(name: ActionName, seconds: float, job_id: int | None = None) -> Action:
    return Action(name, at(seconds), job_id)


def timeline(declared: Scenario, *actions: Action, **given: Any) -> Timeline:
    return Timeline(record(*actions, **given), declared)


def and_then(before: Timeline, *actions: Action) -> Timeline:
    """Return the pipeline with more actions."""
    grown = before.record._replace(actions=(*before.record.actions, *actions))
    return Timeline(grown, before.scenario)


def status(seen: Timeline, seconds: float) -> str:
    return seen.at(at(seconds)).status


def latest(seen: Timeline, seconds: float) -> dict[str, JobState]:
    """Return the latest run of each job, by name."""
    return {job.name: job for job in seen.at(at(seconds)).jobs if not job.retried}


def statuses(seen: Timeline, seconds: float) -> dict[str, str]:
    """Return the status of each job's latest run, by name."""
    return {name: job.status for name, job in latest(seen, seconds).items()}
