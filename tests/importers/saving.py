"""Save what a mock answers about a pipeline, as somebody would with curl."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Mock


def save(mock: Mock, folder: Path, number: int, project: str = "1") -> Path:
    """Save a pipeline and those that it started."""
    folder.mkdir(parents=True, exist_ok=True)
    path = f"/api/v4/projects/{project}/pipelines/{number}"
    jobs = mock.get(f"{path}/jobs?include_retried=true&per_page=100").json()
    bridges = mock.get(f"{path}/bridges?per_page=100").json()
    write(folder, "pipeline", mock.get(path).json())
    write(folder, "jobs", jobs)
    write(folder, "bridges", bridges)
    write(folder, "variables", mock.get(f"{path}/variables").json())
    write(folder, "test_report", mock.get(f"{path}/test_report").json())
    (folder / "traces").mkdir(exist_ok=True)
    for job in jobs:
        trace = mock.get(f"/api/v4/projects/{project}/jobs/{job['id']}/trace")
        (folder / "traces" / f"{job['id']}.log").write_bytes(trace.content)
    for bridge in bridges:
        child = bridge["downstream_pipeline"]
        if child is not None:
            below = folder / "downstream" / str(child["id"])
            save(mock, below, child["id"], str(child["project_id"]))
    return folder


def write(folder: Path, name: str, value: Any) -> None:
    """Write one file of a recording."""
    (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
