"""The models of a pipeline's jobs, their conversion to the engine's, and their contradictions."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mock_gitlab.engine.failures import FailureReason
from mock_gitlab.engine.model import (
    ATTEMPTS_LIMIT,
    JOBS_LIMIT,
    NAME_LIMIT,
    Downstream,
    JobAttempt,
    JobSpec,
    TerminalStatus,
    Variable,
    When,
)

from .diagnostics import short
from .fields import (
    DurationField,
    Name,
    Percent,
    ProjectName,
    ScenarioNumber,
    StrictModel,
    Text,
    TextOrNumber,
    Violation,
    repeated,
)
from .job_values import (
    COPIES_LIMIT,
    AllowFailure,
    AllowFailureModel,
    Artifacts,
    EnvironmentField,
    EnvironmentModel,
    ExitCode,
    Need,
    NeedModel,
    Parallel,
    RetryField,
    artifacts_from,
    environment_from,
    retry_from,
)
from .waits import (
    Created,
    MaybeCanceling,
    MaybeCreated,
    MaybePending,
    MaybePreparing,
    MaybeWaitingForCallback,
    MaybeWaitingForResource,
    Pending,
    Preparing,
    WaitingForCallback,
    WaitingForResource,
    waits_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mock_gitlab.engine.model import Duration

_LISTED = 20
"""The most names that a message lists."""


class JobAttemptModel(StrictModel):
    """What one run of a job changes; other values are the job's."""

    duration: DurationField | None = Field(
        None, description="How long it runs.", examples=[30, "1m"]
    )
    status: TerminalStatus | None = Field(None, description="How it ends.")
    failure_reason: FailureReason | None = Field(None, description="Why it fails.")
    exit_code: ExitCode | None = Field(None, description="The exit code with which it fails.")
    created_seconds: MaybeCreated = None
    waiting_for_resource_seconds: MaybeWaitingForResource = None
    preparing_seconds: MaybePreparing = None
    waiting_for_callback_seconds: MaybeWaitingForCallback = None
    pending_seconds: MaybePending = None
    canceling_seconds: MaybeCanceling = None
    never_complete: bool | None = Field(None, description="Whether it never ends.")
    trace: Text | None = Field(None, description="Its log.")
    coverage: Percent | None = Field(None, description="The coverage that it reports.")
    artifacts: Artifacts | None = Field(None, description="Its artifacts.")

    def to_engine(self) -> JobAttempt:
        """Convert to the engine's type."""
        return JobAttempt(
            duration=self.duration,
            status=self.status,
            failure_reason=self.failure_reason,
            exit_code=self.exit_code,
            **waits_of(self),
            never_complete=self.never_complete,
            trace=self.trace,
            coverage=self.coverage,
            artifacts=None if self.artifacts is None else artifacts_from(self.artifacts),
        )


class DownstreamModel(StrictModel):
    """The pipeline that a bridge starts."""

    project: ProjectName = Field(
        description="The project in which it starts: path or id.", examples=["group/deploy", 43]
    )
    scenario: ScenarioNumber | None = Field(
        None, description="Its scenario; by default the rules choose.", examples=[900]
    )
    ref: Name | None = Field(None, description="Its ref; by default the project's default branch.")
    strategy: Literal["depend"] | None = Field(
        None, description="depend: the bridge shows the status of the pipeline that it starts."
    )
    variables: dict[Name, TextOrNumber] = Field({}, description="Its variables.")

    def to_engine(self) -> Downstream:
        """Convert to the engine's type."""
        return Downstream(
            project=self.project,
            scenario_id=self.scenario,
            ref=self.ref,
            strategy=self.strategy,
            variables=tuple(Variable(*pair) for pair in self.variables.items()),
        )


