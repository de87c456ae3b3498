"""A test that runs for every course of the gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab import MockGitLab, every_course
from mock_gitlab.config.gallery import courses

if TYPE_CHECKING:
    from collections.abc import Callable


def names(mark: pytest.MarkDecorator) -> list[str]:
    """List the courses for which a test would run."""
    argument, params = mark.args
    assert argument == "course"
    return [str(param.id) for param in params]


def test_a_test_runs_for_every_course():
    assert names(every_course()) == list(courses())


def test_a_test_runs_for_the_courses_that_are_named_but_those_left_out():
    mark = every_course("fails", "never ends", without=["never ends"])

    assert names(mark) == ["fails"]


@pytest.mark.parametrize(
    "make",
    [lambda: every_course("fail"), lambda: every_course(without=["fail"])],
)
def test_a_course_that_does_not_exist_is_refused(make: Callable[[], object]):
    with pytest.raises(ValueError, match="'fail'; did you mean"):
        make()


def test_the_pipelines_of_such_a_test_follow_the_course(pytester: pytest.Pytester):
    pytester.makepyfile("""
        import json, urllib.request
        import mock_gitlab as mocking

        @mocking.every_course("failed with no job failed", "is skipped")
        def test_bot(mock_gitlab, course):
            request = urllib.request.Request(
                f"{mock_gitlab.api_url}/projects/1/pipeline?ref=main",
                b"",
                {"PRIVATE-TOKEN": mock_gitlab.token},
            )
            urllib.request.urlopen(request).close()
            mock_gitlab.advance("1h")
            assert mock_gitlab.pipeline(1)["status"] == course.ends
    """)

    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_a_world_declares_a_course_by_its_name():
    with MockGitLab() as server:
        world = server.sandbox("courses")
        numbers = [world.course("failed with no job failed") for _ in range(2)]

    assert numbers == [9018, 9018]
