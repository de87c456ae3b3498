"""No secret is shown of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock


S3CRET = "s3cr3t"


def verified(mock: Mock, **expected: Any) -> Any:
    return mock.post("/_mock/verify", json=expected)


@pytest.mark.parametrize(
    "path",
    [
        f"/user?PRIVATE_TOKEN={S3CRET}",
        f"/user?tok%65n={S3CRET}&private%5Ftoken={S3CRET}",
        f"/user?nested[db_password]={S3CRET}",
        f"/user?variables[][key]=API_KEY&variables[][value]={S3CRET}",
        f"/user?x=glpat-{S3CRET}",
        f"/projects/glpat-{S3CRET}/pipelines",
        f"/projects/%67lptt-{S3CRET}/pipelines?ref=glcbt-1_{S3CRET}",
    ],
)
def test_no_secret_of_an_address_is_shown(mock: Mock, path: str):
    mock.get(path)

    assert S3CRET not in mock.get("/_mock/requests").text
    assert "[MASKED]" in mock.get("/_mock/requests").text


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"ref": "main", "token": S3CRET}},
        {"data": {"ref": "main", "token": S3CRET}},
        {"files": {"ref": (None, "main"), "token": (None, S3CRET)}},
        {"json": {"ref": "main", "variables": {"DB_PASSWORD": S3CRET, "sshPrivateKey": S3CRET}}},
        {"json": {"ref": "main", "variables": [{"key": "MY_SECRET", "value": S3CRET}]}},
        {"json": {"ref": "main", "inputs": {"deploy": {"api_key": S3CRET}}}},
        {"json": {"ref": f"glpat-{S3CRET}"}},
        {"json": {"ref": "main", "access_token": S3CRET}},
    ],
)
def test_no_secret_of_a_body_is_shown(mock: Mock, sent: dict[str, Any]):
    mock.post("/projects/1/trigger/pipeline", **sent)
    mock.post("/projects/1/pipeline", **sent)

    assert S3CRET not in mock.get("/_mock/requests").text
    assert S3CRET not in verified(mock, method="GET").text


def test_the_token_of_the_mock_is_shown_nowhere(mock_with: Callable[..., Mock]):
    mock = mock_with("token: house-key\n")
    mock.headers["PRIVATE-TOKEN"] = "house-key"

    mock.get("/projects/house-key/pipelines?x=house-key")
    mock.get("/user", headers={"Authorization": "Bearer house-key"})

    for path in ("requests", "config", "pipelines", "sandboxes"):
        assert "house-key" not in mock.get(f"/_mock/{path}").text
    for path in ("/openapi.json", "/docs", "/_mock/nothing", "/nothing"):
        assert "house-key" not in mock.get(path).text


def test_the_token_of_the_mock_is_hidden_within_other_text_too(mock: Mock):
    mock.trigger(ref=f"x-{TOKEN}", variables={"AUTH": f"Bearer {TOKEN}"})
    mock.get(f"/projects/1/{TOKEN}/x")

    assert TOKEN not in mock.get("/_mock/requests").text
    assert TOKEN not in verified(mock, path="/nothing", method="GET").text


def test_a_secret_variable_can_be_verified_though_it_is_not_shown(mock: Mock):
    mock.trigger(variables={"DB_PASSWORD": S3CRET})

    right = verified(mock, variables={"DB_PASSWORD": S3CRET})
    wrong = verified(mock, variables={"DB_PASSWORD": "other"})

    assert (right.status_code, wrong.status_code) == (200, 409)
    assert "variables.DB_PASSWORD: wanted 'other', got '[MASKED]'" in wrong.json()["message"]
    assert S3CRET not in wrong.text


@pytest.mark.parametrize(
    "name", ["token", "private%5Ftoken", "%6Aob_token", "TOKEN", "a%5Btoken%5D"]
)
def test_a_secret_is_masked_however_its_name_is_written(mock: Mock, name: str):
    mock.get(f"/projects/1/pipelines?ref=main&{name}=s3cr3t&per_page=5")

    assert f"ref=main&{name}=[MASKED]&per_page=5" in mock.get("/_mock/requests").text


def test_a_token_that_may_be_part_of_a_word_is_hidden_where_it_stands_alone(
    mock_with: Callable[..., Mock],
):
    mock = mock_with("token: main\n")
    mock.headers["PRIVATE-TOKEN"] = "main"
    mock.get("/projects/maintenance/repository/main")

    shown = mock.get("/_mock/requests").json()[0]["path"]

    assert shown == "/projects/maintenance/repository/[MASKED]"
