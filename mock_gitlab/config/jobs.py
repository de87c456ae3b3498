"""What may be written of a pipeline's jobs; each knows its noun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from mock_gitlab.engine.failures import FailureReason
from mock_gitlab.engine.model import (
    ATTEMPTS_LIMIT,
    JOBS_LIMIT,
    Artifact,
    Downstream,
    JobAttempt,
    JobSpec,
    TerminalStatus,
    Variable,
    When,
)

from .fields import (
    WHOLE,
    DurationField,
    Matching,
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ArtifactPath = Annotated[
    Text,
    Matching(
        r"^(?!/)(?!(.*/)?\.{0,2}(/|$))[^\u0000\\]+$",
        "must be the path of a file inside the archive, such as reports/junit.xml",
    ),
]


class ArtifactModel(StrictModel):
    """A small file in a job's artifacts archive."""

    path: ArtifactPath = Field(description="Where it lies in the archive.")
    content: Text = Field("", description="Its text.")


def _shape_of_artifacts(value: Any) -> str | None:
    if isinstance(value, dict):
        return "~mapping"
    return "~list" if isinstance(value, list) else None


Artifacts = Annotated[
    Annotated[dict[ArtifactPath, Text], Tag("~mapping")]
    | Annotated[list[ArtifactModel], Tag("~list")],
    Discriminator(
        _shape_of_artifacts,
        custom_error_type="mistake",
        custom_error_message="must be a mapping of paths to text, or a list of path and content",
    ),
]


def _artifacts(written: dict[str, str] | list[ArtifactModel]) -> tuple[Artifact, ...]:
    if isinstance(written, dict):
        return tuple(Artifact(path, content) for path, content in written.items())
    return tuple(Artifact(each.path, each.content) for each in written)


class JobAttemptModel(StrictModel):
    """What differs in one run of a job; what is left out is as the job says."""

    duration: DurationField | None = Field(
        None, description="How long it runs.", examples=[30, "1m"]
    )
    status: TerminalStatus | None = Field(None, description="How it ends.")
    failure_reason: FailureReason | None = Field(None, description="Why it fails.")
    pending_seconds: DurationField | None = Field(
        None, description="How long it waits for a runner."
    )
    never_complete: bool | None = Field(None, description="Whether it runs for ever.")
    trace: Text | None = Field(None, description="Its log.")
    coverage: Percent | None = Field(None, description="The coverage that it reports.")
    artifacts: Artifacts | None = Field(None, description="The files that it leaves behind.")

    def to_engine(self) -> JobAttempt:
        """Make what the engine knows."""
        return JobAttempt(
            duration=self.duration,
            status=self.status,
            failure_reason=self.failure_reason,
            pending=self.pending_seconds,
            never_complete=self.never_complete,
            trace=self.trace,
            coverage=self.coverage,
            artifacts=None if self.artifacts is None else _artifacts(self.artifacts),
        )


class DownstreamModel(StrictModel):
    """The pipeline that a bridge starts."""

    project: ProjectName = Field(
        description="The project in which it starts: path or number.", examples=["group/deploy", 43]
    )
    scenario: ScenarioNumber | None = Field(
        None, description="Its scenario; left out, the rules choose.", examples=[900]
    )
    ref: Name | None = Field(None, description="Its ref; left out, the project's default branch.")
    strategy: Literal["depend"] | None = Field(
        None, description="depend: the bridge's status is that of the pipeline it starts."
    )
    variables: dict[Name, TextOrNumber] = Field({}, description="Variables that it gets.")

    def to_engine(self) -> Downstream:
        """Make what the engine knows."""
        return Downstream(
            project=self.project,
            scenario_id=self.scenario,
            ref=self.ref,
            strategy=self.strategy,
            variables=tuple(Variable(*pair) for pair in self.variables.items()),
        )


