"""Whatever a mock plays and shows, its recording plays the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_gitlab.cli.main import main
from tests.importers.saving import save

if TYPE_CHECKING:
    from tests.conftest import Mock

SECONDS = st.sampled_from([0, 1, 2.5, 10, 60])
FLAGS: st.SearchStrategy[Any] = st.booleans()
ENDS = st.sampled_from(["success", "success", "success", "failed", "canceled"])


@st.composite
def jobs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw jobs, in the order of their stages."""
    made: list[dict[str, Any]] = []
    for stage in range(draw(st.integers(1, 4))):
        for place in range(draw(st.integers(1, 3))):
            job: dict[str, Any] = {"name": f"job {stage}.{place}", "stage": f"stage {stage}"}
            job |= {"duration": draw(st.sampled_from([1, 2.5, 10])), "status": draw(ENDS)}
            job |= {"pending_seconds": draw(SECONDS), "created_seconds": draw(SECONDS)}
            job |= {"allow_failure": draw(FLAGS), "preparing_seconds": draw(SECONDS)}
            job["retry"] = draw(st.sampled_from([0, 0, 1, 2]))
            when = st.sampled_from(
                ["on_success"] * 5 + ["always", "on_failure", "manual", "delayed"]
            )
            job["when"] = draw(when)
            job |= {"start_in": 20} if job["when"] == "delayed" else {}
            names = [each["name"] for each in made if each["stage"] != job["stage"]]
            if names and draw(FLAGS):
                job["needs"] = draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
            if draw(FLAGS):
                job["attempts"] = [{"status": draw(ENDS), "duration": draw(st.integers(1, 5))}]
                job["attempts"] += [{"status": draw(ENDS)}]
            made.append(job)
    return made


@given(drawn=jobs(), after=st.sampled_from(["0s", "3s", "30s", "75s", "2h", "2h"]))
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_replay_shows_exactly_what_was_recorded(
    mock: Mock, drawn: list[dict[str, Any]], after: str
):
    number = mock.declare(999, stages=list(dict.fromkeys(j["stage"] for j in drawn)), jobs=drawn)
    pipeline = mock.trigger(scenario_id=number)
    mock.advance(after)

    with tempfile.TemporaryDirectory() as made:
        folder, file = save(mock, Path(made, "saved"), pipeline["id"]), Path(made, "made.yaml")
        assert main(["record", "--from-folder", str(folder), "-o", str(file)]) == 0
        text = file.read_text(encoding="utf-8")

    mock.delete("/_mock/scenarios/999")
    assert "differs" not in text, text
    assert "a replay shows what was recorded" in text
