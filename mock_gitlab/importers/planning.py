"""Decide which jobs a pipeline has, when they run, and what they need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from .conditions import Situation, first_match, texts, workflow_variables
from .document import YamlList, YamlMap
from .jobs import JOBS_LIMIT, Instance, insert_matrix, instances, matrix_copies, stages_of
from .places import CannotImport, NoPipeline, Place, short
from .policies import policies_hold
from .variables import Variables, read_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHENS = ("on_success", "on_failure", "always", "manual", "delayed")
_OTHERS = ("pipeline", "project")


@dataclass(frozen=True, slots=True)
class Need:
    """A job that another one waits for."""

    name: str
    optional: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Planned:
    """A job of the pipeline.

    ``variables`` are all that are set for it, and ``passed`` those that it hands to a pipeline that
    it starts. ``allow_failure`` is None where the job's own value counts.
    """

    instance: Instance
    when: str
    start_in: Any
    allow_failure: bool | None
    needs: tuple[str, ...] | None
    variables: Variables
    passed: Variables
    interruptible: Any


@dataclass(frozen=True, slots=True)
class Plan:
    """The pipeline: its stages, its jobs in the order of the stages, and its variables."""

    stages: tuple[str, ...]
    jobs: tuple[Planned, ...]
    variables: Variables
    name: str | None


def plan(configuration: YamlMap, situation: Situation, given: Variables) -> Plan:
    """Plan a pipeline; ``given`` are the variables that it is started with.

    Raises:
        NoPipeline: there is none for what was asked.
        CannotImport: the configuration is not as GitLab wants it.
    """
    root = read_variables(configuration.get("variables"), configuration.place_of("variables"))
    workflow, at = configuration.get("workflow"), configuration.place_of("workflow")
    known = given.over(root).over(situation.variables())
    root = read_variables(workflow_variables(workflow, known, situation, at), at).over(root)
    stages = stages_of(configuration)
    listed = instances(configuration, stages, root, situation)
    with_rules = isinstance(workflow, YamlMap) and workflow.get("rules") is not None
    decided = _Deciding(situation, given, by_default=not with_rules)
    jobs = [job for each in listed for job in decided.jobs(each)]
    _refuse_empty(jobs, configuration.place)
    jobs.sort(key=lambda job: stages.index(job.instance.stage))
    jobs = _Needs(listed, jobs, decided.needs, stages, situation).resolved()
    known = given.over(root).over(situation.variables())
    name = workflow.get("name") if isinstance(workflow, YamlMap) else None
    shown = known.expand(name) if isinstance(name, str) else None
    return Plan(tuple(stages), tuple(jobs), known, shown)


def _refuse_empty(jobs: list[Planned], place: Place) -> None:
    if not jobs:
        raise NoPipeline(place, "no pipeline: no job is left, with all rules decided")
    if all(job.instance.stage in (".pre", ".post") for job in jobs):
        raise NoPipeline(place, "no pipeline: its jobs are all in .pre and .post")
    if len(jobs) > JOBS_LIMIT:
        what = f"the pipeline has {len(jobs)} jobs; a scenario has at most {JOBS_LIMIT}"
        raise CannotImport(jobs[JOBS_LIMIT].instance.place, what)


class _Deciding:
    """Decides one job after the other; ``needs`` are their needs as they are written."""

    def __init__(self, situation: Situation, given: Variables, *, by_default: bool) -> None:
        self._situation = situation
        self._given = given
        self._by_default = by_default
        self.needs: dict[str, list[Need] | None] = {}

    def jobs(self, instance: Instance) -> Iterator[Planned]:
        """Give the job, unless its rules leave it out."""
        config = instance.config
        known = self._known(instance, instance.variables)
        rule: YamlMap | None = None
        if config.get("rules") is not None:
            at = config.place_of("rules")
            rule = first_match(config["rules"], known, self._situation, at)
            if rule is None:
                return
        elif not policies_hold(config, known, self._situation, by_default=self._by_default):
            return
        own = _when(config)
        when = own if rule is None or rule.get("when") is None else _when(rule, "never")
        if when != "never":
            yield self._planned(instance, rule or YamlMap(instance.place), own, when)

    def _known(self, instance: Instance, variables: Variables) -> Variables:
        own = Variables({"CI_JOB_NAME": instance.name, "CI_JOB_STAGE": instance.stage})
        return self._given.over(variables).over(own.over(self._situation.variables()))

    def _planned(self, instance: Instance, rule: YamlMap, own: str, when: str) -> Planned:
        config = instance.config
        more = read_variables(rule.get("variables"), rule.place_of("variables"))
        passed = more.over(instance.variables)
        self.needs[instance.name] = _needs(instance, rule, self._situation)
        interruptible = rule.get("interruptible")
        return Planned(
            instance,
            when,
            _start_in(instance, rule) if when == "delayed" else None,
            _allow_failure(config, rule, own),
            None,
            self._known(instance, passed),
            passed,
            config.get("interruptible") if interruptible is None else interruptible,
        )


def _when(written: YamlMap, *more: str) -> str:
    when = written.get("when")
    if when is None:
        return "on_success"
    if when not in (*_WHENS, *more):
        what = f"when: {short(str(when))} is none of {', '.join((*_WHENS, *more))}"
        raise CannotImport(written.place_of("when"), what)
    return str(when)


def _start_in(instance: Instance, rule: YamlMap) -> Any:
    start_in = rule.get("start_in")
    start_in = instance.config.get("start_in") if start_in is None else start_in
    if start_in is None:
        what = f"the job {short(instance.name)} is delayed, but has no start_in"
        raise CannotImport(instance.config.place_of("when"), what)
    return start_in


def _allow_failure(config: YamlMap, rule: YamlMap, own: str) -> bool | None:
    """Decide whether a job may fail; None: with the exit codes that it names.

    A rule wins. Else the job's own ``when`` decides, not that of the rule: ``when: manual`` in a
    rule makes a job that the pipeline waits for.
    """
    for written in (rule, config):
        allowed = written.get("allow_failure")
        if isinstance(allowed, bool):
            return allowed
        if isinstance(allowed, YamlMap) and written is config:
            return None
        if allowed is not None:
            what = "allow_failure must be true, false or exit_codes"
            raise CannotImport(written.place_of("allow_failure"), what)
    return own == "manual"


# ---------------------------------------------------------------------------- needs


def _needs(instance: Instance, rule: YamlMap, situation: Situation) -> list[Need] | None:
    """Read what a job needs; those of the rule replace its own."""
    config = instance.config
    own = None
    if config.get("needs") is not None:
        at = config.place_of("needs")
        needs = insert_matrix(config["needs"], instance.matrix, at)
        own = list(_read_needs(needs, at, situation))
        bridge = config.get("trigger") is None and config.get("script") is None
        if bridge and not own:  # it follows another pipeline, in its stage
            own = None
    if rule.get("needs") is None:
        return own
    by_rule = list(_read_needs(rule["needs"], rule.place_of("needs"), situation))
    return by_rule if by_rule or own is not None else None


def _read_needs(written: Any, place: Place, situation: Situation) -> Iterator[Need]:
    if isinstance(written, YamlList):
        for each, at in zip(written, written.places, strict=True):
            yield from _read_needs(each, at, situation)
    elif isinstance(written, str):
        yield Need(written, optional=False, place=place)
    elif isinstance(written, YamlMap):
        yield from _read_need(written, place, situation)
    else:
        raise CannotImport(place, "needs must be a list of names and mappings")


def _read_need(written: YamlMap, place: Place, situation: Situation) -> Iterator[Need]:
    other = next((key for key in _OTHERS if written.get(key) is not None), None)
    if other is not None:
        what = f"needs: a job of another {other}, {short(str(written[other]))}, is not waited for"
        situation.notes.add(place, what)
        return
    name = written.get("job")
    if not isinstance(name, str):
        raise CannotImport(place, "a need must have the name of a job")
    optional = written.get("optional") is True
    parallel = written.get("parallel")
    if parallel is None:
        yield Need(name, optional, place)
    elif isinstance(parallel, YamlMap):
        for suffix, _ in matrix_copies(parallel.get("matrix"), parallel.place):
            yield Need(name + suffix, optional, place)
    else:
        raise CannotImport(place, "parallel of a need must be a mapping with matrix")


class _Needs:
    """Finds the jobs that are needed; a job with copies means all of them."""

    def __init__(
        self,
        listed: list[Instance],
        jobs: list[Planned],
        written: dict[str, list[Need] | None],
        stages: list[str],
        situation: Situation,
    ) -> None:
        self._situation = situation
        self._stages = {each.name: stages.index(each.stage) for each in listed}
        self._copies: dict[str, list[str]] = {}
        for each in listed:
            self._copies.setdefault(each.group, []).append(each.name)
            self._copies.setdefault(each.name, [each.name])
        self._present = {job.instance.name for job in jobs}
        self._jobs = jobs
        self._written = written

    def resolved(self) -> list[Planned]:
        """Give the jobs with their needs."""
        jobs = [self._with_needs(job) for job in self._jobs]
        try:
            TopologicalSorter({job.instance.name: job.needs or () for job in jobs}).prepare()
        except CycleError as error:
            way = error.args[1][-2::-1]  # it names each job before those that need it, one twice
            first = next(job.instance for job in jobs if job.instance.name in way)
            start = way.index(first.name)
            circle = [*way[start:], *way[: start + 1]][:20]
            shown = " -> ".join(short(name, 40) for name in circle)
            raise CannotImport(first.place, f"needs form a circle: {shown}") from None
        return jobs

    def _with_needs(self, job: Planned) -> Planned:
        written = self._written[job.instance.name]
        if written is None:
            return job
        names = [name for need in written for name in self._names(job, need)]
        return replace(job, needs=tuple(dict.fromkeys(names)))

    def _names(self, job: Planned, need: Need) -> Iterator[str]:
        me = job.instance.name
        if need.name not in self._copies and not need.optional:
            what = f"the job {short(me)} needs {short(need.name)}, which is no job"
            self._situation.missing(need.place, what)
        for name in self._copies.get(need.name, ()):
            if self._stages[name] > self._stages[me]:
                what = f"the job {short(me)} needs {short(name)}, which is in a later stage"
                raise CannotImport(need.place, what)
            if name in self._present:
                yield name
            elif not need.optional:
                what = f"the job {short(me)} needs {short(name)}, which this pipeline does not have"
                raise CannotImport(need.place, f"{what}; say optional: true, or other rules")


def dependencies_of(job: Planned) -> list[str]:
    """Read the names of ``dependencies``.

    Raises:
        CannotImport: they are no list of names.
    """
    config = job.instance.config
    written = config.get("dependencies")
    if written is None:
        return []
    return texts(written, "dependencies", config.place_of("dependencies"))
