"""Numbers that are none, or that are larger than anything has: nothing is found under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock

HUGE = "9" * 5000  # more digits than Python reads as a number
NO_PROJECT = {"message": "404 Project Not Found"}
FAULTY = {"when": {"operation": "get_current_user"}, "respond": {"status": 503}}


@pytest.mark.parametrize("project", [HUGE, f"-{HUGE}", "--5", "-", "-0", "+1", "1_0"])
def test_a_project_whose_number_is_none_is_not_found(mock: Mock, project: str):
    answer = mock.get(f"/api/v4/projects/{project}/pipelines")

    assert (answer.status_code, answer.json()) == (404, NO_PROJECT)


@pytest.mark.parametrize(
    "path",
    [f"/projects/{HUGE}/pipelines/1", f"/projects/1/pipelines/{HUGE}", f"/projects/1/jobs/{HUGE}"],
)
def test_neither_is_it_where_faults_are_looked_for(mock: Mock, path: str):
    mock.declare(900, faults=[FAULTY])
    assert mock.post("/_mock/faults", json=FAULTY).status_code == 201

    assert mock.get(f"/api/v4{path}").status_code == 404


@pytest.mark.parametrize(("number", "status"), [(2**53, 201), (2**53 + 1, 404), (2**63 - 1, 404)])
def test_above_the_largest_number_of_a_project_there_is_room_for_paths(
    mock: Mock, number: int, status: int
):
    assert mock.post(f"/projects/{number}/pipeline?ref=main").status_code == status

    assert mock.trigger("group%2Fapp")["project_id"] == (2**53 + 1 if status == 201 else 1001)


@pytest.mark.parametrize("number", ["f" * 5000, "-5", "0x5", "", "\u0663"])
def test_a_job_token_whose_number_is_none_is_wrong(mock: Mock, number: str):
    answer = mock.anonymous().get("/api/v4/job", params={"job_token": f"glcbt-{number}_abc"})

    assert answer.status_code == 401


@pytest.mark.parametrize("field", ["faults", "rules"])
def test_a_pattern_for_a_project_with_such_a_number_matches_none(mock: Mock, field: str):
    does = {"respond": {"status": 503}} if field == "faults" else {"scenario": 1}
    declared = mock.post(f"/_mock/{field}", json={"when": {"project": HUGE}, **does})
    assert declared.status_code == 201

    assert mock.trigger()["id"] == 1
    assert mock.post("/_mock/verify", json={"project": HUGE, "times": 0}).status_code == 200