class JobModel(StrictModel):
    """A job of a pipeline."""

    name: Name = Field(
        description="Its name, which is unique in the pipeline.", examples=["unit tests"]
    )
    stage: Name = Field("test", description="Its stage.", examples=["build", "test", "deploy"])
    duration: DurationField = Field(0, description="How long it runs.", examples=[30, "1m"])
    status: TerminalStatus = Field("success", description="How it ends.")
    failure_reason: FailureReason | None = Field(
        None, description="Why it fails; by default script_failure, of a bridge unknown_failure."
    )
    exit_code: ExitCode = Field(1, description="The exit code with which it fails.")
    retry: RetryField | None = Field(
        None, description="How many retries follow by themselves when it fails."
    )
    timeout: DurationField | None = Field(
        None, description="After how long it fails as job_execution_timeout.", examples=["1h"]
    )
    when: When = Field("on_success", description="When it runs.")
    start_in: DurationField | None = Field(
        None, description="How long a job with when: delayed waits.", examples=["10m"]
    )
    allow_failure: AllowFailure | None = Field(
        None,
        description="Whether the pipeline goes on if it fails; by default only for manual jobs.",
    )
    needs: list[Need] | None = Field(
        None,
        description="The jobs that it waits for, instead of the stages before; []: for none.",
    )
    dependencies: list[Name] | None = Field(
        None, description="The jobs whose artifacts it gets; they change nothing."
    )
    created_seconds: Created = 0
    waiting_for_resource_seconds: WaitingForResource = 0
    preparing_seconds: Preparing = 0
    waiting_for_callback_seconds: WaitingForCallback = 0
    pending_seconds: Pending = 0
    canceling_seconds: DurationField | None = Field(
        None, description="How long a cancel takes while it runs; by default as the scenario says."
    )
    never_complete: bool = Field(False, description="Whether it never ends.")
    tags: list[Name] = Field([], description="The tags of the runner that it needs.")
    coverage: Percent | None = Field(None, description="The coverage that it reports.")
    trace: Text = Field("", description="Its log.", examples=["compiling...\ndone\n"])
    artifacts: Artifacts = Field(
        default_factory=list, description="Its artifacts: paths and their text."
    )
    attempts: list[JobAttemptModel] = Field(
        [],
        max_length=ATTEMPTS_LIMIT,
        description="What each run changes; the last entry repeats.",
    )
    parallel: Parallel | None = Field(
        None, description='How many copies of it run, named "name 1/3", "name 2/3", ...'
    )
    interruptible: bool = Field(
        False, description="Whether a newer pipeline may cancel it. Nothing cancels it here."
    )
    environment: EnvironmentField | None = Field(
        None, description="The environment that it deploys to."
    )
    downstream: DownstreamModel | None = Field(
        None, description="The pipeline that it starts, which makes it a bridge."
    )

    def names(self) -> list[str]:
        """List the names of its copies, or its own."""
        if self.parallel is None:
            return [self.name]
        if not isinstance(self.parallel, int):
            return [self.name + suffix for suffix in islice(self.parallel.suffixes(), COPIES_LIMIT)]
        return [f"{self.name} {n}/{self.parallel}" for n in range(1, self.parallel + 1)]

    def to_engine(self, name: str, needs: tuple[str, ...] | None, canceling: Duration) -> JobSpec:
        """Convert one copy to the engine's type; ``canceling`` is what its scenario says of it."""
        canceling = canceling if self.canceling_seconds is None else self.canceling_seconds
        manual, allowed = self.when == "manual", self.allow_failure
        codes = allowed.exit_codes if isinstance(allowed, AllowFailureModel) else ()
        return JobSpec(
            name=name,
            stage=self.stage,
            duration=self.duration,
            status=self.status,
            failure_reason=self.failure_reason,
            when=self.when,
            start_in=self.start_in or 0,
            allow_failure=manual if allowed is None else allowed is True,
            allowed_exit_codes=tuple(codes),
            exit_code=self.exit_code,
            retry=retry_from(self.retry),
            timeout=self.timeout,
            interruptible=self.interruptible,
            environment=environment_from(self.environment),
            needs=needs,
            **{**waits_of(self), "canceling": canceling},
            never_complete=self.never_complete,
            tags=tuple(self.tags),
            coverage=self.coverage,
            trace=self.trace,
            artifacts=artifacts_from(self.artifacts),
            attempts=tuple(attempt.to_engine() for attempt in self.attempts),
            downstream=None if self.downstream is None else self.downstream.to_engine(),
        )


# ---------------------------------------------------------------------------- jobs together


def to_engine_jobs(jobs: Sequence[JobModel], canceling: Duration) -> tuple[JobSpec, ...]:
    """Convert jobs to the engine's. A job that needs a ``parallel`` job needs all its copies.

    ``canceling`` is for the jobs that do not say how long a cancel takes.
    """
    names = {job.name: job.names() for job in jobs}
    return tuple(
        job.to_engine(name, _needs_of(job, names), canceling)
        for job in jobs
        for name in names[job.name]
    )


def _needs_of(job: JobModel, names: dict[str, list[str]]) -> tuple[str, ...] | None:
    """List what a job waits for: every copy of a ``parallel`` job, no missing optional one."""
    if job.needs is None:
        return None
    every = {name for copies in names.values() for name in copies}
    copies = [name for need in job.needs for name in names.get(_needed(need), [_needed(need)])]
    return tuple(name for name in dict.fromkeys(copies) if name in every)


def _needed(need: str | NeedModel) -> str:
    return need if isinstance(need, str) else need.job


