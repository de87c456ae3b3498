"""The models of the files: mock.yaml and files of scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from mock_gitlab.engine.hooks import allows
from mock_gitlab.engine.model import (
    ClockSetting,
    Declarations,
    User,
)

from .existing import MOST, PipelineModel, numbers_taken
from .faults import FaultModel
from .fields import (
    NOT_BOOL,
    WHOLE,
    DurationField,
    Host,
    InstantField,
    Matching,
    Name,
    ScenarioNumber,
    StrictModel,
    Text,
    TextOrNumber,
    Violation,
    refuse,
)
from .imported import ImportModel
from .projects import HookModel, ProjectModel, number_or_mapping
from .rules import RuleModel
from .scenarios import ScenarioModel

_DEFAULT = Declarations()
_ELSEWHERE = "must lead to a loopback host by http or https, or to one of webhook_hosts"


class _File(StrictModel):
    """A file. Keys that begin with ``x-`` are ignored: they hold templates for aliases."""

    @model_validator(mode="before")
    @classmethod
    def _ignore_templates(cls, written: Any) -> Any:
        if not isinstance(written, dict):
            return written
        return {k: v for k, v in written.items() if not str(k).startswith("x-")}


class ScenarioFile(_File):
    """A file of scenarios."""

    scenarios: list[ScenarioModel] = Field(description="The scenarios.")


Speed = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]
"""How many times as fast as real time a clock goes."""


class ClockModel(StrictModel):
    """How the mock's clock starts."""

    start: InstantField | None = Field(
        None,
        description="The time at the start; by default the real time.",
        examples=["2026-01-01T00:00:00Z"],
    )
    frozen: bool = Field(False, description="Whether it stands still until a request moves it.")
    speed: Speed = Field(
        1.0, description="How many times as fast as real time it runs.", examples=[60]
    )
    advance_per_poll: DurationField = Field(
        0,
        description="How far each read of the API moves it, once it is answered.",
        examples=["10s"],
    )

    def to_engine(self) -> ClockSetting:
        """Convert to the engine's type."""
        return ClockSetting(self.start, self.frozen, self.speed, self.advance_per_poll)


JournalLimit = Annotated[int, Field(ge=0, le=1_000_000), WHOLE]
"""How many requests a journal keeps."""


class UserModel(StrictModel):
    """The user who owns the token."""

    id: Annotated[int, Field(ge=1, le=2**31), WHOLE] = Field(
        _DEFAULT.user.id, description="The id."
    )
    username: Name = Field(_DEFAULT.user.username, description="The username.")
    name: Name = Field(_DEFAULT.user.name, description="The full name.")
    email: Name = Field(_DEFAULT.user.email, description="The email address.")

    def to_engine(self) -> User:
        """Convert to the engine's type."""
        return User(**self.model_dump())


def _path_or_scenario(value: Any) -> str | None:
    if isinstance(value, str):
        return "~glob"
    if not isinstance(value, dict):
        return None
    return "~import" if "from" in value else "~scenario"


ScenarioEntry = Annotated[
    Annotated[Name, Tag("~glob")]
    | Annotated[ImportModel, Tag("~import")]
    | Annotated[ScenarioModel, Tag("~scenario")],
    Discriminator(
        _path_or_scenario,
        custom_error_type="mistake",
        custom_error_message="must be a path (globs are fine) or a scenario",
    ),
]


SandboxLimit = Annotated[int, Field(ge=1, le=100_000), WHOLE]


class SandboxesModel(StrictModel):
    """The sandboxes of a server."""

    limit: SandboxLimit = Field(
        _DEFAULT.sandbox_limit, description="How many sandboxes there may be."
    )
    create: Literal["first_use", "explicit"] = Field(
        "first_use",
        description="first_use: the first request with the token makes a sandbox; "
        "explicit: only POST /_mock/sandboxes does.",
    )


Sandboxes = Annotated[
    Annotated[SandboxLimit, Tag("~one")] | Annotated[SandboxesModel, Tag("~mapping")],
    Discriminator(number_or_mapping),
]
"""How many sandboxes there may be; or that, and how they are made."""


