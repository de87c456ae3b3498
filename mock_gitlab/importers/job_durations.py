"""Durations of jobs from a saved answer of GitLab's API.

It is that of ``GET /projects/:id/pipelines/:pipeline_id/jobs`` (https://docs.gitlab.com/api/jobs/),
or several pages of it in one list.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .durations import as_duration
from .places import CannotImport, Place

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 50_000_000
_LONGEST = 1_000_000_000  # a scenario's longest duration, in seconds


def recorded_durations(path: Path) -> dict[str, str]:
    """Read how long jobs took, by their names. Of several runs, the one with the highest id counts.

    Runs that have no duration, since they did not run to an end, do not count.

    Raises:
        CannotImport: the file cannot be read, or is not a list of jobs.
    """
    place = Place(str(path))
    jobs = _read(path, place)
    if not isinstance(jobs, list) or not jobs:
        raise CannotImport(place, "must be a list of jobs, as GET .../pipelines/1/jobs answers it")
    found: dict[str, tuple[int, str]] = {}
    for index, job in enumerate(jobs):
        number, name, seconds = _run(job, index, place)
        if seconds is not None and found.get(name, (-1, ""))[0] < number:
            found[name] = number, as_duration(round(seconds))
    return {name: duration for name, (_, duration) in found.items()}


def _read(path: Path, place: Place) -> Any:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise CannotImport(place, f"cannot be read: {error.strerror}") from None
    if len(raw) > _LARGEST:
        raise CannotImport(place, f"is larger than {_LARGEST:,} bytes")
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        at = Place(place.file, error.lineno, error.colno)
        raise CannotImport(at, f"this is not JSON: {error.msg}") from None
    except (UnicodeDecodeError, RecursionError, ValueError):
        raise CannotImport(place, "this is not JSON") from None


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
    return is_number and 0 <= seconds <= _LONGEST
