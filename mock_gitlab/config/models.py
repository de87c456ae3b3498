"""What may be written in a scenario, in scenario files and in mock.yaml; what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

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

from .fields import (
    NO_SWITCH,
    WHOLE,
    DurationField,
    Glob,
    InstantField,
    Matching,
    Name,
    Percent,
    ScenarioNumber,
    StrictModel,
    Text,
    TextOrNumber,
    Violation,
    refuse,
    repeated,
)
from .jobs import JobModel, job_contradictions, spread
from .patterns import FaultModel, RuleModel, fault_from, keyed, rule_from

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "DurationField",
    "FaultModel",
    "InstantField",
    "MockFile",
    "ProjectModel",
    "RuleModel",
    "ScenarioFile",
    "ScenarioModel",
    "declared_scenario",
    "fault_from",
    "keyed",
    "rule_from",
    "scenario_definition",
    "scenario_from",
]


class AttemptModel(StrictModel):
    """What differs in one run of a whole pipeline; what is left out is as the scenario says."""

    terminal_after_seconds: DurationField | None = Field(
        None, description="How long it takes; null: no time at all.", examples=[10, "3m"]
    )
    terminal_status: TerminalStatus | None = Field(None, description="How it ends.")
    never_complete: bool | None = Field(None, description="Whether it runs for ever.")
    pending_seconds: DurationField | None = Field(
        None, description="How long it waits before it runs."
    )
    terminal_after_polls: Annotated[int, Field(ge=1), WHOLE] | None = Field(
        None, description="How many reads end it, in place of seconds."
    )

    def to_engine(self) -> Attempt:
        """Make what the engine knows. A written null is "at once", as in a scenario."""
        at_once = 0 if "terminal_after_seconds" in self.model_fields_set else None
        after = self.terminal_after_seconds
        return Attempt(
            terminal_after=at_once if after is None else after,
            terminal_status=self.terminal_status,
            never_complete=self.never_complete,
            pending=self.pending_seconds,
            terminal_after_polls=self.terminal_after_polls,
        )


class TestCaseModel(StrictModel):
    """A case of a test suite."""

    __test__ = False

    name: Text = Field(description="Its name.")
    status: TestCaseStatus = Field("success", description="How it went.")
    execution_time: Annotated[float, Field(ge=0)] = Field(0.0, description="Seconds it took.")
    classname: Text = Field("", description="The class that it belongs to.")
    file: Text | None = Field(None, description="The file that it stands in.")
    system_output: Text | None = Field(None, description="What it printed, or why it failed.")
    stack_trace: Text | None = Field(None, description="Where it failed.")


class TestSuiteModel(StrictModel):
    """A suite; it is seen once the job of its name has ended."""

    __test__ = False

    name: Name = Field(description="Its name: that of a job, or any for the whole pipeline.")
    cases: list[TestCaseModel] = Field([], description="Its cases.")
    suite_error: Text | None = Field(None, description="Why its report could not be read.")

    def to_engine(self) -> TestSuite:
        """Make what the engine knows."""
        cases = tuple(TestCase(**case.model_dump()) for case in self.cases)
        return TestSuite(self.name, cases, self.suite_error)


class TestReportModel(StrictModel):
    """What the pipeline's test report shows."""

    __test__ = False

    suites: list[TestSuiteModel] = Field(description="Its suites.")


