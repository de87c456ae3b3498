"""What is declared, what is recorded, what may be refused.

Errors that the world raises, for the wings to put into HTTP's words::

    MockGitLabError
      x NotFound     something asked for does not exist
      x NotAllowed      GitLab's rules, or the author's settings, do not allow it
      x AlreadyExists        a number or a name is in use already
      x Invalid      a value is well formed but cannot be taken
      x RejectedByRule     a rule answers in place of the pipeline that was asked for

Every moment is an ``int``: milliseconds since the Unix epoch, in UTC. Every span of time is an
``int`` of milliseconds. Whole milliseconds are what GitLab shows, so nothing is ever rounded away
between two reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from mock_gitlab.engine.matching import Fault, Response, Rule
    from mock_gitlab.engine.statuses import PipelineStatus

Instant = int
Duration = int

TerminalStatus = Literal["success", "failed", "canceled", "skipped", "manual"]
TERMINAL_STATUSES: tuple[TerminalStatus, ...] = (
    "success",
    "failed",
    "canceled",
    "skipped",
    "manual",
)
When = Literal["on_success", "on_failure", "always", "manual", "delayed"]
ActionName = Literal["cancel", "retry", "play", "erase", "delete_artifacts", "delete_downstream"]

JOBS_LIMIT = 999
"""The most jobs that one scenario may have, after ``parallel`` is spread out."""
ATTEMPTS_LIMIT = 99
"""The most retries that one job may see."""
LONGEST_SPAN: Duration = 1_000_000_000_000
"""The longest duration that may be declared: a thousand million seconds, some 31 years."""


class MockGitLabError(Exception):
    """Something that was asked of the mock and cannot be done."""


class NotFound(MockGitLabError):
    """What was asked for does not exist; ``what`` names the kind of thing ("pipeline")."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found")
        self.what = what


class NotAllowed(MockGitLabError):
    """Well formed, but not allowed now; ``reason`` is a stable word ("job is not retryable")."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AlreadyExists(MockGitLabError):
    """A number or name that is in use already."""


class Invalid(MockGitLabError):
    """A value that cannot be taken as it is."""


class RejectedByRule(MockGitLabError):
    """A rule answers the request with a response of its own; ``rule`` is its place."""

    def __init__(self, response: Response, rule: str) -> None:
        super().__init__(f"rejected with {response.status}")
        self.response = response
        self.rule = rule


# ---------------------------------------------------------------------------- declared


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a pipeline (https://docs.gitlab.com/api/pipelines/#get-variables-of-a-pipeline)."""

    key: str
    value: str
    variable_type: Literal["env_var", "file"] = "env_var"
    raw: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """The one user of the mock: whoever holds the token."""

    id: int = 1
    username: str = "root"
    name: str = "Administrator"
    email: str = "admin@example.com"


@dataclass(frozen=True, slots=True)
class DeclaredToken:
    """A trigger token that stands in a file."""

    token: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """A project. ``refs`` and ``tags`` are globs; ``refs`` of None takes any ref unless strict."""

    id: int
    path: str
    default_branch: str = "main"
    refs: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()
    trigger_tokens: tuple[DeclaredToken, ...] = ()
    declared: bool = True


@dataclass(frozen=True, slots=True)
class TestCase:
    """A case of a test suite, as in GitLab's test report."""

    __test__ = False

    name: str
    status: Literal["success", "failed", "error", "skipped"] = "success"
    execution_time: float = 0.0
    classname: str = ""
    file: str | None = None
    system_output: str | None = None
    stack_trace: str | None = None