def job_contradictions(jobs: Sequence[JobModel], stages: Sequence[str]) -> Iterator[Violation]:
    """Find what is wrong with jobs that are each well formed."""
    yield from _names_taken(jobs)
    for index, job in enumerate(jobs):
        for field, what in _inside(job, stages):
            yield (index, *field), what
    yield from _needs(jobs)
    count = sum(_copies(job) for job in jobs)
    if count > JOBS_LIMIT:
        yield (), f"has {count} jobs; at most {JOBS_LIMIT} are allowed"


def _copies(job: JobModel) -> int:
    if job.parallel is None or isinstance(job.parallel, int):
        return job.parallel or 1
    return job.parallel.count()


def _names_taken(jobs: Sequence[JobModel]) -> Iterator[Violation]:
    seen: set[str] = set()
    for index, job in enumerate(jobs):
        for name in job.names():
            if name in seen:
                yield (index, "name"), f'there is a job "{short(name)}" already'
                break
            seen.add(name)


def _inside(job: JobModel, stages: Sequence[str]) -> Iterator[Violation]:
    if stages and job.stage not in (".pre", *stages, ".post"):
        known = _some(list(dict.fromkeys(stages)), ", ")
        yield ("stage",), f'"{short(job.stage)}" is not one of the stages: {known}'
    if job.when == "delayed" and job.start_in is None:
        yield ("when",), "a delayed job needs start_in"
    if job.when != "delayed" and job.start_in is not None:
        yield ("start_in",), "needs when: delayed"
    if job.downstream is not None and "duration" in job.model_fields_set:
        yield ("duration",), "cannot be combined with downstream"
    if not isinstance(job.parallel, int | None) and _copies(job) > COPIES_LIMIT:
        yield ("parallel", "matrix"), f"makes more than {COPIES_LIMIT} jobs"
    longest = max(job.names(), key=len)
    if len(longest) > NAME_LIMIT:
        yield ("parallel",), f'the name "{short(longest)}" has more than {NAME_LIMIT} characters'
    if job.downstream is not None and job.retry is not None:
        yield ("retry",), "cannot be combined with downstream"
    if isinstance(job.artifacts, list):
        yield from repeated(("artifacts",), [each.path for each in job.artifacts])


def _needs(jobs: Sequence[JobModel]) -> Iterator[Violation]:
    known = {name for job in jobs for name in (job.name, *job.names())}
    yield from _named_jobs(jobs, known)
    wrong = False
    for index, job in enumerate(jobs):
        for at, written in enumerate(job.needs or ()):
            need = _needed(written)
            if need not in known and not isinstance(written, str) and written.optional:
                continue
            if need not in known:
                wrong = True
                yield (index, "needs", at), f'there is no job "{short(need)}"'
            elif need in (job.name, *job.names()):
                wrong = True
                yield (index, "needs", at), "a job cannot need itself"
    if not wrong:
        yield from _circle(jobs)


def _named_jobs(jobs: Sequence[JobModel], known: set[str]) -> Iterator[Violation]:
    """Find missing jobs that are named for their artifacts, or to stop an environment."""
    for index, job in enumerate(jobs):
        for at, name in enumerate(job.dependencies or ()):
            if name not in known:
                yield (index, "dependencies", at), f'there is no job "{short(name)}"'
        environment = job.environment
        stops = environment.on_stop if isinstance(environment, EnvironmentModel) else None
        if stops is not None and stops not in known:
            yield (index, "environment", "on_stop"), f'there is no job "{short(stops)}"'


def _circle(jobs: Sequence[JobModel]) -> Iterator[Violation]:
    """Find a circle of needs: what remains after removing every job that waits for nothing else."""
    owner = {name: job.name for job in jobs for name in (job.name, *job.names())}
    waiting = {
        job.name: {owner[name] for need in job.needs or () if (name := _needed(need)) in owner}
        for job in jobs
    }
    free = {name for name, needs in waiting.items() if not needs}
    while free:
        waiting = {n: needs - free for n, needs in waiting.items() if n not in free}
        free = {name for name, needs in waiting.items() if not needs}
    for index, job in enumerate(jobs):
        if job.name in waiting:
            way = _way_round(job.name, waiting)
            yield (index, "needs"), f"needs form a circle: {_some(way, ' -> ')}"
            return


def _some(names: Sequence[str], between: str) -> str:
    """List names, but not more than people read."""
    shown = [*map(short, names[:_LISTED]), *(["..."] if len(names) > _LISTED else [])]
    return between.join(shown)


def _way_round(start: str, waiting: dict[str, set[str]]) -> list[str]:
    way = [start]
    while way.count(way[-1]) == 1:
        way.append(min(waiting[way[-1]]))
    return way[way.index(way[-1]) :]