class ScenarioModel(StrictModel):
    """How a pipeline goes."""

    scenario_id: ScenarioNumber = Field(description="Its number, unique.", examples=[900])
    name: Name | None = Field(
        None, description="What people call it.", examples=["fails after three minutes"]
    )
    terminal_after_seconds: DurationField | None = Field(
        None,
        description="How long it takes; null: no time at all or, with jobs, as long as they take.",
        examples=[180, "3m", "1h30m"],
    )
    terminal_status: TerminalStatus = Field("success", description="How it ends.")
    never_complete: bool = Field(False, description="Whether it runs for ever.")
    pending_seconds: DurationField = Field(0, description="How long it waits before it runs.")
    terminal_after_polls: Annotated[int, Field(ge=1), WHOLE] | None = Field(
        None, description="How many reads of the pipeline end it, in place of seconds."
    )
    coverage: Percent | None = Field(None, description="The coverage that it shows, in percent.")
    stages: list[Name] = Field(
        [], description="The stages in order; left out: as they appear in the jobs."
    )
    jobs: list[JobModel] = Field([], description="Its jobs; then its course follows from them.")
    attempts: list[AttemptModel] = Field(
        [],
        max_length=ATTEMPTS_LIMIT,
        description="What differs in its runs: the first, then each retry; the last repeats.",
    )
    test_report: TestReportModel | None = Field(None, description="Its test report.")
    faults: list[FaultModel] = Field(
        [], description="What goes wrong with calls about its pipelines."
    )

    @model_validator(mode="after")
    def _contradictions(self) -> Self:
        refuse(self, self._found())
        return self

    def _found(self) -> Iterator[Violation]:
        for path, what in job_contradictions(self.jobs, self.stages):
            yield ("jobs", *path), what
        for other in ("attempts", "terminal_after_polls"):
            if self.jobs and getattr(self, other):
                yield (other,), "has no meaning beside jobs, which have their own course"
        yield from repeated(("stages",), self.stages)


def scenario_from(model: ScenarioModel) -> Scenario:
    """Make the engine's scenario."""
    number = model.scenario_id
    report = model.test_report
    return Scenario(
        scenario_id=number,
        name=model.name or f"scenario {number}",
        terminal_after=model.terminal_after_seconds,
        terminal_status=model.terminal_status,
        never_complete=model.never_complete,
        pending=model.pending_seconds,
        terminal_after_polls=model.terminal_after_polls,
        coverage=model.coverage,
        attempts=tuple(attempt.to_engine() for attempt in model.attempts),
        stages=tuple(model.stages),
        jobs=spread(model.jobs),
        test_suites=() if report is None else tuple(suite.to_engine() for suite in report.suites),
        faults=keyed(
            (fault_from(fault, f"scenario {number}") for fault in model.faults),
            prefix=f"scenario {number}:",
        ),
    )


def scenario_definition(model: ScenarioModel) -> dict[str, Any]:
    """List the fields that were written, as JSON values; durations in seconds."""
    return model.model_dump(mode="json", exclude_unset=True)


def declared_scenario(
    model: ScenarioModel,
    source: Origin = "runtime",
    file: str | None = None,
    line: int | None = None,
) -> DeclaredScenario:
    """Make a scenario and what is known of where it stands."""
    return DeclaredScenario(scenario_from(model), scenario_definition(model), source, file, line)


# ---------------------------------------------------------------------------- files


class _File(StrictModel):
    """A file. Keys that begin with ``x-`` are left alone: templates for aliases."""

    @model_validator(mode="before")
    @classmethod
    def _leave_templates_out(cls, written: Any) -> Any:
        if not isinstance(written, dict):
            return written
        return {k: v for k, v in written.items() if not str(k).startswith("x-")}


class ScenarioFile(_File):
    """A file of scenarios."""

    scenarios: list[ScenarioModel] = Field(description="The scenarios.")


class ClockModel(StrictModel):
    """Where the mock's clock starts."""

    start: InstantField | None = Field(
        None,
        description="The first moment; left out: the present.",
        examples=["2026-01-01T00:00:00Z"],
    )
    frozen: bool = Field(False, description="Whether it stands still until it is moved.")


class UserModel(StrictModel):
    """The user whom the token stands for."""

    id: Annotated[int, Field(ge=1, le=2**31), WHOLE] = Field(1, description="The number.")
    username: Name = Field("root", description="The short name.")
    name: Name = Field("Administrator", description="The name in full.")
    email: Name = Field("admin@example.com", description="The address.")