@dataclass(frozen=True, slots=True)
class TestSuite:
    """A suite; seen once the job of its name has ended, or the pipeline where no job has it."""

    __test__ = False

    name: str
    cases: tuple[TestCase, ...] = ()
    suite_error: str | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A small file in a job's artifacts archive."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Downstream:
    """The pipeline that a bridge starts. ``project`` is a path or a number in text."""

    project: str
    scenario_id: int | None = None
    ref: str | None = None
    strategy: Literal["depend"] | None = None
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class JobAttempt:
    """What differs in one attempt of a job; None means: as the job says."""

    duration: Duration | None = None
    status: TerminalStatus | None = None
    failure_reason: str | None = None
    pending: Duration | None = None
    never_complete: bool | None = None
    trace: str | None = None
    coverage: float | None = None
    artifacts: tuple[Artifact, ...] | None = None


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job as declared (https://docs.gitlab.com/ci/yaml/); one slot after ``parallel`` is spread.

    ``allow_failure`` is already decided: GitLab's default is True for a manual job.
    ``needs`` of None follows the stages; an empty one starts at once.
    The entry of ``attempts`` for the n-th run applies, the last one repeats.
    """

    name: str
    stage: str = "test"
    duration: Duration = 0
    status: TerminalStatus = "success"
    failure_reason: str | None = None
    when: When = "on_success"
    start_in: Duration = 0
    allow_failure: bool = False
    needs: tuple[str, ...] | None = None
    pending: Duration = 0
    never_complete: bool = False
    tags: tuple[str, ...] = ()
    coverage: float | None = None
    trace: str = ""
    artifacts: tuple[Artifact, ...] = ()
    attempts: tuple[JobAttempt, ...] = ()
    downstream: Downstream | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What differs in one attempt of a whole pipeline without jobs; None: as the scenario says."""

    terminal_after: Duration | None = None
    terminal_status: TerminalStatus | None = None
    never_complete: bool | None = None
    pending: Duration | None = None
    terminal_after_polls: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """How a pipeline goes.

    ``terminal_after`` of None: without jobs it ends at once (or by polls alone, where
    ``terminal_after_polls`` is set); with jobs there is no limit of time and the jobs decide.
    """

    scenario_id: int
    name: str
    terminal_after: Duration | None = None
    terminal_status: TerminalStatus = "success"
    never_complete: bool = False
    pending: Duration = 0
    terminal_after_polls: int | None = None
    coverage: float | None = None
    attempts: tuple[Attempt, ...] = ()
    stages: tuple[str, ...] = ()
    jobs: tuple[JobSpec, ...] = ()
    test_suites: tuple[TestSuite, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredScenario:
    """A scenario and where it stands. ``definition`` is its fields as they were written."""

    scenario: Scenario
    definition: dict[str, Any]
    source: Literal["builtin", "file", "runtime"]
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ClockSetting:
    """Where a world's clock starts. ``start`` of None is the present."""

    start: Instant | None = None
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Declarations:
    """Everything that the files declare, as one value."""

    scenarios: tuple[DeclaredScenario, ...] = ()
    default_scenario: int = 500
    rules: tuple[Rule, ...] = ()
    faults: tuple[Fault, ...] = ()
    projects: tuple[Project, ...] = ()
    user: User = field(default_factory=User)
    strict: bool = False
    seed: str | None = None
    clock: ClockSetting = field(default_factory=ClockSetting)
    allow_reset: bool = False
    journal_limit: int = 1000
    sandbox_limit: int = 200
    body_limit: int = 1_048_576
    token: str = field(default="MOCK_SUPER_SECRET", repr=False)

    def declared(self, number: int) -> DeclaredScenario | None:
        """Find the declared scenario of a number."""
        return next((d for d in self.scenarios if d.scenario.scenario_id == number), None)


# ---------------------------------------------------------------------------- recorded


@dataclass(frozen=True, slots=True)
class Action:
    """Something that was done to a pipeline, or to one of its jobs where ``job_id`` is given.

    ``shown`` is what a deleted downstream pipeline had shown by then, for its bridge to keep.
    """

    name: ActionName
    at: Instant
    job_id: int | None = None
    shown: tuple[tuple[Instant, PipelineStatus], ...] = ()


class ScenarioChoice(NamedTuple):
    """How the scenario of a pipeline was chosen, and what it takes to explain that later.

    ``rule`` is the place of the rule that matched. ``rule_set_id`` is the number under which the
    store keeps the rules that were in force. The last ``rule_variables`` of the pipeline's
    variables were added by the rule. ``inputs_json`` are the inputs of the request, None for none.
    """

    by: Literal["request", "rule", "default"]
    rule: str | None
    rule_set_id: int
    rule_variables: int = 0
    inputs_json: str | None = None


class PipelineRecord(NamedTuple):
    """A pipeline as the store keeps it. Inline values are None where the trigger named none.

    ``polls`` counts the reads of the present attempt and ``polled_at`` is the moment of the last
    one that counted; both stay at rest for a scenario without ``terminal_after_polls``.
    """

    id: int
    iid: int
    project_id: int
    ref: str
    sha: str
    source: str
    created_at: Instant
    tag: bool = False
    name: str | None = None
    variables: tuple[Variable, ...] = ()
    scenario_id: int | None = None
    terminal_after: Duration | None = None
    terminal_status: TerminalStatus | None = None
    actions: tuple[Action, ...] = ()
    polls: int = 0
    polled_at: Instant | None = None
    renamed_at: Instant | None = None
    choice: ScenarioChoice | None = None
    upstream_job_id: int | None = None

    def numbered(self, number: int, iid: int) -> PipelineRecord:
        """Give the record the numbers that the store has found for it."""
        return PipelineRecord(number, iid, *self[2:])


@dataclass(frozen=True, slots=True)
class TriggerToken:
    """A pipeline trigger token (https://docs.gitlab.com/api/pipeline_triggers/)."""

    id: int
    project_id: int
    token: str
    description: str
    created_at: Instant
    updated_at: Instant
    last_used: Instant | None = None
    expires_at: Instant | None = None
    declared: bool = False


def job_id(pipeline_id: int, slot: int, attempt: int) -> int:
    """The number of the ``attempt``-th run (from 0) of the ``slot``-th job (from 1) of a pipeline.

    Numbers are arithmetic, not rows: a pipeline follows its scenario live, so its jobs may change
    while it runs, and a number must lead back to its pipeline without a table.
    """
    return pipeline_id * 100_000 + attempt * 1_000 + slot


def split_job_id(number: int) -> tuple[int, int, int]:
    """Pipeline, slot and attempt of a job's number: the inverse of ``job_id``."""
    pipeline_id, rest = divmod(number, 100_000)
    attempt, slot = divmod(rest, 1_000)
    return pipeline_id, slot, attempt
