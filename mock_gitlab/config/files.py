"""The models of the files: mock.yaml and files of scenarios."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from mock_gitlab.engine.model import Declarations

from .fields import (
    NO_SWITCH,
    WHOLE,
    Glob,
    InstantField,
    Matching,
    Name,
    ScenarioNumber,
    StrictModel,
    Text,
    TextOrNumber,
)
from .patterns import FaultModel, RuleModel
from .scenarios import ScenarioModel

_DEFAULT = Declarations()


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

    id: Annotated[int, Field(ge=1, le=2**31), WHOLE] = Field(
        _DEFAULT.user.id, description="The number."
    )
    username: Name = Field(_DEFAULT.user.username, description="The short name.")
    name: Name = Field(_DEFAULT.user.name, description="The name in full.")
    email: Name = Field(_DEFAULT.user.email, description="The address.")


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
        _DEFAULT.token,
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
        _DEFAULT.default_scenario,
        description="For a trigger that names none and that no rule matches.",
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
        _DEFAULT.journal_limit, description="How many calls are remembered."
    )
    sandboxes: Annotated[int, Field(ge=1, le=100_000), WHOLE] = Field(
        _DEFAULT.sandbox_limit, description="How many sandboxes there may be."
    )
    max_body_bytes: Annotated[int, Field(ge=1, le=2**31), WHOLE] = Field(
        _DEFAULT.body_limit, description="How large the body of a request may be."
    )
