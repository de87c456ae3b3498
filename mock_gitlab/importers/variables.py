"""What an import is asked for, the variables that GitLab predefines for it, and their expansion."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.texts import slug

from .document import YamlMap, place_of
from .places import CannotImport, Place, short

if TYPE_CHECKING:
    from collections.abc import Mapping

_PASSES = 10
"""How often values of variables that hold variables are expanded."""
_LONGEST = 10_000
_REFERENCE = re.compile(r"\$\$|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)", re.ASCII)
_HIDDEN_DOLLAR = "\0"
MERGE_REQUEST = "merge_request_event"
UNKNOWN = frozenset(
    {
        "CI_API_V4_URL",
        "CI_COMMIT_AUTHOR",
        "CI_COMMIT_BEFORE_SHA",
        "CI_COMMIT_DESCRIPTION",
        "CI_COMMIT_MESSAGE",
        "CI_COMMIT_REF_PROTECTED",
        "CI_COMMIT_SHA",
        "CI_COMMIT_SHORT_SHA",
        "CI_COMMIT_TAG_MESSAGE",
        "CI_COMMIT_TIMESTAMP",
        "CI_COMMIT_TITLE",
        "CI_JOB_ID",
        "CI_MERGE_REQUEST_APPROVED",
        "CI_MERGE_REQUEST_DRAFT",
        "CI_MERGE_REQUEST_LABELS",
        "CI_MERGE_REQUEST_TITLE",
        "CI_OPEN_MERGE_REQUESTS",
        "CI_PIPELINE_CREATED_AT",
        "CI_PIPELINE_ID",
        "CI_PIPELINE_IID",
        "CI_PROJECT_ID",
        "CI_PROJECT_URL",
        "CI_PROJECT_VISIBILITY",
        "CI_REGISTRY",
        "CI_REGISTRY_IMAGE",
        "CI_SERVER_FQDN",
        "CI_SERVER_HOST",
        "CI_SERVER_URL",
        "CI_TRIGGER_SHORT_TOKEN",
        "GITLAB_USER_EMAIL",
        "GITLAB_USER_ID",
        "GITLAB_USER_LOGIN",
        "GITLAB_USER_NAME",
    }
)
"""Variables that GitLab sets, but no configuration tells; ``--var`` does."""


@dataclass(frozen=True, slots=True)
class Request:
    """The pipeline that an import is asked for.

    ``changed`` are the changed paths; None: unknown. ``durations`` are texts by the name of a job
    or a stage, and for ``""`` the one of all others. ``origin`` is the source of the pipeline at
    the top, if this one is a child of it.
    """

    ref: str = "main"
    tag: bool = False
    source: str = "push"
    variables: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    changed: tuple[str, ...] | None = None
    project_path: str = "group/project"
    default_branch: str = "main"
    scenario_id: int = 950
    durations: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""

    @property
    def merge_request(self) -> bool:
        """Whether the pipeline is one of a merge request."""
        return (self.origin or self.source) == MERGE_REQUEST

    @property
    def branch(self) -> bool:
        """Whether the pipeline is one of a branch."""
        return not self.tag and not self.merge_request


@dataclass(frozen=True, slots=True)
class Variables:
    """Values by name; those in ``raw`` are not expanded."""

    values: Mapping[str, str] = field(default_factory=dict)
    raw: frozenset[str] = frozenset()

    def over(self, below: Variables) -> Variables:
        """Put these variables over others."""
        return Variables(
            {**below.values, **self.values}, (below.raw - self.values.keys()) | self.raw
        )

    def only(self, names: frozenset[str]) -> Variables:
        """Keep the variables of these names."""
        kept = {name: value for name, value in self.values.items() if name in names}
        return Variables(kept, self.raw & names)

    def expand(self, text: str) -> str:
        """Insert values for ``$NAME`` and ``${NAME}``; names without a value stay."""
        for _ in range(_PASSES):
            expanded = _REFERENCE.sub(self._value, text)
            if expanded == text or len(expanded) > _LONGEST:
                break
            text = expanded
        return text.replace(_HIDDEN_DOLLAR, "$")

    def _value(self, found: re.Match[str]) -> str:
        name = found[1] or found[2]
        value = self.values.get(name) if name else None
        if value is None:
            return found[0]
        return value.replace("$", _HIDDEN_DOLLAR) if name in self.raw else value


def names_in(text: str) -> list[str]:
    """List the variables that a text names."""
    return [found[1] or found[2] for found in _REFERENCE.finditer(text) if found[0] != "$$"]


def predefined(request: Request) -> Variables:
    """Give the variables that GitLab predefines for a pipeline, as far as they are known."""
    path = request.project_path
    namespace, _, name = path.rpartition("/")
    values = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER": "yes",
        "CI_COMMIT_REF_NAME": request.ref,
        "CI_COMMIT_REF_SLUG": slug(request.ref),
        "CI_CONFIG_PATH": ".gitlab-ci.yml",
        "CI_DEFAULT_BRANCH": request.default_branch,
        "CI_PIPELINE_SOURCE": request.source,
        "CI_PROJECT_NAME": name,
        "CI_PROJECT_TITLE": name,
        "CI_PROJECT_NAMESPACE": namespace,
        "CI_PROJECT_PATH": path,
        "CI_PROJECT_PATH_SLUG": slug(path),
        "CI_PROJECT_ROOT_NAMESPACE": path.partition("/")[0],
    }
    if request.merge_request:
        return Variables(values | _of_merge_request(request))
    values["CI_COMMIT_TAG" if request.tag else "CI_COMMIT_BRANCH"] = request.ref
    return Variables(values)


def _of_merge_request(request: Request) -> dict[str, str]:
    return {
        "CI_MERGE_REQUEST_ID": "1",
        "CI_MERGE_REQUEST_IID": "1",
        "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
        "CI_MERGE_REQUEST_REF_PATH": "refs/merge-requests/1/head",
        "CI_MERGE_REQUEST_PROJECT_PATH": request.project_path,
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": request.project_path,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": request.ref,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": request.default_branch,
    }


def read_variables(written: Any, place: Place) -> Variables:
    """Read ``variables``: values, or mappings with ``value`` and ``expand``.

    Raises:
        CannotImport: they are neither.
    """
    if written is None:
        return Variables()
    if not isinstance(written, YamlMap):
        raise CannotImport(place_of(written, place), "variables must be a mapping")
    values: dict[str, str] = {}
    raw: set[str] = set()
    for name, value in written.items():
        at = written.place_of(name)
        if isinstance(value, YamlMap):
            if value.get("expand") is False:
                raw.add(name)
            value = value.get("value", "")
        values[name] = scalar_text(value, f"the variable {short(name)}", at)
    return Variables(values, frozenset(raw))


def scalar_text(value: Any, what: str, place: Place) -> str:
    """Give a scalar as GitLab puts it into text.

    Raises:
        CannotImport: it is a mapping, a list or a reference.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    if value is None:
        return ""
    raise CannotImport(place_of(value, place), f"{what} must be text or a number")
