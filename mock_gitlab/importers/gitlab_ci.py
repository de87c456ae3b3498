"""Import ``.gitlab-ci.yml``: the scenario of the pipeline that it makes, and of its children.

No package that reads these files served: they differ from GitLab's own parser in most of the cases
that matter here (precedence in rules, manual jobs, needs, ``changes``, YAML 1.1), and bring runners
and HTTP clients with them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.bridges import DEEPEST_CHILD

from .conditions import Situation
from .configuration import load, load_includes
from .downstream import Bridge, Child, bridge_of
from .durations import as_duration, seconds_of
from .places import CannotImport, NoPipeline, Note, Notes, Place, short
from .planning import Plan, Planned, plan
from .repository import Repository, root_of
from .saved import recorded_durations
from .variables import Request, Variables
from .words import Words
from .writing import write_scenarios

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "CannotImport",
    "Imported",
    "NoPipeline",
    "Note",
    "Request",
    "import_ci",
    "recorded_durations",
]

SCENARIOS_LIMIT = 100
"""The most scenarios of one import."""
_CHANGES = "which paths have changed is not known, so every changes counts as true; say --changed"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import gives: the text of the file, its scenarios, and what could not be said."""

    text: str
    scenarios: tuple[dict[str, Any], ...]
    notes: tuple[Note, ...]
    remarks: tuple[str, ...]


def import_ci(
    path: Path,
    request: Request | None = None,
    root: Path | None = None,
    command: str = "",
    files: list[Path] | None = None,
) -> Imported:
    """Import a configuration.

    ``root`` is the folder of the repository, from which includes are read; by default the nearest
    one above the file with ``.git``, or the file's own. ``command`` is shown at the top. ``files``
    gets the files that were to be read, also if one of them cannot be imported.

    Raises:
        NoPipeline: there is no pipeline for what was asked.
        CannotImport: a file is missing, or is not what GitLab reads.
    """
    request = request or Request()
    files = [] if files is None else files
    root = root or root_of(path)
    place = Place(str(path))
    try:
        name = os.path.relpath(path.absolute(), root.absolute()).replace(os.sep, "/")
        repository = Repository(root)
        importing = _Importing(_checked(request, place), repository)
        try:
            importing.run(name, place)
        finally:
            files += repository.asked
    except RecursionError:
        raise CannotImport(place, "references, extends or includes go too deep") from None
    return importing.result(command)


def _checked(request: Request, place: Place) -> Request:
    """Put the durations into the words of a scenario."""
    written = request.durations.items()
    durations = {
        name: as_duration(seconds_of(text, "--durations", place)) for name, text in written
    }
    return replace(request, durations=durations)


class _Importing:
    """One import: the scenario of the pipeline, and those of its children after it."""

    def __init__(self, request: Request, repository: Repository) -> None:
        self._request = request
        self._repository = repository
        self._notes = Notes()
        self._scenarios: list[dict[str, Any]] = []
        self._changes_asked = False

    def run(self, name: str, place: Place) -> None:
        """Import the file and its children."""
        given = Variables(self._request.variables)
        situation = Situation(self._request, self._repository, self._notes)
        known = given.over(situation.variables())
        configuration = load(name, self._request.inputs, situation, known, place)
        planned = plan(configuration, situation, given)
        shown = planned.name or f"{name} for {self._request.ref}"
        self._write(planned, situation, shown, depth=0)

    def result(self, command: str) -> Imported:
        """Put the file together."""
        notes = self._notes.sorted()
        remarks = [_CHANGES] if self._changes_asked else []
        if self._notes.dropped:
            remarks.append(f"{self._notes.dropped} more things were noted than are listed")
        head = [*_title(command), *_noted(notes, remarks)]
        text = write_scenarios(head, self._scenarios)
        return Imported(text, tuple(self._scenarios), tuple(notes), tuple(remarks))

    def _new(self, name: str, place: Place) -> dict[str, Any]:
        if len(self._scenarios) >= SCENARIOS_LIMIT:
            raise CannotImport(place, f"more than {SCENARIOS_LIMIT} child pipelines")
        number = self._request.scenario_id + len(self._scenarios)
        made: dict[str, Any] = {"scenario_id": number, "name": name[:255]}
        self._scenarios.append(made)
        return made

    def _write(self, planned: Plan, situation: Situation, name: str, depth: int) -> int:
        """Write a scenario, and first of all take its number."""
        scenario = self._new(name, planned.jobs[0].instance.place)
        words = Words(self._request.durations, self._notes, _copies(planned))
        jobs = [
            words.job(job, self._downstream(job, words, situation, depth)) for job in planned.jobs
        ]
        self._changes_asked = self._changes_asked or situation.changes_asked
        scenario["stages"] = [
            stage for stage in planned.stages if stage not in (".pre", ".post")
        ] or ["test"]
        scenario["jobs"] = collapse(planned.jobs, jobs)
        return self._known(scenario)

    def _known(self, scenario: dict[str, Any]) -> int:
        """Give the number of a scenario; of two that behave alike, only the first is kept."""
        rest = _behaviour(scenario)
        number: int = scenario["scenario_id"]
        last = self._scenarios[-1] is scenario
        for other in self._scenarios if last else ():
            if other is not scenario and _behaviour(other) == rest:
                self._scenarios.pop()
                return int(other["scenario_id"])
        return number

    def _downstream(
        self, job: Planned, words: Words, situation: Situation, depth: int
    ) -> dict[str, Any] | None:
        bridge = bridge_of(job, words, situation)
        if bridge is None:
            return None
        if bridge.child is None:
            return bridge.written()
        if depth >= DEEPEST_CHILD:
            return bridge.failed("reached_max_descendant_pipelines_depth")
        try:
            return bridge.written(self._child(bridge, bridge.child, words, situation, depth))
        except NoPipeline as none:
            self._notes.add(bridge.place, f"the child pipeline fails: {none}")
            return bridge.failed("downstream_pipeline_creation_failed")

    def _child(
        self, bridge: Bridge, child: Child, words: Words, situation: Situation, depth: int
    ) -> int:
        name = short(f"child of {bridge.job.instance.name}", 200)
        if child.stub is not None:
            self._notes.add(bridge.place, f"the child pipeline is a stub: {child.stub}")
            scenario = self._new(f"stub: {name}", bridge.place)
            scenario["terminal_after_seconds"] = words.duration(bridge.job)
            return self._known(scenario)
        origin = situation.request.origin or situation.request.source
        given = child.variables
        request = replace(
            situation.request, source="parent_pipeline", origin=origin, variables=given.values
        )
        below = Situation(request, self._repository, self._notes)
        known = given.over(below.variables())
        configuration = load_includes(child.include, child.inputs, below, known, child.place)
        return self._write(plan(configuration, below, given), below, name, depth + 1)


