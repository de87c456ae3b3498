"""Run a test once for each course of the gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab.config.gallery import courses, find_course

if TYPE_CHECKING:
    from collections.abc import Iterable


def every_course(*names: str, without: Iterable[str] = ()) -> pytest.MarkDecorator:
    """Run a test with every pipeline of its mock following one course of the gallery.

    The test takes the argument ``course``, which has ``name``, ``scenario_id`` and ``ends``.

    Args:
        names: the courses; by default all of them.
        without: the courses that are left out.

    Raises:
        ValueError: there is no course of that name.
    """
    left_out = {find_course(name).name for name in without}
    chosen = [find_course(name) for name in names or courses()]
    return pytest.mark.parametrize(
        "course",
        [
            pytest.param(
                course,
                id=course.name,
                marks=pytest.mark.mock_gitlab(
                    scenarios=course.scenarios, rules=[{"scenario": course.scenario_id}]
                ),
            )
            for course in chosen
            if course.name not in left_out
        ],
    )
