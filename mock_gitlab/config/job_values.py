"""The values of a job's keys, as ``.gitlab-ci.yml`` writes them."""

from __future__ import annotations

from base64 import b64encode
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    model_validator,
)

from mock_gitlab.engine.failures import FailureReason
from mock_gitlab.engine.model import Artifact, Environment, Retry

from .contents import content_of
from .fields import (
    NOT_BOOL,
    WHOLE,
    DurationField,
    Matching,
    Name,
    OneOrMore,
    StrictModel,
    Text,
    TextOrNumber,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

COPIES_LIMIT = 200
"""The most copies of one job."""
RETRIES_LIMIT = 2
"""The most retries that follow by themselves, as on GitLab."""


def one_or_mapping(value: Any) -> str:
    """Tell a mapping from one that may stand for it, by the tags of a union."""
    return "~mapping" if isinstance(value, dict | BaseModel) else "~one"


# ---------------------------------------------------------------------------- artifacts

ArtifactPath = Annotated[
    Text,
    Matching(r"^[\s\S]{0,1024}$", "must have 1024 characters at most"),
    Matching(
        r"^(?!/)(?!(.*/)?\.{0,2}(/|$))[^\u0000-\u001f\u007f-\u009f\\]{1,1024}$",
        "must be the path of a file inside the archive, such as reports/junit.xml",
    ),
]


class ArtifactModel(StrictModel):
    """A file in the artifacts archive of a job."""

    path: ArtifactPath = Field(description="Its path in the archive.")
    content: Text = Field("", description="Its text.")
    file: Name | None = Field(
        None,
        description="The file that it is, as seen from the file that declares it.",
        examples=["build/app.bin"],
    )
    _read: bytes | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _read_file(self, info: ValidationInfo) -> Self:
        self._read = content_of(self, "file", "content", info)
        return self

    def to_engine(self) -> Artifact:
        """Convert to the engine's type."""
        if self._read is None:
            return Artifact(self.path, self.content)
        return Artifact(self.path, b64encode(self._read).decode(), encoded=True)


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


def artifacts_from(written: dict[str, str] | list[ArtifactModel]) -> tuple[Artifact, ...]:
    """Convert artifacts to the engine's."""
    if isinstance(written, dict):
        return tuple(Artifact(path, content) for path, content in written.items())
    return tuple(each.to_engine() for each in written)


# ---------------------------------------------------------------------------- needs


class NeedModel(StrictModel):
    """A job that another one waits for."""

    job: Name = Field(description="The name of the job.", examples=["build"])
    optional: bool = Field(False, description="Whether it may be missing.")
    artifacts: bool = Field(True, description="Whether its artifacts are wanted; changes nothing.")


Need = Annotated[
    Annotated[Name, Tag("~one")] | Annotated[NeedModel, Tag("~mapping")],
    Discriminator(one_or_mapping),
]
"""A job that another one waits for: its name, or a mapping."""


# ---------------------------------------------------------------------------- parallel

_Values = Annotated[
    list[TextOrNumber],
    Field(min_length=1),
    OneOrMore(),
]


class ParallelModel(StrictModel):
    """The copies of a job, by the values of variables."""

    matrix: Annotated[
        list[Annotated[dict[Name, _Values], Field(min_length=1)]],
        Field(min_length=1, max_length=COPIES_LIMIT),
    ] = Field(
        description="Lists of values by variable; each combination is a copy.",
        examples=[[{"PROVIDER": ["aws", "gcp"], "STACK": ["app", "data"]}]],
    )

    def suffixes(self) -> Iterator[str]:
        """Give what GitLab appends to the name of each copy, in order."""
        for variables in self.matrix:
            for values in product(*variables.values()):
                yield f": [{', '.join(values)}]"

    def count(self) -> int:
        """Count the copies without making them."""
        total = 0
        for variables in self.matrix:
            copies = 1
            for values in variables.values():
                copies *= len(values)
            total += copies
        return total


Copies = Annotated[int, Field(ge=1, le=COPIES_LIMIT), WHOLE]
Parallel = Annotated[
    Annotated[Copies, Tag("~one")] | Annotated[ParallelModel, Tag("~mapping")],
    Discriminator(one_or_mapping),
]
"""How many copies of a job there are, or the values that make them."""


# ---------------------------------------------------------------------------- failures

_Reason = Literal["always", FailureReason]
_Reasons = Annotated[list[_Reason], Field(min_length=1), OneOrMore()]
_Retries = Annotated[int, Field(ge=0, le=RETRIES_LIMIT), WHOLE]


class RetryModel(StrictModel):
    """How often a failed job is retried, and why."""

    max: _Retries = Field(description="How many retries follow by themselves.", examples=[2])
    when: _Reasons = Field(
        ["always"],
        description="The reasons to fail that are retried.",
        examples=["always", ["runner_system_failure", "stuck_or_timeout_failure"]],
    )


RetryField = Annotated[
    Annotated[_Retries, Tag("~one")] | Annotated[RetryModel, Tag("~mapping")],
    Discriminator(one_or_mapping),
]
"""How many retries of a job follow by themselves, or that and why."""


def retry_from(written: int | RetryModel | None) -> Retry | None:
    """Convert ``retry`` to the engine's type."""
    if written is None:
        return None
    if isinstance(written, int):
        return Retry(written)
    return Retry(written.max, () if "always" in written.when else tuple(written.when))


ExitCode = Annotated[int, Field(ge=0, le=255), WHOLE, NOT_BOOL]


class AllowFailureModel(StrictModel):
    """The exit codes of a job that count as allowed failures."""

    exit_codes: Annotated[list[ExitCode], Field(min_length=1), OneOrMore()] = Field(
        description="The exit codes with which it may fail.", examples=[137, [137, 255]]
    )


AllowFailure = Annotated[
    Annotated[bool, Tag("~one")] | Annotated[AllowFailureModel, Tag("~mapping")],
    Discriminator(one_or_mapping),
]
"""Whether a job may fail, or with which exit codes."""


# ---------------------------------------------------------------------------- environment


class EnvironmentModel(StrictModel):
    """The environment that a job deploys to."""

    name: Name = Field(
        description="Its name.", examples=["production", "review/$CI_COMMIT_REF_SLUG"]
    )
    url: Name | None = Field(None, description="Its address.")
    action: Literal["start", "prepare", "stop", "verify", "access"] = Field(
        "start", description="What the job does to it."
    )
    tier: Literal["production", "staging", "testing", "development", "other"] | None = Field(
        None, description="Its tier; by default GitLab finds it by the name."
    )
    auto_stop_in: DurationField | None = Field(
        None, description="How long after the job it stops.", examples=["1d"]
    )
    on_stop: Name | None = Field(None, description="The name of the job that stops it.")


EnvironmentField = Annotated[
    Annotated[Name, Tag("~one")] | Annotated[EnvironmentModel, Tag("~mapping")],
    Discriminator(one_or_mapping),
]
"""The environment of a job: its name, or a mapping."""


def environment_from(written: str | EnvironmentModel | None) -> Environment | None:
    """Convert ``environment`` to the engine's type."""
    if written is None:
        return None
    if isinstance(written, str):
        return Environment(written)
    return Environment(**{name: getattr(written, name) for name in EnvironmentModel.model_fields})