class MockFile(_File):
    """A mock.yaml."""

    version: Annotated[Literal[1], NOT_BOOL] = Field(1, description="The version of this format.")
    token: Annotated[Text, Matching(r"^[!-~]+$", "must be one word of plain ASCII")] = Field(
        _DEFAULT.token,
        description="The token that clients authenticate with.",
        examples=["${MOCK_TOKEN:-MOCK_SUPER_SECRET}"],
    )
    database: Name = Field(
        "mock.db",
        description='The file that stores the pipelines, relative to this file; or ":memory:".',
        examples=["mock.db", ":memory:"],
    )
    host: Host = Field("127.0.0.1", description="The address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535), WHOLE] = Field(
        8000, description="The port to listen on; 0: any free port."
    )
    watch: bool = Field(True, description="Whether edits of the files take effect at once.")
    watch_polling: bool = Field(
        False, description="Whether to poll the files, for file systems that report no changes."
    )
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        "info", description="The lowest level of messages to log."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Whether to log lines for people, or JSON objects."
    )
    log_requests: bool = Field(False, description="Whether to log every request.")
    dashboard: bool = Field(True, description="Whether the live page is served.")
    metrics: bool = Field(False, description="Whether `/_mock/metrics` counts requests.")
    scenarios: list[ScenarioEntry] | None = Field(
        None,
        description="Files of scenarios, relative to this file, and scenarios themselves.",
        examples=[["scenarios/*.yaml"]],
    )
    default_scenario: ScenarioNumber = Field(
        _DEFAULT.default_scenario,
        description="The scenario of a trigger that names none and that no rule matches.",
    )
    clock: ClockModel | None = Field(
        None, description="The clock; by default it shows the real time."
    )
    seed: Annotated[TextOrNumber, Field(min_length=1)] | None = Field(
        None, description="Makes shas and tokens reproducible.", examples=[7]
    )
    strict: bool = Field(False, description="Whether only declared projects and refs exist.")
    user: UserModel = Field(UserModel.model_validate({}), description="The user of the token.")
    projects: list[ProjectModel] | None = Field(None, description="The projects.")
    hooks: list[HookModel] = Field([], description="Webhooks of every project.")
    pipelines: Annotated[list[PipelineModel], Field(max_length=MOST)] | None = Field(
        None, description="The pipelines that exist from the beginning on."
    )
    rules: list[RuleModel] | None = Field(
        None, description="Which scenario a new pipeline gets; the first rule that matches decides."
    )
    faults: list[FaultModel] | None = Field(
        None, description="What goes wrong with which requests."
    )
    warn_unused: bool = Field(
        False, description="Whether to warn of scenarios that no rule uses, only requests."
    )
    allow_reset: bool = Field(False, description="Whether a request may reset the default world.")
    journal: JournalLimit = Field(
        _DEFAULT.journal_limit, description="How many requests the journal keeps."
    )
    sandboxes: Sandboxes = Field(
        _DEFAULT.sandbox_limit,
        description="How many sandboxes there may be; or a mapping, which also says how they "
        "are made.",
        examples=[200],
    )
    max_body_bytes: Annotated[int, Field(ge=1, le=2**31), WHOLE] = Field(
        _DEFAULT.body_limit, description="The largest body of a request."
    )
    webhook_hosts: list[Name] = Field(
        [],
        description="Hosts that webhooks may go to; without them only loopback addresses.",
        examples=[["receiver.internal"]],
    )

    @model_validator(mode="after")
    def _contradictions(self) -> Self:
        refuse(self, (*self._hooks_elsewhere(), *numbers_taken(self.pipelines or ())))
        return self

    def _hooks_elsewhere(self) -> Iterator[Violation]:
        lists = [(("projects", at), each.hooks) for at, each in enumerate(self.projects or ())]
        for place, hooks in ((), self.hooks), *lists:
            for number, hook in enumerate(hooks):
                if not allows(hook.to_engine().target, self.webhook_hosts):
                    yield (*place, "hooks", number, "url"), _ELSEWHERE
