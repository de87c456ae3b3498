"""Scenarios that a ``.gitlab-ci.yml`` makes, read anew with the other files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from mock_gitlab.engine.sources import Source

from .fields import Name, ScenarioNumber, StrictModel, TextOrNumber, Violation, refuse

if TYPE_CHECKING:
    from pathlib import Path

    from mock_gitlab.importers.gitlab_ci import Imported


class ImportModel(StrictModel):
    """A CI configuration, and the pipeline that is asked of it, as ``mock-gitlab import`` takes."""

    file: Name = Field(
        alias="from",
        description="The CI configuration, relative to this file.",
        examples=[".gitlab-ci.yml"],
    )
    scenario_id: ScenarioNumber = Field(
        950, description="The number of its scenario; those of child pipelines follow."
    )
    ref: Name | None = Field(None, description="The branch; by default the default branch.")
    tag: Name | None = Field(None, description="The tag, instead of a branch.")
    source: Source = Field("push", description="What starts the pipeline.")
    variables: dict[Name, TextOrNumber] = Field({}, description="Variables of the pipeline.")
    inputs: dict[Name, Any] = Field({}, description="The inputs of spec:inputs.")
    changed: list[Name] | None = Field(
        None, description="The paths that have changed; by default all rules:changes hold."
    )
    project_path: Name = Field("group/project", description="The full path of the project.")
    default_branch: Name = Field("main", description="The default branch of the project.")
    duration: TextOrNumber | None = Field(
        None,
        description="How long a job takes that is not in durations; by default 30 seconds.",
        examples=["1m"],
    )
    durations: dict[Name, TextOrNumber] = Field(
        {},
        description="How long a job, or each job of a stage, takes.",
        examples=[{"build": "2m"}],
    )
    root: Name | None = Field(
        None,
        description="The folder in which the paths of includes begin; by default the nearest one "
        "with .git, or that of the file.",
    )

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        both: list[Violation] = [(("tag",), "cannot be combined with ref")]
        refuse(self, both if self.tag is not None and self.ref is not None else [])
        return self

    def read(self, base: Path, files: list[Path]) -> Imported:
        """Import it; ``files`` are the files that were read for it, or missed.

        Raises:
            CannotImport: a file is missing, or is not what GitLab reads.
        """
        # Who imports nothing does not pay for it.
        from mock_gitlab.importers.gitlab_ci import Request, import_ci

        usual = {} if self.duration is None else {"": self.duration}
        request = Request(
            ref=self.tag or self.ref or self.default_branch,
            tag=self.tag is not None,
            source=self.source,
            variables=self.variables,
            inputs=self.inputs,
            changed=None if self.changed is None else tuple(self.changed),
            project_path=self.project_path,
            default_branch=self.default_branch,
            scenario_id=self.scenario_id,
            durations={**usual, **self.durations},
        )
        root = None if self.root is None else base / self.root
        return import_ci(base / self.file, request, root, files=files)
