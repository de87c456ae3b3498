"""The values that everything speaks of: what is declared, what is recorded, and the errors.

The errors, which HTTP turns into answers::

    MockGitLabError
      NotFound        something that a request names does not exist
      NotAllowed      GitLab's rules or the author's settings forbid it now
      AlreadyExists   a number or a name is taken
      Invalid         a value is well formed but cannot be used
      InvalidCiFile   GitLab creates no pipeline, since its CI file is invalid
      RejectedByRule  a rule answers instead of creating the pipeline

An ``Instant`` counts milliseconds since the Unix epoch in UTC. A ``Duration`` counts milliseconds.
GitLab shows whole milliseconds, so that nothing is ever rounded between two reads.

The module is long because it is one list of small values; none of them has logic of its own.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

# The codec asks for the types of the fields of what is stored.
from mock_gitlab.engine.failures import FailureReason  # noqa: TC001
from mock_gitlab.engine.matching import Fault  # noqa: TC001
from mock_gitlab.engine.sources import CHILD_SOURCE, Source

if TYPE_CHECKING:
    from mock_gitlab.engine.hooks import HookSpec
    from mock_gitlab.engine.matching import Response, Rule
    from mock_gitlab.engine.statuses import PipelineStatus

Instant = int
Duration = int

TerminalStatus = Literal["success", "failed", "canceled", "skipped", "manual"]
TERMINAL_STATUSES: tuple[TerminalStatus, ...] = get_args(TerminalStatus)
When = Literal["on_success", "on_failure", "always", "manual", "delayed"]
TestCaseStatus = Literal["success", "failed", "error", "skipped"]
PostedState = Literal["pending", "running", "success", "failed", "canceled", "skipped"]
"""The states that can be posted for a commit."""
Origin = Literal["builtin", "file", "runtime"]
"""Where a scenario was declared."""
ActionName = Literal[
    "cancel",
    "force_cancel",
    "retry",
    "play",
    "erase",
    "delete_artifacts",
    "keep_artifacts",
    "delete_downstream",
]
WAITS = (
    "created",
    "waiting_for_resource",
    "preparing",
    "waiting_for_callback",
    "pending",
    "canceling",
)
"""The statuses whose length is declared: those before the start in GitLab's order, and the last."""

LARGEST_NUMBER = 2**53
"""The largest number of a scenario or id of a project, which every JSON parser reads exactly."""
NAME_LIMIT = 255
"""The most characters of a name."""
JOBS_LIMIT = 999
"""The most jobs of one scenario, each of a ``parallel`` job's copies counted."""
NEEDS_LIMIT = 25_000
"""The most needs of all jobs of one scenario, from each copy to each copy."""
ATTEMPTS_LIMIT = 99
"""The most retries of one job."""
NEVER: Instant = 2**62
"""Later than every instant of a pipeline's course."""
LONGEST_DURATION: Duration = 1_000_000_000_000
"""The longest duration that a file may declare: a thousand million seconds, some 31 years."""


class MockGitLabError(Exception):
    """The base of all errors that a request can cause."""


class NotFound(MockGitLabError):
    """Something does not exist; ``what`` names its kind, such as "pipeline".

    ``hint`` tells the author of a test more than GitLab would tell the client.
    """

    def __init__(self, what: str, hint: str | None = None) -> None:
        super().__init__(f"{what} not found")
        self.what = what
        self.hint = hint


