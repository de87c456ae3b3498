"""Environments as values: names, slugs, tiers, and what happens to one over time.

It follows https://docs.gitlab.com/ci/environments/.
"""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, NamedTuple
from zlib import crc32

from .texts import slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .model import Duration, Environment, Instant, PipelineRecord, Project
    from .statuses import JobStatus

DeploymentStatus = Literal[
    "created", "running", "success", "failed", "canceled", "skipped", "blocked"
]
EnvironmentState = Literal["available", "stopping", "stopped"]
TIERS = ("production", "staging", "testing", "development", "other")
ENDS: frozenset[DeploymentStatus] = frozenset(("success", "failed", "canceled"))
"""The statuses at which a deployment has finished."""
TOLD: frozenset[DeploymentStatus] = ENDS | {"running"}
"""The statuses of which webhooks are told."""
STARTABLE: frozenset[DeploymentStatus] = frozenset(("created", "blocked"))
"""The statuses from which a deployment may become running."""

_LONGEST_SLUG = 24
_SUFFIX = 6
_REFERENCE = re.compile(r"\$\$|\$(\w+)|\$\{(\w+)\}")
_NAME = re.compile(r"[\w\-/${}. ]+", re.ASCII)
_TIERS = (
    ("development", r"dev|review|trunk"),
    ("testing", r"test|tst|int|ac(ce|)pt|qa|qc|control|quality"),
    ("staging", r"st(a|)g|mod(e|)l|pre|demo|non"),
    ("production", r"pr(o|)d|live"),
)
_STATUSES: dict[JobStatus, DeploymentStatus] = {
    "manual": "blocked",
    "running": "running",
    "canceling": "running",
    "success": "success",
    "failed": "failed",
    "canceled": "canceled",
    "skipped": "skipped",
}


def deployment_status(job: JobStatus) -> DeploymentStatus:
    """Return the status of the deployment of a job."""
    return _STATUSES.get(job, "created")


def is_valid_name(name: str) -> bool:
    """Return whether GitLab allows an environment to have a name."""
    return bool(_NAME.fullmatch(name)) and not (name.startswith("/") or name.endswith("/"))


def tier_of(name: str) -> str:
    """Guess the tier of an environment from its name, as GitLab does."""
    return next((tier for tier, words in _TIERS if re.search(words, name, re.IGNORECASE)), "other")


def environment_id(project_id: int, name: str) -> int:
    """Derive the number of an environment from its name, so that it is the same in every run."""
    return crc32(f"{project_id} {name}".encode()) % 1_000_000_000 + 1


def slug_of(name: str, salt: str) -> str:
    """Write a name so that it can stand in a host name.

    A name that this changes gets six letters more, which depend on ``salt``, so that no other
    name has the same slug.
    """
    written = re.sub(r"[^a-z0-9]+", "-", name.lower(), flags=re.ASCII).strip("-")
    if not written[:1].isalpha():
        written = f"env-{written}"
    if written == name and len(written) <= _LONGEST_SLUG:
        return written
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    digest = blake2b(f"{salt} {name}".encode(), digest_size=_SUFFIX).digest()
    suffix = "".join(letters[byte % len(letters)] for byte in digest)
    return f"{written[: _LONGEST_SLUG - _SUFFIX - 1].rstrip('-')}-{suffix}"


# ---------------------------------------------------------------------------- variables


def environment_of(
    environment: Environment, project: Project, record: PipelineRecord, job: str, salt: str = ""
) -> Environment:
    """Return the environment of a job, with the values of the variables in its name and URL."""
    if "$" not in environment.name and "$" not in (environment.url or ""):
        return environment
    values = {**_predefined(project, record), "CI_JOB_NAME": job}
    values |= {variable.key: variable.value for variable in record.variables}
    name = expand(environment.name, values)
    values |= {"CI_ENVIRONMENT_NAME": name, "CI_ENVIRONMENT_SLUG": slug_of(name, salt)}
    url = None if environment.url is None else expand(environment.url, values)
    return replace(environment, name=name, url=url)


def expand(text: str, values: Mapping[str, str]) -> str:
    """Put the values of variables into a text: ``$NAME`` and ``${NAME}``; an unknown one is empty.

    ``$$`` is a dollar sign.
    """
    return _REFERENCE.sub(
        lambda found: "$" if found[0] == "$$" else values.get(found[1] or found[2], ""), text
    )


def _predefined(project: Project, record: PipelineRecord) -> dict[str, str]:
    namespace, _, name = project.path.rpartition("/")
    return {
        "CI_COMMIT_REF_NAME": record.ref,
        "CI_COMMIT_REF_SLUG": slug(record.ref),
        "CI_COMMIT_TAG" if record.tag else "CI_COMMIT_BRANCH": record.ref,
        "CI_COMMIT_SHA": record.sha,
        "CI_COMMIT_SHORT_SHA": record.sha[:8],
        "CI_DEFAULT_BRANCH": project.default_branch,
        "CI_PIPELINE_ID": str(record.id),
        "CI_PIPELINE_IID": str(record.iid),
        "CI_PIPELINE_SOURCE": record.source,
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_NAME": name,
        "CI_PROJECT_NAMESPACE": namespace,
        "CI_PROJECT_PATH": project.path,
        "CI_PROJECT_PATH_SLUG": slug(project.path),
    }


# ---------------------------------------------------------------------------- over time


class Happening(NamedTuple):
    """Something that happens to an environment.

    ``state`` is what it leads to, None for no change of it. A deployment that succeeds may set
    ``url`` and ``auto_stop_in``.
    """

    at: Instant
    state: EnvironmentState | None
    url: str | None = None
    auto_stop_in: Duration | None = None


class Course(NamedTuple):
    """What an environment shows at an instant."""

    state: EnvironmentState
    created_at: Instant
    updated_at: Instant
    url: str | None
    auto_stop_at: Instant | None


def course(created_at: Instant, happenings: Iterable[Happening], now: Instant) -> Course:
    """Return what an environment shows at ``now``, which is not before its creation."""
    seen = Course("available", created_at, created_at, None, None)
    past = (each for each in happenings if each.at <= now)
    for each in sorted(past, key=lambda each: each.at):
        seen = _after(_stopped_by_time(seen, each.at), each)
    return _stopped_by_time(seen, now)


def _stopped_by_time(seen: Course, now: Instant) -> Course:
    if seen.auto_stop_at is None or seen.auto_stop_at > now:
        return seen
    return seen._replace(state="stopped", updated_at=seen.auto_stop_at, auto_stop_at=None)


def _after(seen: Course, each: Happening) -> Course:
    if each.state is None:
        return seen._replace(updated_at=each.at, url=each.url or seen.url)
    ends = each.state == "available" and each.auto_stop_in is not None
    return Course(
        each.state,
        seen.created_at,
        each.at,
        each.url or seen.url,
        each.at + (each.auto_stop_in or 0) if ends else None,
    )
