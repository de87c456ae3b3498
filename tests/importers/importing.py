"""Import, and prove the result: it loads as ``check`` loads it, and it plays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_gitlab.config.loader import load
from mock_gitlab.engine.preview import last_change, preview, scenario_finder
from mock_gitlab.importers.gitlab_ci import Imported, Request, import_ci

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Declarations
    from mock_gitlab.engine.timeline import PipelineState

PIPELINES = Path(__file__).parent / "pipelines"


def imported(name: str, **request: Any) -> Imported:
    """Import one of the pipelines beside this file."""
    folder = PIPELINES / name
    return proven(import_ci(folder / ".gitlab-ci.yml", Request(**request), folder))


def proven(made: Imported) -> Imported:
    """Load and play the result, which must be what the library gives as values too."""
    declared = declarations(made)
    definitions = {
        each.scenario.scenario_id: each.definition
        for each in declared.scenarios
        if each.source == "file"
    }
    assert sorted(definitions) == [each["scenario_id"] for each in made.scenarios]
    for number in definitions:
        played(made, number)
    return made


def declarations(made: Imported) -> Declarations:
    """Load the text as a configuration."""
    return load("scenarios", {}, content=made.text.encode()).declarations


def played(made: Imported, number: int = 950) -> PipelineState:
    """Play a scenario until nothing more happens."""
    declared = declarations(made)
    found = declared.declared(number)
    assert found is not None
    timeline = preview(found.scenario, scenario_finder(declared, declared.behaviour))
    return timeline.at(last_change(timeline))


def statuses(made: Imported, number: int = 950) -> dict[str, str]:
    """Play a scenario, and give the last status of each job."""
    return {job.name: job.status for job in played(made, number).jobs}


def jobs(made: Imported, index: int = 0) -> dict[str, dict[str, Any]]:
    """Give the jobs of a scenario by name, without their names."""
    listed = made.scenarios[index]["jobs"]
    return {job["name"]: {k: v for k, v in job.items() if k != "name"} for job in listed}


def outline(made: Imported, index: int = 0) -> list[str]:
    """List the jobs of a scenario as ``stage: name``."""
    return [f"{job['stage']}: {job['name']}" for job in made.scenarios[index]["jobs"]]


def noted(made: Imported) -> list[str]:
    """List the notes as text."""
    return [str(note) for note in made.notes]


def imported_text(folder: Path, text: str, **request: Any) -> Imported:
    """Write a configuration into a folder and import it; files beside it are its repository."""
    path = folder / ".gitlab-ci.yml"
    path.write_text(text, encoding="utf-8")
    return proven(import_ci(path, Request(**request), folder))
