"""Find what is allowed but cannot work as it is meant, and what will surprise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mock_gitlab.engine.builtins import builtin_scenarios
from mock_gitlab.engine.texts import matches_path

from .diagnostics import Mistake
from .fields import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mock_gitlab.engine.model import Declarations

    from .diagnostics import Document, Steps

_STARTED_BY = ("trigger", "api", "pipeline")
"""The sources of the pipelines here. Others are accepted, since they are GitLab's."""
_LONG_DELAY = 60_000
_DOLLAR_NAME = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SETTINGS = ("token", "database", "host", "seed")


def advice(mock: Document, declared: Declarations, files: Sequence[Document]) -> Iterator[Mistake]:
    """Find all of it in a configuration without mistakes."""
    yield from _rules(mock, declared)
    for index, fault in enumerate(declared.faults):
        if fault.delay >= _LONG_DELAY:
            minutes = f"{fault.delay / 60_000:.3g}"
            what = f"delays each request by {minutes} minutes of real time; 500ms is half a second"
            yield mock.mistake(("faults", index, "delay"), what)
    for name in _SETTINGS:
        written = mock.node((name,)).text or ""
        if name in mock.value and _DOLLAR_NAME.fullmatch(written):
            what = f"is the text {written}; did you mean ${{{written[1:]}}}?"
            yield mock.mistake((name,), what, quoting=False)
    for document in (mock, *files):
        yield from _hidden_builtins(document)


def _rules(mock: Document, declared: Declarations) -> Iterator[Mistake]:
    paths = [project.path for project in declared.projects]
    ids = [str(project.id) for project in declared.projects]
    for index, rule in enumerate(declared.rules):
        path: Steps = ("rules", index, "when")
        sources = rule.when.source
        if sources and not set(sources) & set(_STARTED_BY):
            what = f"no pipeline here has this source; there are {', '.join(_STARTED_BY)}"
            yield mock.mistake((*path, "source"), what)
        name = rule.when.project
        if paths and name and name not in ids and not any(matches_path(name, p) for p in paths):
            hint = did_you_mean(name, paths)
            if hint or declared.strict:
                yield mock.mistake((*path, "project"), f"matches no declared project{hint}")


def _hidden_builtins(document: Document) -> Iterator[Mistake]:
    builtin = {each.scenario.scenario_id: each.scenario.name for each in builtin_scenarios()}
    entries = document.value.get("scenarios") or ()
    for index, entry in enumerate(entries):
        number = entry.get("scenario_id") if isinstance(entry, dict) else None
        if number in builtin:
            what = f'takes the place of the built-in scenario "{builtin[number]}"'
            yield document.mistake(("scenarios", index, "scenario_id"), what)


def unread_files(path: Path, *, scenarios: bool) -> Iterator[Mistake]:
    """Find files beside a configuration whose names are almost those that are read.

    ``scenarios`` tells whether it reads ``scenarios/*.yaml``.
    """
    other = path.with_suffix(".yml")
    if path.suffix == ".yaml" and other.is_file():
        yield Mistake(str(other), 1, 1, "", f"is not read; the configuration is {path.name}")
    for each in sorted(path.parent.glob("scenarios/*.yml")) if scenarios else ():
        yield Mistake(str(each), 1, 1, "", "is not read; scenarios/*.yaml is")
