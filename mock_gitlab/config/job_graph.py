"""The jobs of a pipeline together: their conversion to the engine's, and their contradictions."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator

from mock_gitlab.engine.model import JOBS_LIMIT, NAME_LIMIT, NEEDS_LIMIT, Duration, JobSpec

from .diagnostics import short
from .fields import Violation, mistake, repeated
from .job_values import COPIES_LIMIT, EnvironmentModel, Need
from .jobs import JobModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_LISTED = 20


def _not_too_many(value: Any) -> Any:
    if isinstance(value, list) and len(value) > JOBS_LIMIT:
        raise mistake(_TOO_MANY.format(len(value)))
    return value


_TOO_MANY = f"has {{}} jobs; at most {JOBS_LIMIT} are allowed"

Jobs = Annotated[list[JobModel], BeforeValidator(_not_too_many)]
"""The jobs of a pipeline; too many are refused before any of them is read."""


def to_engine_jobs(jobs: Sequence[JobModel], canceling: Duration) -> tuple[JobSpec, ...]:
    """Convert jobs to the engine's. A job that needs a ``parallel`` job needs all its copies.

    ``canceling`` is for the jobs that do not say how long a cancel takes.
    """
    copies = {name: [name] for job in jobs for name in job.names()}
    copies |= {job.name: job.names() for job in jobs}
    return tuple(spec for job in jobs for spec in _specs(job, copies, canceling))


def _specs(job: JobModel, copies: dict[str, list[str]], canceling: Duration) -> Iterator[JobSpec]:
    needs = None if job.needs is None else _needs_of(job.needs, copies)
    for name in copies[job.name]:
        yield job.to_engine(name, needs, canceling)


def _needs_of(needs: Sequence[Need], copies: dict[str, list[str]]) -> tuple[str, ...]:
    """List what a job waits for: every copy of a ``parallel`` job, no missing optional one."""
    found = (name for need in needs for name in copies.get(_needed(need), ()))
    return tuple(dict.fromkeys(found))


def _needed(need: Need) -> str:
    return need if isinstance(need, str) else need.job


def job_contradictions(jobs: Sequence[JobModel], stages: Sequence[str]) -> Iterator[Violation]:
    """Find what is wrong with jobs that are each well formed."""
    yield from _names_taken(jobs)
    for index, job in enumerate(jobs):
        for field, what in _inside(job, stages):
            yield (index, *field), what
    yield from _needs(jobs)
    count = sum(_copies(job) for job in jobs)
    if count > JOBS_LIMIT:
        yield (), _TOO_MANY.format(count)
    elif (needs := _count_needs(jobs)) > NEEDS_LIMIT:
        yield (), f"have {needs} needs together; at most {NEEDS_LIMIT} are allowed"


def _count_needs(jobs: Sequence[JobModel]) -> int:
    copies = {job.name: _copies(job) for job in jobs}
    return sum(
        _copies(job) * sum(copies.get(_needed(need), 1) for need in job.needs or ()) for job in jobs
    )


def _copies(job: JobModel) -> int:
    if job.parallel is None or isinstance(job.parallel, int):
        return job.parallel or 1
    return job.parallel.count()


def _names_taken(jobs: Sequence[JobModel]) -> Iterator[Violation]:
    seen: set[str] = set()
    for index, job in enumerate(jobs):
        for name in job.names():
            if name in seen:
                yield (index, "name"), f'there is a job "{short(name)}" already'
                break
            seen.add(name)


def _inside(job: JobModel, stages: Sequence[str]) -> Iterator[Violation]:
    if stages and job.stage not in (".pre", *stages, ".post"):
        known = _some(list(dict.fromkeys(stages)), ", ")
        yield ("stage",), f'"{short(job.stage)}" is not one of the stages: {known}'
    if job.when == "delayed" and job.start_in is None:
        yield ("when",), "a delayed job needs start_in"
    if job.when != "delayed" and job.start_in is not None:
        yield ("start_in",), "needs when: delayed"
    started = "downstream" if job.downstream is not None else "trigger"
    if job.downstream is not None and job.trigger is not None:
        yield ("trigger",), "cannot be combined with downstream"
    if job.is_bridge and "duration" in job.model_fields_set:
        yield ("duration",), f"cannot be combined with {started}"
    if not isinstance(job.parallel, int | None) and _copies(job) > COPIES_LIMIT:
        yield ("parallel", "matrix"), f"makes more than {COPIES_LIMIT} jobs"
    longest = max(job.names(), key=len)
    if len(longest) > NAME_LIMIT:
        yield ("parallel",), f'the name "{short(longest)}" has more than {NAME_LIMIT} characters'
    if job.is_bridge and job.retry is not None:
        yield ("retry",), f"cannot be combined with {started}"
    if isinstance(job.artifacts, list):
        yield from repeated(("artifacts",), [each.path for each in job.artifacts])


def _needs(jobs: Sequence[JobModel]) -> Iterator[Violation]:
    known = {name for job in jobs for name in (job.name, *job.names())}
    yield from _named_jobs(jobs, known)
    wrong = False
    for index, job in enumerate(jobs):
        for at, written in enumerate(job.needs or ()):
            need = _needed(written)
            if need not in known and not isinstance(written, str) and written.optional:
                continue
            if need not in known:
                wrong = True
                yield (index, "needs", at), f'there is no job "{short(need)}"'
            elif need in (job.name, *job.names()):
                wrong = True
                yield (index, "needs", at), "a job cannot need itself"
    if not wrong:
        yield from _circle(jobs)


def _named_jobs(jobs: Sequence[JobModel], known: set[str]) -> Iterator[Violation]:
    """Find missing jobs that are named for their artifacts, or to stop an environment."""
    for index, job in enumerate(jobs):
        for at, name in enumerate(job.dependencies or ()):
            if name not in known:
                yield (index, "dependencies", at), f'there is no job "{short(name)}"'
        environment = job.environment
        stops = environment.on_stop if isinstance(environment, EnvironmentModel) else None
        if stops is not None and stops not in known:
            yield (index, "environment", "on_stop"), f'there is no job "{short(stops)}"'


def _circle(jobs: Sequence[JobModel]) -> Iterator[Violation]:
    """Find a circle of needs."""
    owner = {name: job.name for job in jobs for name in (job.name, *job.names())}
    needs = {
        job.name: [owner[name] for need in job.needs or () if (name := _needed(need)) in owner]
        for job in jobs
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        way = error.args[1][-2::-1]  # it names each job before those that need it, one twice
        names = [job.name for job in jobs]
        index = min(map(names.index, way))
        start = way.index(names[index])
        circle = [*way[start:], *way[: start + 1]]
        yield (index, "needs"), f"needs form a circle: {_some(circle, ' -> ')}"


def _some(names: Sequence[str], between: str) -> str:
    """List names, but not more than people read."""
    shown = [*map(short, names[:_LISTED]), *(["..."] if len(names) > _LISTED else [])]
    return between.join(shown)
