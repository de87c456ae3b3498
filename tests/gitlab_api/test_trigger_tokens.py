"""Create, read, change and delete trigger tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock


def test_a_trigger_token_is_made_shown_described_listed_and_deleted(mock: Mock):
    made = mock.post("/projects/1/triggers", data={"description": "bot"})
    number = made.json()["id"]
    changed = mock.put(f"/projects/1/triggers/{number}", json={"description": "other"})
    listed = mock.get("/projects/1/triggers")
    elsewhere = mock.get(f"/projects/2/triggers/{number}")
    deleted = mock.delete(f"/projects/1/triggers/{number}")
    gone = mock.get(f"/projects/1/triggers/{number}")

    assert made.status_code == 201
    assert list(made.json()) == [
        "id", "token", "description", "created_at", "updated_at", "last_used", "expires_at",
        "owner",
    ]  # fmt: skip
    assert made.json()["token"].startswith("glptt-")
    assert changed.json()["description"] == "other"
    assert (len(listed.json()), listed.headers["x-total"]) == (1, "1")
    assert (elsewhere.status_code, deleted.status_code, gone.status_code) == (404, 204, 404)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "description is missing"),
        ({"description": "x", "expires_at": "abc"}, "expires_at is invalid"),
        ({"description": "x", "expires_at": "01/01/2050"}, "expires_at is invalid"),
    ],
)
def test_a_bad_trigger_token_is_400(mock: Mock, body: dict[str, str], error: str):
    answer = mock.post("/projects/1/triggers", json=body)

    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_an_expired_trigger_token_triggers_nothing(mock: Mock):
    body = {"description": "x", "expires_at": "2026-01-02"}
    token = mock.post("/projects/1/triggers", json=body).json()["token"]
    order = {"ref": "main", "token": token}

    before = mock.anonymous().post("/projects/1/trigger/pipeline", json=order)
    mock.advance("1d")
    after = mock.anonymous().post("/projects/1/trigger/pipeline", json=order)

    assert (before.status_code, after.status_code) == (201, 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_trigger_whose_number_is_none_is_400_whoever_asks(mock: Mock, method: str):
    answer = mock.anonymous().request(method, "/projects/1/triggers/abc")

    assert (answer.status_code, answer.json()) == (400, {"error": "trigger_id is invalid"})


def test_an_update_without_a_description_changes_nothing(mock: Mock):
    created = mock.post("/projects/1/triggers", json={"description": "bot"}).json()
    mock.advance("1m")

    updated = mock.put(f"/projects/1/triggers/{created['id']}")

    assert (updated.status_code, updated.json()) == (200, created)


@pytest.mark.parametrize(("until", "status"), [("2027-01-02", 201), ("2027-01-03", 400)])
def test_a_trigger_token_expires_within_a_year(mock: Mock, until: str, status: int):
    answer = mock.post("/projects/1/triggers", json={"description": "bot", "expires_at": until})

    assert answer.status_code == status
