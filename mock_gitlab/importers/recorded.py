"""Make scenarios of a recorded pipeline and of those that it started.

REST does not tell ``needs`` and ``when``. They are guessed such that each job runs when it ran.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.statuses import COMPLETED, PREPARATORY, composite

from .durations import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .recording import RecordedRun, Recording
    from .secrets import Cleaner

BY_ITSELF = 2000
"""A retry that follows so many milliseconds after a failure, at most, needed nobody."""
_RETRIES_LIMIT = 2
_FOR_EVER = LONGEST
_PASSED = (None, "success", "skipped")
_QUEUED = PREPARATORY | {"pending"}
_PARTED = (".pre", ".post")


@dataclass(slots=True)
class RecordedJob:
    """A job with its runs, the first one first. ``retries`` followed by themselves."""

    runs: list[RecordedRun]
    retries: int = 0

    @property
    def first(self) -> RecordedRun:
        """Its first run."""
        return self.runs[0]

    @property
    def last(self) -> RecordedRun:
        """Its latest run, which decides for others."""
        return self.runs[-1]

    def later(self) -> Iterator[tuple[RecordedRun, int]]:
        """Give each run but the first, and the instant at which a replay makes it."""
        for number, (before, run) in enumerate(pairwise(self.runs)):
            by_itself = number < self.retries and before.finished is not None
            yield run, before.finished if by_itself and before.finished else run.created

    def ended_by(self, instant: int) -> RecordedRun | None:
        """Find the latest run that had ended by an instant, and was not retried by itself."""
        ended = [
            run
            for place, run in enumerate(self.runs)
            if place >= self.retries and run.end is not None and run.end <= instant
        ]
        return ended[-1] if ended else None


@dataclass(slots=True)
class Made:
    """A scenario of a recording, with the keys of YAML.

    ``also`` are those of pipelines that it started and of which only the end is known.
    """

    recording: Recording
    scenario: dict[str, Any]
    jobs: list[RecordedJob]
    also: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def make_scenarios(recording: Recording, first: int, clean: Cleaner) -> list[Made]:
    """Make the scenarios, the recorded pipeline's first; numbers count from ``first``."""
    for each in _all(recording):
        clean.learn(value for _, value in each.variables)
    maker = _Maker(clean, count(first))
    maker.make(recording)
    return maker.made


def _all(recording: Recording) -> Iterator[Recording]:
    yield recording
    for each in recording.downstream.values():
        yield from _all(each)


def jobs_of(runs: Iterable[RecordedRun]) -> list[RecordedJob]:
    """Group runs by the names of their jobs, in order."""
    by_name: dict[str, RecordedJob] = {}
    for run in runs:
        by_name.setdefault(run.name, RecordedJob([])).runs.append(run)
    for job in by_name.values():
        job.retries = _retries(job.runs)
    return list(by_name.values())


def _retries(runs: list[RecordedRun]) -> int:
    """Count the retries that followed by themselves before any other."""
    for number, (run, after) in enumerate(pairwise(runs)):
        at_once = run.finished is not None and 0 <= after.created - run.finished <= BY_ITSELF
        if run.status != "failed" or not at_once or number == _RETRIES_LIMIT:
            return number
    return len(runs) - 1


def seconds(milliseconds: int) -> float:
    """Write a duration in seconds, whole if it is."""
    whole, rest = divmod(milliseconds, 1000)
    return milliseconds / 1000 if rest else whole