class NotAllowed(MockGitLabError):
    """A request is not allowed now; ``reason`` is a fixed text such as "Job is not retryable"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AlreadyExists(MockGitLabError):
    """A number or a name is taken."""


class Invalid(MockGitLabError):
    """A value is well formed but cannot be used."""


class InvalidCiFile(MockGitLabError):
    """The CI file is invalid; ``errors`` says why."""

    def __init__(self, errors: str) -> None:
        super().__init__(errors)
        self.errors = errors


class RejectedByRule(MockGitLabError):
    """A rule answers instead of creating the pipeline; ``rule`` is its place."""

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
    """The only user: the owner of the token."""

    id: int = 1
    username: str = "root"
    name: str = "Administrator"
    email: str = "admin@example.com"


@dataclass(frozen=True, slots=True)
class DeclaredToken:
    """A trigger token that a file declares."""

    token: str
    description: str = ""


class DeclaredRef(NamedTuple):
    """A branch or a tag with what it has of its own; ``message`` is that of a tag."""

    name: str
    sha: str | None = None
    protected: bool | None = None
    message: str = ""


class DeclaredCommit(NamedTuple):
    """A commit. What is None is as in the commits that the mock makes up."""

    sha: str
    title: str
    message: str | None = None
    author_name: str | None = None
    author_email: str | None = None
    at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A project. ``refs`` and ``tags`` are globs.

    With ``refs`` of None every ref exists, unless the mock is strict. ``branches`` and ``tagged``
    are those with something of their own. ``commits`` go from the newest to the oldest.
    """

    id: int
    path: str
    default_branch: str = "main"
    refs: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()
    trigger_tokens: tuple[DeclaredToken, ...] = ()
    declared: bool = True
    hooks: tuple[HookSpec, ...] = ()
    branches: tuple[DeclaredRef, ...] = ()
    tagged: tuple[DeclaredRef, ...] = ()
    commits: tuple[DeclaredCommit, ...] = ()

    def branch(self, name: str) -> DeclaredRef | None:
        """Find a declared branch."""
        return next((each for each in self.branches if each.name == name), None)

    def tag(self, name: str) -> DeclaredRef | None:
        """Find a declared tag."""
        return next((each for each in self.tagged if each.name == name), None)

    def history(self, sha: str) -> tuple[DeclaredCommit, ...]:
        """List the declared commits from one on back to the oldest; none if it is not declared."""
        shas = [each.sha for each in self.commits]
        return self.commits[shas.index(sha) :] if sha in shas else ()


def commit_of(project: Project, sha: str) -> DeclaredCommit:
    """Find a declared commit, or make one up. Its ``message`` is not None."""
    found = next(iter(project.history(sha)), None) or DeclaredCommit(sha, f"Commit {sha[:8]}")
    return found if found.message else found._replace(message=f"{found.title}\n")


@dataclass(frozen=True, slots=True)
class TestCase:
    """A test case of GitLab's test report."""

    __test__ = False

    name: str
    status: TestCaseStatus = "success"
    execution_time: float = 0.0
    classname: str = ""
    file: str | None = None
    system_output: str | None = None
    stack_trace: str | None = None


@dataclass(frozen=True, slots=True)
class TestSuite:
    """A test suite. The report shows it once the job of the same name has ended.

    If no job has that name, the report shows it once the pipeline has ended.
    """

    __test__ = False

    name: str
    cases: tuple[TestCase, ...] = ()
    suite_error: str | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file in the artifacts archive of a job; ``encoded`` content is base64."""

    path: str
    content: str
    encoded: bool = False

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return b64decode(self.content) if self.encoded else self.content.encode()

    @property
    def size(self) -> int:
        """How many bytes it has."""
        if self.encoded:
            return len(self.content) // 4 * 3 - self.content[-2:].count("=")
        return len(self.content.encode())


@dataclass(frozen=True, slots=True)
class Retry:
    """How many retries follow by themselves, and after which failures; empty: after each."""

    max: int
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment that a job deploys to (https://docs.gitlab.com/ci/yaml/#environment)."""

    name: str
    url: str | None = None
    action: str = "start"
    tier: str | None = None
    auto_stop_in: Duration | None = None
    on_stop: str | None = None


