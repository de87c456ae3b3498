"""The bodies of webhooks, keys and order as on GitLab's page "Webhook events".

Each is the state of a pipeline at the instant of its view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mock_gitlab.engine.environments import environment_of
from mock_gitlab.engine.external import STAGE
from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import commit_of
from mock_gitlab.engine.statuses import detailed

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Instant, PipelineRecord, Project, User
    from mock_gitlab.engine.timeline import JobState, PipelineState, Timeline

_NO_COMMIT = "0" * 40


class Moment(NamedTuple):
    """A pipeline at an instant, and whose it is.

    ``site`` is the URL of GitLab. ``source`` is the pipeline that started this one, with its
    project.
    """

    site: str
    user: User
    project: Project
    record: PipelineRecord
    timeline: Timeline
    now: Instant
    source: tuple[Project, PipelineRecord] | None = None

    @property
    def state(self) -> PipelineState:
        """What the pipeline shows at the instant."""
        return self.timeline.at(self.now)


def pipeline_payload(moment: Moment) -> dict[str, Any]:
    """Write the body of a Pipeline Hook."""
    return {
        "object_kind": "pipeline",
        "object_attributes": _attributes(moment),
        "merge_request": None,
        "user": _user(moment.site, moment.user),
        "project": _project(moment.site, moment.project),
        "commit": _commit(moment),
        "builds": [_build(moment, job) for job in _latest(moment)],
        **_source(moment),
    }


def job_payload(moment: Moment, job: JobState) -> dict[str, Any]:
    """Write the body of a Job Hook."""
    record, now = moment.record, moment.now
    failure = job.failure_reason or "unknown_failure"
    return {
        "object_kind": "build",
        "ref": record.ref,
        "tag": record.tag,
        "before_sha": _NO_COMMIT,
        "sha": record.sha,
        "retries_count": job.attempt,
        "build_id": job.id,
        "build_name": job.name,
        "build_stage": job.stage,
        "build_status": job.status,
        "build_created_at": _time(job.created_at),
        "build_started_at": _time(job.started_at),
        "build_finished_at": _time(job.finished_at),
        "build_duration": job.duration(now),
        "build_queued_duration": job.queued_duration(now),
        "build_allow_failure": job.allow_failure,
        "build_failure_reason": failure,
        "pipeline_id": record.id,
        "runner": None,
        "project_id": moment.project.id,
        "project_name": " / ".join(moment.project.path.split("/")),
        "user": _user(moment.site, moment.user),
        "commit": _commit_of_job(moment),
        "repository": _repository(moment),
        "project": _project(moment.site, moment.project),
        "environment": _environment(moment, job),
        **_source(moment),
    }


class Deployed(NamedTuple):
    """What is told of a deployment at an instant; ``job_id`` is None if the API has made it."""

    site: str
    user: User
    project: Project
    id: int
    job_id: int | None
    environment: str
    tier: str
    slug: str
    external_url: str | None
    sha: str
    status: str
    now: Instant


def deployment_payload(told: Deployed) -> dict[str, Any]:
    """Write the body of a Deployment Hook."""
    url, job = f"{told.site}/{told.project.path}", told.job_id
    ssh = _ssh_url(told.site, told.project)
    project = _project(told.site, told.project)
    return {
        "object_kind": "deployment",
        "status": told.status,
        "status_changed_at": f"{timestamp(told.now)[:19].replace('T', ' ')} +0000",
        "deployment_id": told.id,
        "deployable_id": job,
        "deployable_url": None if job is None else f"{url}/-/jobs/{job}",
        "environment": told.environment,
        "environment_tier": told.tier,
        "environment_slug": told.slug,
        "environment_external_url": told.external_url,
        "project": {
            **project,
            "homepage": url,
            "url": ssh,
            "ssh_url": ssh,
            "http_url": f"{url}.git",
        },
        "short_sha": told.sha[:8],
        "user": _user(told.site, told.user),
        "user_url": f"{told.site}/{told.user.username}",
        "commit_url": f"{url}/-/commit/{told.sha}",
        "commit_title": f"Commit {told.sha[:8]}",
    }


def _attributes(moment: Moment) -> dict[str, Any]:
    record, state = moment.record, moment.state
    external = [STAGE] if state.external else []
    return {
        "id": record.id,
        "iid": record.iid,
        "name": record.name,
        "ref": record.ref,
        "tag": record.tag,
        "sha": record.sha,
        "before_sha": _NO_COMMIT,
        "source": record.source,
        "status": state.status,
        "detailed_status": detailed(state.status, state.has_warnings).label,
        "stages": list(dict.fromkeys((*(job.stage for job in state.jobs), *external))),
        "created_at": _time(state.created_at),
        "finished_at": _time(state.finished_at),
        "duration": state.duration,
        "queued_duration": state.queued_duration,
        "protected_ref": record.ref == moment.project.default_branch,
        "variables": [{"key": each.key, "value": each.value} for each in record.variables],
        "url": f"{_url(moment)}/-/pipelines/{record.id}",
    }


def _latest(moment: Moment) -> list[JobState]:
    return [job for job in moment.state.jobs if not (job.retried or job.is_bridge)]


def _build(moment: Moment, job: JobState) -> dict[str, Any]:
    manual = job.spec.when == "manual"
    return {
        "id": job.id,
        "stage": job.stage,
        "name": job.name,
        "status": job.status,
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
        "duration": job.duration(moment.now),
        "queued_duration": job.queued_duration(moment.now),
        "failure_reason": job.failure_reason,
        "when": job.spec.when,
        "manual": manual,
        "allow_failure": job.allow_failure,
        "user": _user(moment.site, moment.user),
        "runner": None,
        "artifacts_file": _artifacts_file(job),
        "environment": _environment(moment, job, tier=True),
    }


def _artifacts_file(job: JobState) -> dict[str, Any]:
    if not job.artifacts:
        return {"filename": None, "size": None}
    size = sum(each.size for each in job.artifacts)
    return {"filename": "artifacts.zip", "size": size}


def _environment(moment: Moment, job: JobState, *, tier: bool = False) -> dict[str, Any] | None:
    if job.spec.environment is None:
        return None
    found = environment_of(job.spec.environment, moment.project, moment.record, job.name)
    more = {"deployment_tier": found.tier} if tier else {}
    return {"name": found.name, "action": found.action, **more}


def _user(site: str, user: User) -> dict[str, Any]:
    avatar = f"{site}/uploads/-/system/user/avatar/{user.id}/avatar.png"
    return {
        "id": user.id,
        "name": user.name,
        "username": user.username,
        "avatar_url": avatar,
        "email": user.email,
    }


def _project(site: str, project: Project) -> dict[str, Any]:
    *above, name = project.path.split("/")
    return {
        "id": project.id,
        "name": name,
        "description": None,
        "web_url": f"{site}/{project.path}",
        "avatar_url": None,
        "git_ssh_url": _ssh_url(site, project),
        "git_http_url": f"{site}/{project.path}.git",
        "namespace": above[-1],
        "visibility_level": 0,
        "path_with_namespace": project.path,
        "default_branch": project.default_branch,
        "ci_config_path": None,
    }


def _repository(moment: Moment) -> dict[str, Any]:
    return {
        "name": moment.project.path.rpartition("/")[2],
        "url": _ssh_url(moment.site, moment.project),
        "description": None,
        "homepage": _url(moment),
        "git_http_url": f"{_url(moment)}.git",
        "git_ssh_url": _ssh_url(moment.site, moment.project),
        "visibility_level": 0,
    }


def _commit(moment: Moment) -> dict[str, Any]:
    sha, user = moment.record.sha, moment.user
    commit = commit_of(moment.project, sha)
    at = moment.record.created_at if commit.at is None else commit.at
    name, email = commit.author_name or user.name, commit.author_email or user.email
    return {
        "id": sha,
        "message": commit.message,
        "title": commit.title,
        "timestamp": timestamp(at),
        "url": f"{_url(moment)}/-/commit/{sha}",
        "author": {"name": name, "email": email},
    }


def _commit_of_job(moment: Moment) -> dict[str, Any]:
    record, state, user = moment.record, moment.state, moment.user
    return {
        "id": record.id,
        "name": record.name,
        "sha": record.sha,
        "message": f"Commit {record.sha[:8]}\n",
        "author_name": user.name,
        "author_email": user.email,
        "author_url": f"{moment.site}/{user.username}",
        "status": state.status,
        "duration": state.duration,
        "started_at": _time(state.started_at),
        "finished_at": _time(state.finished_at),
    }


def _source(moment: Moment) -> dict[str, Any]:
    if moment.source is None:
        return {}
    project, record = moment.source
    return {
        "source_pipeline": {
            "project": {
                "id": project.id,
                "web_url": f"{moment.site}/{project.path}",
                "path_with_namespace": project.path,
            },
            "job_id": moment.record.upstream_job_id,
            "pipeline_id": record.id,
        }
    }


def _url(moment: Moment) -> str:
    return f"{moment.site}/{moment.project.path}"


def _ssh_url(site: str, project: Project) -> str:
    host = site.partition("://")[2].partition("/")[0].partition(":")[0]
    return f"git@{host}:{project.path}.git"


def _time(instant: Instant | None) -> str | None:
    """Write an instant as webhooks do: ``2016-08-12 15:23:28 UTC``."""
    if instant is None:
        return None
    return timestamp(instant)[:19].replace("T", " ") + " UTC"
