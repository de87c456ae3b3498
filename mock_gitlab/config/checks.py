"""Check all files together: numbers that are declared twice, and names of missing things.

The checks read plain values, not models, so that a mistake elsewhere hides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.builtins import builtin_scenarios
from mock_gitlab.engine.texts import is_expression, matches_path, matches_text

from .diagnostics import short

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mock_gitlab.engine.matching import TriggerPattern
    from mock_gitlab.engine.model import Declarations

    from .diagnostics import Document, Mistake, Steps

COMPARED_RULES = 500
"""The most rules that are compared with each other, which takes quadratic time."""
Located = tuple["Document", "Steps", Any]
"""A mapping, its document and its path."""


def contradictions(mock: Document, files: Sequence[Document]) -> Iterator[Mistake]:
    """Find numbers that are declared twice, and numbers of scenarios that do not exist."""
    documents = (mock, *files)
    scenarios = [found for document in documents for found in _scenarios_in(document)]
    yield from _numbers_taken(scenarios)
    if all(document.root is not None for document in files):
        yield from _unknown_scenarios(mock, scenarios)
    projects = list(_listed(mock, ("projects",)))
    yield from _projects_taken(projects)
    if _child(mock.value, "strict") is True:
        yield from _unknown_projects(mock, projects)


# ---------------------------------------------------------------------------- plain values


def _listed(document: Document, path: Steps) -> Iterator[Located]:
    """Yield the mappings in the list at a path."""
    value = document.value
    for step in path:
        value = _child(value, step)
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield document, (*path, index), item


def _scenarios_in(document: Document) -> Iterator[Located]:
    """Yield the scenarios of a file, without those that another file makes."""
    return (found for found in _listed(document, ("scenarios",)) if "from" not in found[2])


def _below(found: Sequence[Located], name: str) -> Iterator[Located]:
    for document, path, _ in found:
        yield from _listed(document, (*path, name))


def _child(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    return value[step]


def _number(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _place(document: Document, path: Steps) -> str:
    return f"{document.file}:{document.node(path).line}"


# ---------------------------------------------------------------------------- duplicates


def _numbers_taken(scenarios: Sequence[Located]) -> Iterator[Mistake]:
    numbers = [
        (document, (*path, "scenario_id"), _number(value.get("scenario_id")))
        for document, path, value in scenarios
    ]
    yield from _taken(numbers, "scenario {value} is already declared in {place}")


def _projects_taken(projects: Sequence[Located]) -> Iterator[Mistake]:
    for name, shown in (("id", "{value}"), ("path", '"{value}"')):
        found = [(document, (*path, name), value.get(name)) for document, path, value in projects]
        yield from _taken(found, f"the {name} {shown} is taken by the project in {{place}}")
    tokens = [
        (document, (*path, "token"), value.get("token"))
        for document, path, value in _below(projects, "trigger_tokens")
    ]
    yield from _taken(tokens, "this trigger token is already declared in {place}")


def _taken(found: Sequence[Located], words: str) -> Iterator[Mistake]:
    first: dict[str | int, str] = {}
    for document, path, value in found:
        if not isinstance(value, str | int) or isinstance(value, bool):
            continue
        if value in first:
            yield document.mistake(path, words.format(value=value, place=first[value]))
        else:
            first[value] = _place(document, path)


# ---------------------------------------------------------------------------- unknown scenarios


def _unknown_scenarios(mock: Document, scenarios: Sequence[Located]) -> Iterator[Mistake]:
    known: set[int | None] = {declared.scenario.scenario_id for declared in builtin_scenarios()}
    known |= {number for _, _, value in scenarios if (number := _number(value.get("scenario_id")))}
    for document, path, value in _named_scenarios(mock, scenarios):
        number = _number(value)
        if number is not None and number not in known:
            yield document.mistake(path, f"there is no scenario {number}")


def _named_scenarios(mock: Document, scenarios: Sequence[Located]) -> Iterator[Located]:
    yield mock, ("default_scenario",), _child(mock.value, "default_scenario")
    for document, path, rule in _listed(mock, ("rules",)):
        named = rule.get("scenario")
        if isinstance(named, list):
            for index, number in enumerate(named):
                yield document, (*path, "scenario", index), number
        else:
            yield document, (*path, "scenario"), named
    for document, path, pipeline in _listed(mock, ("pipelines",)):
        yield document, (*path, "scenario"), pipeline.get("scenario")
    for document, path, job in _below(scenarios, "jobs"):
        for key in ("downstream", "trigger"):
            yield document, (*path, key, "scenario"), _child(job.get(key), "scenario")


def _unknown_projects(mock: Document, projects: Sequence[Located]) -> Iterator[Mistake]:
    """Find pipelines of projects that a strict mock does not know."""
    known = {str(value.get(name)).lower() for _, _, value in projects for name in ("id", "path")}
    for document, path, pipeline in _listed(mock, ("pipelines",)):
        named = pipeline.get("project")
        if named is not None and str(named).lower() not in known:
            what = f'the mock is strict, and there is no project "{short(str(named))}"'
            yield document.mistake((*path, "project"), what)


# ---------------------------------------------------------------------------- warnings


def warnings(
    mock: Document, declared: Declarations, files: Sequence[Document]
) -> Iterator[Mistake]:
    """Find what is allowed but surely not meant: rules out of reach, scenarios out of use."""
    rules = declared.rules
    for index, rule in enumerate(rules[:COMPARED_RULES]):
        covering = next((e for e in rules[:index] if _covers(e.when, rule.when)), None)
        if covering is not None:
            what = f"is never reached: {covering.place} matches everything that it matches"
            yield mock.mistake(("rules", index), what)
    if rules and mock.value.get("warn_unused"):
        yield from _unused(declared, [mock, *files])


def _unused(declared: Declarations, documents: Sequence[Document]) -> Iterator[Mistake]:
    used = picked_by(declared)
    for document in documents:
        for _, path, value in _scenarios_in(document):
            number = _number(value["scenario_id"])
            if number not in used:
                what = f"no rule uses scenario {number}; only a request can choose it"
                yield document.mistake((*path, "scenario_id"), what)


def picked_by(declared: Declarations) -> dict[int, list[str]]:
    """List what picks each scenario: places of rules and pipelines, bridges, "the default"."""
    found: dict[int, list[str]] = {declared.default_scenario: ["the default"]}
    for rule in declared.rules:
        for number in dict.fromkeys(rule.scenarios):
            found.setdefault(number, []).append(rule.place)
    for pipeline in declared.pipelines:
        if pipeline.scenario_id is not None:
            found.setdefault(pipeline.scenario_id, []).append(pipeline.place)
    for scenario in (each.scenario for each in declared.scenarios):
        for job in scenario.jobs:
            started = job.downstream
            if started is not None and started.scenario_id is not None:
                number = started.scenario_id
                found.setdefault(number, []).append(f"{job.name} of {scenario.scenario_id}")
    return found


def _covers(earlier: TriggerPattern, later: TriggerPattern) -> bool:
    """Return whether the earlier pattern surely matches everything that the later one matches."""
    return (
        _path_covers(earlier.project, later.project)
        and _text_covers(earlier.ref, later.ref)
        and _text_covers(earlier.username, later.username)
        and (earlier.source is None or set(earlier.source) >= set(later.source or ("",)))
        and all(pair in later.variables for pair in earlier.variables)
        # repr, since 1 is not true in JSON, but in Python
        and set(map(repr, earlier.inputs)) <= set(map(repr, later.inputs))
    )


def _text_covers(earlier: str | None, later: str | None) -> bool:
    """Return whether a pattern surely matches everything that another one matches.

    A glob that matches the text of another glob, including its stars, does so.
    """
    if earlier is None or earlier == later:
        return True
    if later is None or is_expression(later) or (is_expression(earlier) and "*" in later):
        return False
    return matches_text(earlier, later)


def _path_covers(earlier: str | None, later: str | None) -> bool:
    if earlier is None or earlier == later:
        return True
    if later is None or later.isdecimal() or "**" in later:
        return False
    return matches_path(earlier, later)