@dataclass(frozen=True, slots=True)
class Downstream:
    """The pipeline that a bridge starts.

    ``project`` is a path, or a number as text; None: a child pipeline, in the project of its parent
    and for the same commit.
    """

    project: str | None
    scenario_id: int | None = None
    ref: str | None = None
    strategy: Literal["depend"] | None = None
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class JobAttempt:
    """What one attempt of a job changes. A field of None keeps the job's value."""

    duration: Duration | None = None
    status: TerminalStatus | None = None
    failure_reason: FailureReason | None = None
    pending: Duration | None = None
    never_complete: bool | None = None
    trace: str | None = None
    coverage: float | None = None
    artifacts: tuple[Artifact, ...] | None = None
    created: Duration | None = None
    waiting_for_resource: Duration | None = None
    preparing: Duration | None = None
    waiting_for_callback: Duration | None = None
    canceling: Duration | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job as declared (https://docs.gitlab.com/ci/yaml/), or one copy of a ``parallel`` job.

    ``allow_failure`` has GitLab's default filled in, which is True for a manual job.
    With ``needs`` of None the job waits for the stages before; with an empty one it starts at once.
    The n-th entry of ``attempts`` applies to the n-th run; the last entry repeats.

    ``created`` is how long it stays created once its turn has come. The other ``WAITS`` before the
    start follow in order. ``canceling`` is how long a cancel takes while it runs.

    A run that fails with one of the ``allowed_exit_codes`` is allowed to fail. One that takes
    longer than ``timeout`` fails then.
    """

    name: str
    stage: str = "test"
    duration: Duration = 0
    status: TerminalStatus = "success"
    failure_reason: FailureReason | None = None
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
    artifacts_expire_in: Duration | None = None
    attempts: tuple[JobAttempt, ...] = ()
    downstream: Downstream | None = None
    created: Duration = 0
    waiting_for_resource: Duration = 0
    preparing: Duration = 0
    waiting_for_callback: Duration = 0
    canceling: Duration = 0
    exit_code: int = 1
    allowed_exit_codes: tuple[int, ...] = ()
    retry: Retry | None = None
    timeout: Duration | None = None
    interruptible: bool = False
    environment: Environment | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt of a pipeline without jobs changes. None keeps the scenario's value."""

    terminal_after: Duration | None = None
    terminal_status: TerminalStatus | None = None
    never_complete: bool | None = None
    pending: Duration | None = None
    terminal_after_polls: int | None = None
    created: Duration | None = None
    waiting_for_resource: Duration | None = None
    preparing: Duration | None = None
    waiting_for_callback: Duration | None = None
    canceling: Duration | None = None


@dataclass(frozen=True, slots=True)
class ExternalStatus:
    """A status that another CI posts, so long after the creation of the pipeline."""

    name: str
    state: PostedState
    after: Duration = 0
    target_url: str | None = None
    description: str | None = None
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """How a pipeline behaves.

    With ``terminal_after`` of None, a pipeline with jobs has no time limit: its jobs decide. One
    without jobs ends at once, or after ``terminal_after_polls`` reads if that is set.

    The ``WAITS`` before the start count from its creation. With jobs, none leaves such a status
    before that. With ``yaml_errors`` the pipeline has failed without jobs as soon as it exists.
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
    created: Duration = 0
    waiting_for_resource: Duration = 0
    preparing: Duration = 0
    waiting_for_callback: Duration = 0
    canceling: Duration = 0
    yaml_errors: str | None = None
    external_statuses: tuple[ExternalStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredScenario:
    """A scenario and where it was declared. ``definition`` holds the fields as written."""

    scenario: Scenario
    definition: dict[str, Any]
    source: Origin
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ClockSetting:
    """How a clock starts and goes. With ``start`` of None it shows the real time at the start.

    A running clock goes ``speed`` times as fast as real time. Each read of the API moves the clock
    by ``advance_per_poll``.
    """

    start: Instant | None = None
    frozen: bool = False
    speed: float = 1.0
    advance_per_poll: Duration = 0


class DeclaredPipeline(NamedTuple):
    """A pipeline that exists from the beginning of a world on.

    ``key`` names it over edits, ``place`` is its file and line. ``project`` is a number or a path.
    Without a ``sha`` it ran on the head of its ref, without a ``ref`` on the default branch.
    ``created_at`` beats ``age``, which counts back from the beginning of the world. With ``id`` or
    ``iid`` of None it gets the next number, and with a scenario of None the default one.
    """

    key: str
    place: str
    project: str
    ref: str | None = None
    sha: str | None = None
    source: Source = "push"
    name: str | None = None
    variables: tuple[Variable, ...] = ()
    scenario_id: int | None = None
    age: Duration = 0
    created_at: Instant | None = None
    id: int | None = None
    iid: int | None = None


@dataclass(frozen=True, slots=True)
class Declarations:
    """Everything that the files declare.

    ``variables`` are those of the environment that the files use, for hiding their values.
    """

    scenarios: tuple[DeclaredScenario, ...] = ()
    default_scenario: int = 500
    rules: tuple[Rule, ...] = ()
    faults: tuple[Fault, ...] = ()
    projects: tuple[Project, ...] = ()
    hooks: tuple[HookSpec, ...] = ()
    pipelines: tuple[DeclaredPipeline, ...] = ()
    user: User = field(default_factory=User)
    strict: bool = False
    seed: str | None = None
    clock: ClockSetting = field(default_factory=ClockSetting)
    allow_reset: bool = False
    journal_limit: int = 1000
    sandbox_limit: int = 200
    sandboxes_on_first_use: bool = True
    body_limit: int = 1_048_576
    webhook_hosts: tuple[str, ...] = ()
    token: str = field(default="MOCK_SUPER_SECRET", repr=False)
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def declared(self, number: int) -> DeclaredScenario | None:
        """Return the declared scenario with a number."""
        return next((d for d in self.scenarios if d.scenario.scenario_id == number), None)

    def behaviour(self, number: int) -> Scenario | None:
        """Return the scenario with a number."""
        found = self.declared(number)
        return None if found is None else found.scenario


# ---------------------------------------------------------------------------- recorded


@dataclass(frozen=True, slots=True)
class Action:
    """Something done to a pipeline, or to the job with the number ``job_id``.

    ``shown`` is the history of a deleted downstream pipeline: its bridge goes on showing it.
    """

    name: ActionName
    at: Instant
    job_id: int | None = None
    shown: tuple[tuple[Instant, PipelineStatus], ...] = ()


class ScenarioChoice(NamedTuple):
    """How the scenario of a pipeline was chosen, and what it takes to explain that later.

    ``rule`` is the place of the rule that matched, ``rule_key`` its key. ``rule_set_id`` is the
    number under which the store keeps the rules that were in force. The rule added the last
    ``rule_variables`` of the pipeline's variables. ``inputs_json`` are the inputs of the request,
    None for none.
    """

    by: Literal["request", "rule", "default"]
    rule: str | None
    rule_key: str | None
    rule_set_id: int
    rule_variables: int = 0
    inputs_json: str | None = None


class PipelineRecord(NamedTuple):
    """A pipeline as the store keeps it.

    The fields ``scenario_id``, ``terminal_after`` and ``terminal_status`` are None unless the
    trigger gave them. ``polls`` counts the reads of the current attempt, and ``polled_at`` is the
    instant of the last read that counted. Both change only with ``terminal_after_polls``.
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
        """Return the record with the numbers that the store has given it."""
        return PipelineRecord(number, iid, *self[2:])

    def is_child(self) -> bool:
        """Return whether it is the child pipeline of another one."""
        return self.source == CHILD_SOURCE


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
    """Return the number of a run: the job's ``slot`` counts from 1, its ``attempt`` from 0.

    Job numbers are computed, not stored. A pipeline follows edits of its scenario, so its jobs may
    change while it runs, and a number must still lead to its pipeline.
    """
    return pipeline_id * 100_000 + attempt * 1_000 + slot


def split_job_id(number: int) -> tuple[int, int, int]:
    """Return the pipeline, slot and attempt of a job's number: the inverse of ``job_id``."""
    pipeline_id, rest = divmod(number, 100_000)
    attempt, slot = divmod(rest, 1_000)
    return pipeline_id, slot, attempt
