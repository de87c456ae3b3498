"""The models of a pipeline's jobs, their conversion to the engine's, and their contradictions."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import (
    Field,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)

from mock_gitlab.engine.failures import FailureReason
from mock_gitlab.engine.model import (
    ATTEMPTS_LIMIT,
    JobAttempt,
    JobSpec,
    TerminalStatus,
    When,
)

from .bridges import DownstreamModel, TriggerField, downstream_from
from .contents import content_of
from .fields import (
    DurationField,
    Name,
    Percent,
    StrictModel,
    Text,
)
from .job_values import (
    COPIES_LIMIT,
    AllowFailure,
    AllowFailureModel,
    Artifacts,
    EnvironmentField,
    ExitCode,
    Need,
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
    from mock_gitlab.engine.model import Duration

TraceFile = Annotated[
    Name | None,
    Field(
        description="The file whose text is its log, as seen from the file that declares it.",
        examples=["logs/build.log"],
    ),
]
_LISTED = 20
"""The most names that a message lists."""


class LoggedModel(StrictModel):
    """A mapping with a log, in ``trace`` or in the file that ``trace_file`` names."""

    _log: str | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _read_log(self, info: ValidationInfo) -> Self:
        content = content_of(self, "trace_file", "trace", info)
        self._log = None if content is None else content.decode(errors="replace")
        return self


class JobAttemptModel(LoggedModel):
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
    trace_file: TraceFile = None
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
            trace=self.trace if self._log is None else self._log,
            coverage=self.coverage,
            artifacts=None if self.artifacts is None else artifacts_from(self.artifacts),
        )


class JobModel(LoggedModel):
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
    trace_file: TraceFile = None
    artifacts: Artifacts = Field(
        default_factory=list, description="Its artifacts: paths and their text."
    )
    artifacts_expire_in: DurationField | None = Field(
        None,
        description="How long after its end its artifacts are there; by default for ever.",
        examples=["1h"],
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
    trigger: TriggerField | None = Field(
        None, description="The same in the words of GitLab's files; its project, or a mapping."
    )

    @property
    def is_bridge(self) -> bool:
        """Whether it starts a pipeline."""
        return self.downstream is not None or self.trigger is not None

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
            trace=self.trace if self._log is None else self._log,
            artifacts=artifacts_from(self.artifacts),
            artifacts_expire_in=self.artifacts_expire_in,
            attempts=tuple(attempt.to_engine() for attempt in self.attempts),
            downstream=downstream_from(self.trigger or self.downstream),
        )