class TokenModel(StrictModel):
    """A trigger token."""

    token: Name = Field(description="Its text.", examples=["glptt-abc"])
    description: Text = Field("", description="What it is for.")


class ProjectModel(StrictModel):
    """A project."""

    id: Annotated[int, Field(ge=1, le=2**53), WHOLE] = Field(
        description="Its number.", examples=[42]
    )
    path: Annotated[
        Name,
        Matching(
            r"^[^/\s?#]+(/[^/\s?#]+)+$", "must be a full path with its group, such as group/app"
        ),
    ] = Field(description="Its full path.", examples=["group/app"])
    default_branch: Name = Field("main", description="Its default branch.")
    refs: list[Glob] | None = Field(
        None,
        description="Globs of the branches that exist; left out: all of them.",
        examples=[["main", "release/*"]],
    )
    tags: list[Glob] = Field([], description="Globs of its tags.", examples=[["v*"]])
    trigger_tokens: list[TokenModel] = Field([], description="Its trigger tokens.")


def _path_or_scenario(value: Any) -> str | None:
    if isinstance(value, str):
        return "~glob"
    return "~scenario" if isinstance(value, dict) else None


ScenarioEntry = Annotated[
    Annotated[Name, Tag("~glob")] | Annotated[ScenarioModel, Tag("~scenario")],
    Discriminator(
        _path_or_scenario,
        custom_error_type="mistake",
        custom_error_message="must be a path (globs are fine) or a scenario",
    ),
]


class MockFile(_File):
    """A mock.yaml."""

    version: Annotated[Literal[1], NO_SWITCH] = Field(1, description="The version of this format.")
    token: Annotated[Text, Matching(r"^[!-~]+$", "must be one word of plain ASCII")] = Field(
        "MOCK_SUPER_SECRET",
        description="The token that clients authenticate with.",
        examples=["${MOCK_TOKEN:-MOCK_SUPER_SECRET}"],
    )
    database: Name = Field(
        "mock.db",
        description='The file that keeps pipelines, relative to this one; or ":memory:".',
        examples=["mock.db", ":memory:"],
    )
    host: Name = Field("127.0.0.1", description="The address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535), WHOLE] = Field(
        8000, description="The port to listen on; 0: any free one."
    )
    watch: bool = Field(True, description="Whether edits take effect at once.")
    watch_polling: bool = Field(
        False, description="Whether to look for edits regularly, where the system tells of none."
    )
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        "info", description="The least important messages to log."
    )
    scenarios: list[ScenarioEntry] | None = Field(
        None,
        description="Files of scenarios, relative to this one, and scenarios themselves.",
        examples=[["scenarios/*.yaml"]],
    )
    default_scenario: ScenarioNumber = Field(
        500, description="For a trigger that names none and that no rule matches."
    )
    clock: ClockModel | None = Field(None, description="The clock; left out: real time.")
    seed: Annotated[TextOrNumber, Field(min_length=1)] | None = Field(
        None, description="Makes shas and tokens reproducible.", examples=[7]
    )
    strict: bool = Field(False, description="Whether only what is declared exists, as in GitLab.")
    user: UserModel = Field(UserModel.model_validate({}), description="The user of the token.")
    projects: list[ProjectModel] | None = Field(None, description="The projects.")
    rules: list[RuleModel] | None = Field(
        None, description="Which scenario a pipeline gets: the first that matches decides."
    )
    faults: list[FaultModel] | None = Field(None, description="What goes wrong with which calls.")
    allow_reset: bool = Field(False, description="Whether the default world may be reset.")
    journal: Annotated[int, Field(ge=0, le=1_000_000), WHOLE] = Field(
        1000, description="How many calls are remembered."
    )
    sandboxes: Annotated[int, Field(ge=1, le=100_000), WHOLE] = Field(
        200, description="How many sandboxes there may be."
    )
    max_body_bytes: Annotated[int, Field(ge=1, le=2**31), WHOLE] = Field(
        1_048_576, description="How large the body of a request may be."
    )
