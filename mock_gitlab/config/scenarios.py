"""The model of a scenario in YAML, and its conversion to the engine's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from mock_gitlab.engine.model import (
    ATTEMPTS_LIMIT,
    Attempt,
    DeclaredScenario,
    Origin,
    Scenario,
    TerminalStatus,
    TestCase,
    TestCaseStatus,
    TestSuite,
)

from .external_statuses import ExternalStatuses, contradictions_of_statuses
from .faults import FaultModel, fault_from, keyed
from .fields import (
    WHOLE,
    DurationField,
    Name,
    Percent,
    ScenarioNumber,
    StrictModel,
    Text,
    Violation,
    refuse,
    repeated,
)
from .job_graph import Jobs, job_contradictions, to_engine_jobs
from .waits import (
    Canceling,
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
    from collections.abc import Iterator


class AttemptModel(StrictModel):
    """What one run of a pipeline changes; other values are the scenario's."""

    terminal_after_seconds: DurationField | None = Field(
        None, description="How long it takes; null: it ends at once.", examples=[10, "3m"]
    )
    terminal_status: TerminalStatus | None = Field(None, description="How it ends.")
    never_complete: bool | None = Field(None, description="Whether it never ends.")
    created_seconds: MaybeCreated = None
    waiting_for_resource_seconds: MaybeWaitingForResource = None
    preparing_seconds: MaybePreparing = None
    waiting_for_callback_seconds: MaybeWaitingForCallback = None
    pending_seconds: MaybePending = None
    canceling_seconds: MaybeCanceling = None
    terminal_after_polls: Annotated[int, Field(ge=1), WHOLE] | None = Field(
        None, description="How many reads end it, instead of a time."
    )

    def to_engine(self) -> Attempt:
        """Convert to the engine's type. A null for the time means "at once", as in a scenario."""
        at_once = 0 if "terminal_after_seconds" in self.model_fields_set else None
        after = self.terminal_after_seconds
        return Attempt(
            terminal_after=at_once if after is None else after,
            terminal_status=self.terminal_status,
            never_complete=self.never_complete,
            **waits_of(self),
            terminal_after_polls=self.terminal_after_polls,
        )


class TestCaseModel(StrictModel):
    """A test case."""

    __test__ = False

    name: Text = Field(description="Its name.")
    status: TestCaseStatus = Field("success", description="Its result.")
    execution_time: Annotated[float, Field(ge=0)] = Field(
        0.0, description="How many seconds it took."
    )
    classname: Text = Field("", description="Its class.")
    file: Text | None = Field(None, description="Its file.")
    system_output: Text | None = Field(None, description="What it printed, or why it failed.")
    stack_trace: Text | None = Field(None, description="Where it failed.")


class TestSuiteModel(StrictModel):
    """A test suite; the report shows it once the job of the same name has ended."""

    __test__ = False

    name: Name = Field(
        description="Its name. If a job has it too, the suite appears once that job has ended."
    )
    cases: list[TestCaseModel] = Field([], description="Its test cases.")
    suite_error: Text | None = Field(None, description="Why GitLab could not read its report.")

    def to_engine(self) -> TestSuite:
        """Convert to the engine's type."""
        cases = tuple(TestCase(**case.model_dump()) for case in self.cases)
        return TestSuite(self.name, cases, self.suite_error)


class TestReportModel(StrictModel):
    """The test report of a pipeline."""

    __test__ = False

    suites: list[TestSuiteModel] = Field(description="Its test suites.")