class _Maker:
    def __init__(self, clean: Cleaner, numbers: Iterator[int]) -> None:
        self._clean = clean
        self._numbers = numbers
        self.made: list[Made] = []

    def make(self, recording: Recording) -> int:
        """Make the scenario of a pipeline, then those of the pipelines that it started."""
        number = next(self._numbers)
        name = self._clean.text(f"pipeline {recording.id} of {recording.ref}")[:255]
        scenario: dict[str, Any] = {"scenario_id": number, "name": name}
        made = Made(recording, scenario, jobs_of(recording.runs))
        self.made.append(made)
        if recording.coverage is not None and recording.coverage <= 100:
            scenario["coverage"] = recording.coverage
        if recording.yaml_errors is not None:
            scenario["yaml_errors"] = self._clean.text(recording.yaml_errors)[:255]
        elif made.jobs:
            scenario |= self._with_jobs(made)
        else:
            scenario |= _without_jobs(recording)
        if recording.suites:
            suites = [self._suite(suite) for suite in recording.suites]
            scenario["test_report"] = {"suites": suites}
        return number

    def _with_jobs(self, made: Made) -> dict[str, Any]:
        stages = dict.fromkeys(job.first.stage for job in made.jobs)
        written: dict[str, Any] = {"stages": [each for each in stages if each not in _PARTED]}
        order = {stage: place for place, stage in enumerate(stages)}
        written["jobs"] = jobs = []
        now = max(made.recording.moments())
        for job in made.jobs:
            earlier = [j for j in made.jobs if order[j.first.stage] < order[job.first.stage]]
            jobs.append(self._job(made, job, *_turn(job, earlier, now)))
        return written

    def _job(
        self, made: Made, job: RecordedJob, turn: int, keys: Mapping[str, Any]
    ) -> dict[str, Any]:
        run = job.first
        written: dict[str, Any] = {"name": run.name, "stage": run.stage}
        written["allow_failure"] = job.last.allow_failure
        if run.tags:
            written["tags"] = list(run.tags)
        written |= keys
        if "needs" in keys:
            made.notes.append(f"{run.name}: needs is a guess, by when it ran")
        if run.bridge:
            return written | self._bridge(made, run, turn)
        written |= self._run(run, turn)
        if job.retries or any(each.failure_reason == "scheduler_failure" for each in job.runs):
            written["retry"] = job.retries
        if len(job.runs) > 1:
            later = [self._run(each, at, entry=True) for each, at in job.later()]
            written["attempts"] = [self._run(run, turn, entry=True), *later]
        return written

    def _run(self, run: RecordedRun, turn: int, *, entry: bool = False) -> dict[str, Any]:
        """Write what a run does whose turn comes at an instant."""
        times = _times(run, turn)
        if entry:
            times = {"duration": 0, "status": "success", "created_seconds": 0} | times
            times = {"pending_seconds": 0, "never_complete": False} | times
        if run.status == "failed" and run.failure_reason is not None:
            times["failure_reason"] = run.failure_reason
        if run.coverage is not None and run.coverage <= 100:
            times["coverage"] = run.coverage
        if run.trace or entry:
            times["trace"] = self._clean.text(run.trace)
        return times

    def _bridge(self, made: Made, run: RecordedRun, turn: int) -> dict[str, Any]:
        times = _times(run, turn)
        kept = {key: times[key] for key in times if key in ("created_seconds", "pending_seconds")}
        if run.downstream is None:
            if run.status == "failed":
                kept["status"] = "failed"
                kept |= {"failure_reason": run.failure_reason} if run.failure_reason else {}
            made.notes.append(f"{run.name}: which project it starts a pipeline in is not known")
            return kept | {"downstream": {"project": made.recording.project}}
        number, project, status = run.downstream
        recorded = made.recording.downstream.get(number)
        target = {"include": run.name} if project is None else {"project": str(project)}
        written: dict[str, Any] = {**target}
        if recorded is None:
            made.notes.append(
                f"{run.name}: its pipeline {number} was not recorded, but how it ends"
            )
            written["scenario"] = self._unrecorded(made, number, status, run)
        else:
            written["scenario"] = self.make(recorded)
            variables = {key: self._clean.value(value) for key, value in recorded.variables}
            written |= {"variables": variables} if variables else {}
        if recorded is None or _waits_for(run, recorded):
            written["strategy"] = "depend"
        return kept | {"trigger" if project is None else "downstream": written}

    def _unrecorded(self, made: Made, number: int, status: str, run: RecordedRun) -> int:
        own = next(self._numbers)
        scenario: dict[str, Any] = {"scenario_id": own, "name": f"pipeline {number}"}
        if status in COMPLETED and run.finished is not None and run.started is not None:
            scenario["terminal_after_seconds"] = seconds(max(0, run.finished - run.started))
            scenario["terminal_status"] = status
        elif status in COMPLETED:
            scenario["terminal_status"] = status
        else:
            scenario["never_complete"] = True
        made.also.append(scenario)
        return own

    def _suite(self, suite: Mapping[str, Any]) -> dict[str, Any]:
        cases = [self._case(case) for case in suite.get("test_cases") or ()]
        written: dict[str, Any] = {"name": suite["name"], "cases": cases}
        if suite.get("suite_error"):
            written["suite_error"] = self._clean.text(str(suite["suite_error"]))
        return written

    def _case(self, case: Mapping[str, Any]) -> dict[str, Any]:
        written: dict[str, Any] = {"name": self._clean.text(case["name"])}
        if case.get("status") in ("failed", "error", "skipped"):
            written["status"] = case["status"]
        if isinstance(case.get("execution_time"), int | float) and case["execution_time"] > 0:
            written["execution_time"] = case["execution_time"]
        for key in ("classname", "file", "system_output", "stack_trace"):
            value = case.get(key)
            if value:
                text = value if isinstance(value, str) else json.dumps(value)
                written[key] = self._clean.text(text)
        return written


