"""Read what GitLab's API answered from files: about a pipeline, or how long its jobs took."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .durations import LONGEST, as_duration
from .places import CannotImport, Place
from .recording import Pages

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 64 * 1024 * 1024
_DEEPEST = 10
"""How deep downstream pipelines are read."""


def read_folder(folder: Path, depth: int = 0) -> Pages:
    """Read the files of a pipeline, and the folders of those that it started.

    Raises:
        CannotImport: a file is missing, cannot be read, or is no JSON.
    """
    if depth > _DEEPEST:
        raise CannotImport(Place(str(folder)), f"lies deeper than {_DEEPEST} pipelines")
    return Pages(
        at=str(folder),
        pipeline=_json(folder / "pipeline.json"),
        jobs=_json(folder / "jobs.json"),
        bridges=_optional(folder / "bridges.json", []),
        variables=_optional(folder / "variables.json", []),
        report=_optional(folder / "test_report.json", None),
        traces={int(path.stem): _text(path) for path in _numbered(folder / "traces", ".log")},
        downstream={
            int(path.name): read_folder(path, depth + 1)
            for path in _numbered(folder / "downstream", "")
        },
    )


def _numbered(folder: Path, suffix: str) -> list[Path]:
    """List what a folder has under numbers as names."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.suffix == suffix]
    return sorted(path for path in found if path.stem.isascii() and path.stem.isdecimal())


def _optional(path: Path, default: Any) -> Any:
    return _json(path) if path.exists() else default


def _text(path: Path) -> str:
    return _bytes(path).decode("utf-8", "replace")


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise CannotImport(Place(str(path)), f"cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise CannotImport(Place(str(path)), f"is larger than {_LARGEST} bytes")
    return content


def _json(path: Path) -> Any:
    content = _bytes(path)
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        place = Place(str(path), error.lineno, error.colno)
        raise CannotImport(place, f"is no JSON: {error.msg}") from None
    except (UnicodeDecodeError, RecursionError):
        raise CannotImport(Place(str(path)), "is no JSON") from None


# ---------------------------------------------------------------------------- durations


def recorded_durations(path: Path) -> dict[str, str]:
    """Read how long jobs took, by their names. Of several runs, the one with the highest id counts.

    Runs that have no duration, since they did not run to an end, do not count.

    Raises:
        CannotImport: the file cannot be read, or is not a list of jobs.
    """
    place = Place(str(path))
    jobs = _json(path)
    if not isinstance(jobs, list) or not jobs:
        raise CannotImport(place, "must be a list of jobs, as GET .../pipelines/1/jobs answers it")
    found: dict[str, tuple[int, str]] = {}
    for index, job in enumerate(jobs):
        number, name, seconds = _run(job, index, place)
        if seconds is not None and found.get(name, (-1, ""))[0] < number:
            found[name] = number, as_duration(round(seconds))
    return {name: duration for name, (_, duration) in found.items()}


def _run(job: Any, index: int, place: Place) -> tuple[int, str, float | None]:
    if isinstance(job, dict) and isinstance(job.get("name"), str) and "duration" in job:
        number, seconds = job.get("id"), job["duration"]
        if isinstance(number, int) and _is_duration(seconds):
            return number, job["name"], seconds
    raise CannotImport(place, f"[{index}] is no job with an id, a name and a duration in seconds")


def _is_duration(seconds: Any) -> bool:
    if seconds is None:
        return True
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return is_number and 0 <= seconds <= LONGEST