class ScenarioModel(StrictModel):
    """How a pipeline behaves."""

    scenario_id: ScenarioNumber = Field(description="Its number, which is unique.", examples=[900])
    name: Name | None = Field(
        None, description="Its name, for people.", examples=["fails after three minutes"]
    )
    terminal_after_seconds: DurationField | None = Field(
        None,
        description="How long it takes; null: it ends at once, or with its jobs if it has any.",
        examples=[180, "3m", "1h30m"],
    )
    terminal_status: TerminalStatus = Field("success", description="How it ends.")
    never_complete: bool = Field(False, description="Whether it never ends.")
    created_seconds: Created = 0
    waiting_for_resource_seconds: WaitingForResource = 0
    preparing_seconds: Preparing = 0
    waiting_for_callback_seconds: WaitingForCallback = 0
    pending_seconds: Pending = 0
    canceling_seconds: Canceling = 0
    terminal_after_polls: Annotated[int, Field(ge=1), WHOLE] | None = Field(
        None, description="How many reads of the pipeline end it, instead of a time."
    )
    coverage: Percent | None = Field(None, description="Its coverage in percent.")
    stages: list[Name] = Field(
        [],
        description="Its stages in order, .pre and .post apart; by default as the jobs name them.",
    )
    jobs: Jobs = Field([], description="Its jobs, which then decide how it goes.")
    attempts: list[AttemptModel] = Field(
        [],
        max_length=ATTEMPTS_LIMIT,
        description="What the first run and each retry change; the last entry repeats.",
    )
    test_report: TestReportModel | None = Field(None, description="Its test report.")
    yaml_errors: Name | None = Field(
        None,
        description="What is wrong with its CI file; it fails at once and has no jobs.",
        examples=["jobs:deploy config should contain at least one visible job"],
    )
    external_statuses: ExternalStatuses = Field(
        [], description="The statuses that another CI posts for the commit of the pipeline."
    )
    faults: list[FaultModel] = Field(
        [], description="What goes wrong with requests about its pipelines."
    )

    @model_validator(mode="after")
    def _contradictions(self) -> Self:
        refuse(self, self._found())
        return self

    def _found(self) -> Iterator[Violation]:
        for path, what in job_contradictions(self.jobs, self.stages):
            yield ("jobs", *path), what
        names = {name for job in self.jobs for name in job.names()}
        for path, what in contradictions_of_statuses(self.external_statuses, names):
            yield ("external_statuses", *path), what
        for other in ("attempts", "terminal_after_polls"):
            if self.jobs and getattr(self, other):
                yield (other,), "cannot be combined with jobs"
        for other in ("jobs", "attempts", "terminal_after_polls", "never_complete"):
            if self.yaml_errors is not None and getattr(self, other):
                yield (other,), "cannot be combined with yaml_errors"
        yield from repeated(("stages",), self.stages)


def scenario_from(model: ScenarioModel) -> Scenario:
    """Convert a model to the engine's scenario."""
    number = model.scenario_id
    report = model.test_report
    waits: dict[str, Any] = {**waits_of(model)}
    return Scenario(
        scenario_id=number,
        name=model.name or f"scenario {number}",
        terminal_after=model.terminal_after_seconds,
        terminal_status=model.terminal_status,
        never_complete=model.never_complete,
        **waits,
        terminal_after_polls=model.terminal_after_polls,
        coverage=model.coverage,
        attempts=tuple(attempt.to_engine() for attempt in model.attempts),
        stages=tuple(model.stages),
        jobs=to_engine_jobs(model.jobs, model.canceling_seconds),
        yaml_errors=model.yaml_errors,
        external_statuses=tuple(each.to_engine() for each in model.external_statuses),
        test_suites=() if report is None else tuple(suite.to_engine() for suite in report.suites),
        faults=keyed(
            (fault_from(fault, f"scenario {number}") for fault in model.faults),
            prefix=f"scenario {number}:",
        ),
    )


def scenario_definition(model: ScenarioModel) -> dict[str, Any]:
    """Return the fields that were written, as JSON values; durations are in seconds."""
    return model.model_dump(mode="json", exclude_unset=True)


def declared_scenario(
    model: ScenarioModel,
    source: Origin = "runtime",
    file: str | None = None,
    line: int | None = None,
) -> DeclaredScenario:
    """Convert a model to a scenario together with the place where it was declared."""
    return DeclaredScenario(scenario_from(model), scenario_definition(model), source, file, line)
