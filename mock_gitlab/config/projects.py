"""The models of projects, and of what they have: tokens, webhooks, branches, tags and commits."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from mock_gitlab.engine.hooks import HookSpec, is_signing_token
from mock_gitlab.engine.model import (
    LARGEST_NUMBER,
    DeclaredCommit,
    DeclaredRef,
    DeclaredToken,
    Project,
)

from .existing import Sha
from .fields import (
    WHOLE,
    Glob,
    InstantField,
    Matching,
    Name,
    StrictModel,
    Text,
    mistake,
    refuse,
)


def _signing_token(text: str) -> str:
    if not is_signing_token(text):
        raise mistake("must be whsec_ and 32 bytes in base64")
    return text


class TokenModel(StrictModel):
    """A trigger token."""

    token: Name = Field(description="Its text.", examples=["glptt-abc"])
    description: Text = Field("", description="Its description.")


class HookModel(StrictModel):
    """A webhook."""

    url: Name = Field(
        description="Where its requests go: a loopback host, or one of ``webhook_hosts``.",
        examples=["http://127.0.0.1:9000/gitlab"],
    )
    name: Name | None = Field(None, description="Its name.")
    token: Name | None = Field(None, description="Its secret, sent as ``X-Gitlab-Token``.")
    signing_token: Annotated[Name, AfterValidator(_signing_token)] | None = Field(
        None, description="Its key for signatures: ``whsec_`` and 32 bytes in base64."
    )
    enable_ssl_verification: bool = Field(True, description="Whether certificates are checked.")
    pipeline_events: bool = Field(False, description="Whether it wants Pipeline Hooks.")
    job_events: bool = Field(False, description="Whether it wants Job Hooks.")
    deployment_events: bool = Field(False, description="Whether it wants Deployment Hooks.")
    custom_webhook_template: Name | None = Field(
        None,
        description="JSON to send instead, with ``{{object_attributes.status}}`` and the like.",
        examples=['{"text": "{{object_attributes.status}}"}'],
    )
    custom_headers: dict[str, Text] = Field(
        {}, description="Headers of its requests.", examples=[{"X-Team": "blue"}]
    )
    url_variables: dict[str, Text] = Field(
        {}, description="Values for ``{words}`` in its URL.", examples=[{"key": "abc"}]
    )

    def to_engine(self) -> HookSpec:
        """Convert to the engine's type."""
        wanted = {
            "pipeline_events": self.pipeline_events,
            "job_events": self.job_events,
            "deployment_events": self.deployment_events,
        }
        return HookSpec(
            self.url,
            self.name,
            None,
            self.token,
            self.signing_token,
            self.enable_ssl_verification,
            frozenset(event for event, on in wanted.items() if on),
            custom_headers=tuple(self.custom_headers.items()),
            url_variables=tuple(self.url_variables.items()),
            custom_webhook_template=self.custom_webhook_template,
        )


def number_or_mapping(value: Any) -> str:
    """Tell whether a value is a mapping, by the tags of a union."""
    return "~mapping" if isinstance(value, dict) else "~one"


class BranchModel(StrictModel):
    """A branch with what it has of its own."""

    name: Name = Field(description="Its name.", examples=["main"])
    sha: Sha | None = Field(None, description="Its head; by default one is made up.")
    protected: bool | None = Field(
        None, description="Whether it is protected; by default the default branch is."
    )
    default: bool = Field(False, description="Whether it is the default branch.")

    def to_engine(self) -> DeclaredRef:
        """Convert to the engine's type."""
        return DeclaredRef(self.name, self.sha, self.protected)


class TagModel(StrictModel):
    """A tag with what it has of its own."""

    name: Name = Field(description="Its name.", examples=["v1.0"])
    sha: Sha | None = Field(None, description="Its commit; by default one is made up.")
    protected: bool = Field(False, description="Whether it is protected.")
    message: Text = Field("", description="Its message.")

    def to_engine(self) -> DeclaredRef:
        """Convert to the engine's type."""
        return DeclaredRef(self.name, self.sha, self.protected, self.message)


class CommitModel(StrictModel):
    """A commit."""

    sha: Sha = Field(description="Its sha.")
    title: Name = Field(description="Its title.", examples=["Fix the login"])
    message: Text | None = Field(None, description="Its message; by default the title.")
    author_name: Name | None = Field(None, description="Its author; by default the user.")
    author_email: Name | None = Field(None, description="The address of its author.")
    date: InstantField | None = Field(None, description="When it was made.")

    def to_engine(self) -> DeclaredCommit:
        """Convert to the engine's type."""
        author = self.author_name, self.author_email
        return DeclaredCommit(self.sha, self.title, self.message, *author, self.date)


TagEntry = Annotated[
    Annotated[Glob, Tag("~one")] | Annotated[TagModel, Tag("~mapping")],
    Discriminator(number_or_mapping),
]
"""A glob of tags, or a tag with what it has of its own."""


class ProjectModel(StrictModel):
    """A project."""

    id: Annotated[int, Field(ge=1, le=LARGEST_NUMBER), WHOLE] = Field(
        description="Its id.", examples=[42]
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
        description="Globs of the branches that exist; by default every branch exists.",
        examples=[["main", "release/*"]],
    )
    tags: list[TagEntry] = Field(
        [], description="Globs of the tags that exist, and tags themselves.", examples=[["v*"]]
    )
    branches: list[BranchModel] = Field([], description="Branches that exist, with their heads.")
    commits: Annotated[list[CommitModel], Field(max_length=200)] = Field(
        [], description="Commits, from the newest to the oldest."
    )
    trigger_tokens: list[TokenModel] = Field([], description="Its trigger tokens.")
    hooks: list[HookModel] = Field([], description="Its webhooks.")

    @model_validator(mode="after")
    def _one_default(self) -> Self:
        named = [at for at, branch in enumerate(self.branches) if branch.default]
        if named and "default_branch" in self.model_fields_set:
            refuse(self, [(("branches", named[0], "default"), "contradicts default_branch")])
        refuse(self, ((("branches", at, "default"), "is a second one") for at in named[1:]))
        return self

    def to_engine(self) -> Project:
        """Convert to the engine's type."""
        tagged = [each for each in self.tags if isinstance(each, TagModel)]
        globs = (each.name if isinstance(each, TagModel) else each for each in self.tags)
        defaults = (branch.name for branch in self.branches if branch.default)
        return Project(
            id=self.id,
            path=self.path,
            default_branch=next(defaults, self.default_branch),
            refs=None if self.refs is None else tuple(self.refs),
            tags=tuple(globs),
            branches=tuple(each.to_engine() for each in self.branches),
            tagged=tuple(each.to_engine() for each in tagged),
            commits=tuple(each.to_engine() for each in self.commits),
            trigger_tokens=tuple(
                DeclaredToken(each.token, each.description) for each in self.trigger_tokens
            ),
            hooks=tuple(each.to_engine() for each in self.hooks),
        )
