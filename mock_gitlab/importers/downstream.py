"""``trigger``: the pipelines that a job starts, in other projects and as children."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .configuration import REMOTE, describe
from .document import YamlList, YamlMap
from .places import CannotImport, Place, short
from .variables import Variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .conditions import Situation
    from .planning import Planned
    from .words import Words

_OWN = ("CI_NODE_INDEX", "CI_NODE_TOTAL")


@dataclass(frozen=True, slots=True)
class Child:
    """A child pipeline: its files, inputs and variables; ``stub`` says why they are not read."""

    include: Any
    inputs: Mapping[str, Any]
    variables: Variables
    stub: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Bridge:
    """A job that starts a pipeline, and the keys of its ``trigger``."""

    job: Planned
    place: Place
    trigger: dict[str, Any]
    variables: dict[str, str]
    child: Child | None

    def written(self, scenario: int | None = None) -> dict[str, Any]:
        """Give the keys of the bridge; ``scenario`` is the one of its child."""
        made = dict(self.trigger)
        if scenario is not None:
            made["scenario"] = scenario
        if self.variables:
            made["variables"] = self.variables
        return {"trigger": made}

    def failed(self, reason: str) -> dict[str, Any]:
        """Give the keys of a bridge whose pipeline cannot be created."""
        return {"status": "failed", "failure_reason": reason, "trigger": self.trigger}


def bridge_of(job: Planned, words: Words, situation: Situation) -> Bridge | None:
    """Read the ``trigger`` of a job; None if it has none.

    Raises:
        CannotImport: it is not as GitLab wants it.
    """
    trigger, place = job.instance.config.get("trigger"), job.instance.config.place_of("trigger")
    if trigger is None:
        return None
    if isinstance(trigger, str):
        trigger = YamlMap(place, [("project", trigger, place)])
    if not isinstance(trigger, YamlMap):
        raise CannotImport(place, "trigger must be a project, or a mapping")
    passed = _passed(job, trigger, situation)
    shown = {name: job.variables.expand(value) for name, value in passed.values.items()}
    downstream = _strategy(trigger, situation)
    if trigger.get("include") is None:
        _note_inputs(trigger, situation)
        target = _project(job, trigger, words)
        return Bridge(job, place, target | downstream, shown, None)
    child = _child(trigger, Variables(shown, passed.raw))
    return Bridge(job, place, {"include": _named(child)} | downstream, shown, child)


def _named(child: Child) -> str:
    """Name the first file of a child pipeline."""
    entries = child.include if isinstance(child.include, YamlList) else [child.include]
    first = entries[0] if entries else ""
    if isinstance(first, YamlMap) and first.get("local") is None:
        return short(describe(first), 200)
    return short(str(first["local"] if isinstance(first, YamlMap) else first), 200)


def _strategy(trigger: YamlMap, situation: Situation) -> dict[str, Any]:
    strategy = trigger.get("strategy")
    if strategy is None:
        return {}
    at = trigger.place_of("strategy")
    if strategy not in ("depend", "mirror"):
        raise CannotImport(at, "strategy must be depend or mirror")
    if strategy == "mirror":
        situation.notes.add(at, "strategy: mirror becomes depend")
    return {"strategy": "depend"}


def _project(job: Planned, trigger: YamlMap, words: Words) -> dict[str, Any]:
    project, at = trigger.get("project"), trigger.place_of("project")
    if not isinstance(project, str):
        raise CannotImport(at, "trigger needs a project or an include")
    path = words.expanded(job, project, "trigger:project", at).strip("/")
    if not path:
        raise CannotImport(at, "trigger:project must be the path of a project")
    made: dict[str, Any] = {"project": path}
    branch = trigger.get("branch")
    if branch is not None:
        at = trigger.place_of("branch")
        made["branch"] = words.expanded(job, str(branch), "trigger:branch", at)
    return made


def _note_inputs(trigger: YamlMap, situation: Situation) -> None:
    if trigger.get("inputs") is not None:
        what = "inputs: the bridge does not hand them to the other project here"
        situation.notes.add(trigger.place_of("inputs"), what)


def _passed(job: Planned, trigger: YamlMap, situation: Situation) -> Variables:
    """Give the variables that the new pipeline gets, as ``forward`` says."""
    forward = trigger.get("forward")
    if forward is None:
        forward = YamlMap(trigger.place)
    if not isinstance(forward, YamlMap):
        raise CannotImport(trigger.place_of("forward"), "forward must be a mapping")
    passed = job.passed if forward.get("yaml_variables") is not False else Variables()
    names = frozenset(passed.values) - set(_OWN)
    passed = passed.only(names)
    if forward.get("pipeline_variables") is True:
        passed = Variables(situation.request.variables).over(passed)
    return passed


def _child(trigger: YamlMap, variables: Variables) -> Child:
    include = trigger["include"]
    entries = include if isinstance(include, YamlList) else [include]
    inputs = trigger.get("inputs")
    if not isinstance(inputs, YamlMap | None):
        raise CannotImport(trigger.place_of("inputs"), "inputs must be a mapping")
    return Child(include, inputs or {}, variables, _stub(entries), trigger.place_of("include"))


def _stub(entries: list[Any]) -> str | None:
    """Say why a child cannot be read: it has no file here."""
    reasons = []
    for entry in entries:
        if isinstance(entry, str) and not entry.startswith(("http://", "https://")):
            return None
        if isinstance(entry, YamlMap) and entry.get("local") is not None:
            return None
        if isinstance(entry, YamlMap):
            kinds = [kind for kind in REMOTE if entry.get(kind) is not None]
            generated = "artifact" in kinds
            reasons.append(f"{describe(entry)} is {'generated' if generated else 'not here'}")
        else:
            reasons.append(f"{short(str(entry))} is not here")
    return "; ".join(reasons)