# ---------------------------------------------------------------------------- when it runs


def _turn(job: RecordedJob, earlier: list[RecordedJob], now: int) -> tuple[int, dict[str, Any]]:
    """Find when the turn of a job came, and the keys that make it come then.

    ``now`` is the last recorded moment.
    """
    at, status = _first_seen(job.first), job.first.status
    if at is not None or status in _QUEUED:
        return _turn_of_run(now if at is None else at, earlier)
    turn = max((each.last.end or 0 for each in earlier), default=0)
    previous = composite((each.last.status, each.last.allow_failure) for each in earlier)
    passed = previous in _PASSED
    if status == "created":
        return turn, {"created_seconds": _FOR_EVER} if passed else {}
    if status == "manual":
        return turn, {"when": "manual"} | ({} if passed else {"needs": []})
    if status == "scheduled":
        waits = {"when": "delayed", "start_in": _FOR_EVER}
        return turn, waits | ({} if passed else {"needs": []})
    if status != "skipped" or previous in ("failed", "canceled"):
        return turn, {}
    by_failure: dict[str, Any] = {"when": "on_failure"} | ({} if passed else {"needs": []})
    return turn, _reason_to_skip(earlier) or by_failure


def _first_seen(run: RecordedRun) -> int | None:
    return next((at for at in (run.queued, run.started, run.finished) if at is not None), None)


def _turn_of_run(at: int, earlier: list[RecordedJob]) -> tuple[int, dict[str, Any]]:
    ended = [run for each in earlier if (run := each.ended_by(at)) is not None]
    passed = [each for each in earlier if each.last.status == "manual" and each.last.allow_failure]
    if len(ended) + len(passed) == len(earlier):
        turn = max((run.end or 0 for run in ended), default=0)
        previous = composite((run.status, run.allow_failure) for run in ended)
        if previous in _PASSED:
            return turn, {}
        if previous == "failed":
            return turn, {"when": "always"}
    good = [run for run in ended if run.status == "success" or _warns(run)]
    turn = max((run.end or 0 for run in good), default=0)
    return turn, {"needs": [run.name for run in good if run.end == turn]}


def _warns(run: RecordedRun) -> bool:
    return run.status in ("failed", "canceled") and run.allow_failure


def _reason_to_skip(earlier: list[RecordedJob]) -> dict[str, Any]:
    """Find a job whose end skips those that need it."""
    found = [each.last for each in earlier if _skips(each.last)]
    return {"needs": [found[0].name]} if found else {}


def _skips(run: RecordedRun) -> bool:
    if run.status == "manual":
        return run.allow_failure
    return run.status in ("failed", "canceled", "skipped") and not _warns(run)


def _times(run: RecordedRun, turn: int) -> dict[str, Any]:
    """Say how long a run waits from its turn on, how long it takes, and how it ends."""
    times: dict[str, Any] = {}
    at = _first_seen(run)
    if at is not None and at > turn:
        times["created_seconds"] = seconds(at - turn)
    left = run.finished if run.started is None else run.started
    if run.queued is not None and left is not None and left > run.queued:
        times["pending_seconds"] = seconds(left - run.queued)
    if run.status in COMPLETED:
        if run.started is not None and run.finished is not None:
            times["duration"] = seconds(max(0, run.finished - run.started))
        if run.status not in ("success", "skipped"):
            times["status"] = run.status
    elif run.started is not None:
        times["never_complete"] = True
    elif run.status not in ("created", "manual", "scheduled"):
        times[f"{run.status}_seconds"] = _FOR_EVER
    return times


def _waits_for(run: RecordedRun, downstream: Recording) -> bool:
    """Guess whether a bridge waits for its pipeline: it ends no sooner."""
    if run.status not in COMPLETED:
        return True
    if run.started is None or run.finished is None or downstream.finished is None:
        return False
    slack = min(BY_ITSELF, downstream.finished // 2)
    return run.finished - run.started >= downstream.finished - slack


def _without_jobs(recording: Recording) -> dict[str, Any]:
    status, started = recording.status, recording.started
    written: dict[str, Any] = {}
    if started:
        written["pending_seconds"] = seconds(started)
    if status in COMPLETED:
        after = {} if recording.finished is None else {"terminal_after_seconds": recording.finished}
        written |= {key: seconds(value) for key, value in after.items()}
        return written | {"terminal_status": status}
    if status in ("created", "pending"):
        written[f"{status}_seconds"] = _FOR_EVER
    return written | {"never_complete": True}