def _behaviour(scenario: dict[str, Any]) -> dict[str, Any]:
    return {key: scenario[key] for key in scenario if key not in ("scenario_id", "name")}


def _copies(planned: Plan) -> dict[str, list[str]]:
    """Map the name of each job to itself, and that of a job with copies to all of them."""
    copies: dict[str, list[str]] = {}
    for job in planned.jobs:
        for name in dict.fromkeys((job.instance.name, job.instance.group)):
            copies.setdefault(name, []).append(job.instance.name)
    return copies


def _title(command: str) -> list[str]:
    made = f"Made by `{command}`." if command else "Made from .gitlab-ci.yml."
    return [f"{made} Edit it as you like."]


def _noted(notes: Iterable[Note], remarks: Iterable[str]) -> list[str]:
    lines = [*remarks, *map(str, notes)]
    return ["Not known, or not to be said here:", *(f"- {line}" for line in lines)] if lines else []


# ---------------------------------------------------------------------------- copies


def collapse(planned: tuple[Planned, ...], jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write the copies of a job as one job with ``parallel`` where all of them are alike."""
    groups: dict[str, list[int]] = {}
    for index, job in enumerate(planned):
        groups.setdefault(job.instance.group, []).append(index)
    alike = {
        group: [planned[index].instance.name for index in members]
        for group, members in groups.items()
        if _alike(planned, jobs, members)
    }
    written: list[dict[str, Any]] = []
    for index, job in enumerate(planned):
        made = jobs[index]
        group = job.instance.group
        if group in alike and index != groups[group][0]:
            continue
        for key in ("needs", "dependencies"):
            if key in made:
                made = {**made, key: _shortened(made[key], alike)}
        written.append(_as_group(made, job) if group in alike else made)
    return written


def _alike(planned: tuple[Planned, ...], jobs: list[dict[str, Any]], members: list[int]) -> bool:
    instance = planned[members[0]].instance
    if instance.config.get("parallel") is None or len(members) != instance.copies:
        return False
    first = {**jobs[members[0]], "name": ""}
    return all({**jobs[index], "name": ""} == first for index in members)


def _as_group(made: dict[str, Any], job: Planned) -> dict[str, Any]:
    parallel = job.instance.config["parallel"]
    if not isinstance(parallel, int):
        entries = parallel["matrix"]
        matrix = [{name: _listed(entry[name]) for name in entry} for entry in entries]
        parallel = {"matrix": matrix}
    written = {**made, "name": job.instance.group}
    head = {key: written.pop(key) for key in ("name", "stage")}
    return {**head, "parallel": parallel, **written}


def _listed(values: Any) -> list[str]:
    return [str(value) for value in (values if isinstance(values, list) else [values])]


def _shortened(needs: list[str], alike: dict[str, list[str]]) -> list[str]:
    """Name a job instead of all of its copies."""
    wanted = set(needs)
    group_of = {
        name: group for group, names in alike.items() if wanted.issuperset(names) for name in names
    }
    return list(dict.fromkeys(group_of.get(name, name) for name in needs))
