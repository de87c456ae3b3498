"""The gallery: shipped courses of pipelines that programs often handle badly."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from .document import read
from .fields import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable


class Course(NamedTuple):
    """A course of a pipeline.

    ``ends`` is the status that it has in the end if nobody acts, None if it never ends.
    ``scenarios`` are the definitions that it needs: its own, and those of pipelines that its
    bridges start.
    """

    name: str
    scenario_id: int
    ends: str | None
    scenarios: tuple[dict[str, Any], ...]


def gallery_file() -> Traversable:
    """Return the file in which the courses are written."""
    return files("mock_gitlab.config") / "gallery.yaml"


@cache
def courses() -> Mapping[str, Course]:
    """Read the courses, by their names."""
    file = gallery_file()
    written = read(file.read_bytes(), file.name, {}).value
    by_number = {each["scenario_id"]: each for each in written["scenarios"]}
    ends = written["x-ends"]
    return {
        each["name"]: Course(each["name"], number, ends[str(number)], (*_needed(each, by_number),))
        for number, each in by_number.items()
    }


def _needed(course: Mapping[str, Any], by_number: Mapping[int, Any]) -> Iterator[dict[str, Any]]:
    yield by_number[course["scenario_id"]]
    for job in course.get("jobs", ()):
        number = (job.get("downstream") or job.get("trigger") or {}).get("scenario")
        if number is not None:
            yield by_number[number]


def find_course(name: str) -> Course:
    """Find a course by its name; raises ValueError if there is none."""
    known = courses()
    if name not in known:
        raise ValueError(f"there is no course {name!r}{did_you_mean(name, known)}")
    return known[name]