class JobModel(StrictModel):
    """A job of a pipeline."""

    name: Name = Field(description="Its name, unique in the pipeline.", examples=["unit tests"])
    stage: Name = Field("test", description="Its stage.", examples=["build", "test", "deploy"])
    duration: DurationField = Field(0, description="How long it runs.", examples=[30, "1m"])
    status: TerminalStatus = Field("success", description="How it ends.")
    failure_reason: FailureReason | None = Field(
        None, description="Why it fails; script_failure unless something else is written."
    )
    when: When = Field("on_success", description="What it waits for.")
    start_in: DurationField | None = Field(
        None, description="How long a delayed job waits.", examples=["10m"]
    )
    allow_failure: bool | None = Field(
        None, description="Whether the pipeline goes on when it fails; true for manual jobs."
    )
    needs: list[Name] | None = Field(
        None, description="The jobs it waits for, in place of the stages before; [] for none."
    )
    pending_seconds: DurationField = Field(0, description="How long it waits for a runner.")
    never_complete: bool = Field(False, description="Whether it runs for ever.")
    tags: list[Name] = Field([], description="The tags of the runner that it asks for.")
    coverage: Percent | None = Field(None, description="The coverage that it reports.")
    trace: Text = Field("", description="Its log.", examples=["compiling...\ndone\n"])
    artifacts: Artifacts = Field(
        default_factory=list, description="The files that it leaves behind: paths and their text."
    )
    attempts: list[JobAttemptModel] = Field(
        [],
        max_length=ATTEMPTS_LIMIT,
        description="What differs in each of its runs; the last entry repeats.",
    )
    parallel: Annotated[int, Field(ge=1, le=200), WHOLE] | None = Field(
        None, description='How many of it run side by side, as "name 1/3", "name 2/3", ...'
    )
    downstream: DownstreamModel | None = Field(
        None, description="Makes the job a bridge, which starts a pipeline elsewhere."
    )

    def names(self) -> list[str]:
        """List the names of its jobs once ``parallel`` is spread out."""
        if self.parallel is None:
            return [self.name]
        return [f"{self.name} {n}/{self.parallel}" for n in range(1, self.parallel + 1)]

    def to_engine(self, name: str, needs: tuple[str, ...] | None) -> JobSpec:
        """Make what the engine knows, under one of its names, with the needs spread out."""
        manual = self.when == "manual"
        return JobSpec(
            name=name,
            stage=self.stage,
            duration=self.duration,
            status=self.status,
            failure_reason=self.failure_reason,
            when=self.when,
            start_in=self.start_in or 0,
            allow_failure=manual if self.allow_failure is None else self.allow_failure,
            needs=needs,
            pending=self.pending_seconds,
            never_complete=self.never_complete,
            tags=tuple(self.tags),
            coverage=self.coverage,
            trace=self.trace,
            artifacts=_artifacts(self.artifacts),
            attempts=tuple(attempt.to_engine() for attempt in self.attempts),
            downstream=None if self.downstream is None else self.downstream.to_engine(),
        )


# ---------------------------------------------------------------------------- jobs together


def spread(jobs: Sequence[JobModel]) -> tuple[JobSpec, ...]:
    """Make the engine's jobs: ``parallel`` spread out, needs of a parallel job need all of it."""
    names = {job.name: job.names() for job in jobs}
    return tuple(
        job.to_engine(name, None if job.needs is None else _spread_needs(job.needs, names))
        for job in jobs
        for name in names[job.name]
    )


def _spread_needs(needs: list[str], names: dict[str, list[str]]) -> tuple[str, ...]:
    spread_out = [name for need in needs for name in names.get(need, [need])]
    return tuple(dict.fromkeys(spread_out))


def job_contradictions(jobs: Sequence[JobModel], stages: Sequence[str]) -> Iterator[Violation]:
    """Find what is wrong with jobs that are well formed each by itself."""
    yield from _names_taken(jobs)
    for index, job in enumerate(jobs):
        for field, what in _inside(job, stages):
            yield (index, *field), what
    yield from _needs(jobs)
    count = sum(job.parallel or 1 for job in jobs)
    if count > JOBS_LIMIT:
        yield (), f"has {count} jobs; at most {JOBS_LIMIT} are allowed"


def _names_taken(jobs: Sequence[JobModel]) -> Iterator[Violation]:
    seen: set[str] = set()
    for index, job in enumerate(jobs):
        for name in job.names():
            if name in seen:
                yield (index, "name"), f'there is a job "{name}" already'
                break
            seen.add(name)


def _inside(job: JobModel, stages: Sequence[str]) -> Iterator[Violation]:
    if stages and job.stage not in stages:
        yield (
            ("stage",),
            f'"{job.stage}" is not one of the stages: {", ".join(dict.fromkeys(stages))}',
        )
    if job.when == "delayed" and job.start_in is None:
        yield ("when",), "a delayed job needs start_in"
    if job.when != "delayed" and job.start_in is not None:
        yield ("start_in",), "needs when: delayed"
    if job.downstream is not None and "duration" in job.model_fields_set:
        yield ("duration",), "cannot be combined with downstream"
    if isinstance(job.artifacts, list):
        yield from repeated(("artifacts",), [each.path for each in job.artifacts])


def _needs(jobs: Sequence[JobModel]) -> Iterator[Violation]:
    known = {name for job in jobs for name in (job.name, *job.names())}
    wrong = False
    for index, job in enumerate(jobs):
        for at, need in enumerate(job.needs or ()):
            if need not in known:
                wrong = True
                yield (index, "needs", at), f'there is no job "{need}"'
            elif need in (job.name, *job.names()):
                wrong = True
                yield (index, "needs", at), "a job cannot need itself"
    if not wrong:
        yield from _circle(jobs)


def _circle(jobs: Sequence[JobModel]) -> Iterator[Violation]:
    """Tell of one circle of needs, if there is any: what is left when free jobs are taken off."""
    owner = {name: job.name for job in jobs for name in (job.name, *job.names())}
    waiting = {job.name: {owner[need] for need in job.needs or ()} for job in jobs}
    free = {name for name, needs in waiting.items() if not needs}
    while free:
        waiting = {n: needs - free for n, needs in waiting.items() if n not in free}
        free = {name for name, needs in waiting.items() if not needs}
    for index, job in enumerate(jobs):
        if job.name in waiting:
            way = _way_round(job.name, waiting)
            yield (index, "needs"), f"needs form a circle: {' -> '.join(way)}"
            return


def _way_round(start: str, waiting: dict[str, set[str]]) -> list[str]:
    way = [start]
    while way.count(way[-1]) == 1:
        way.append(min(waiting[way[-1]]))
    return way[way.index(way[-1]) :]
