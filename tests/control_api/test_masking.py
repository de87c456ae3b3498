"""No secret is shown of a request."""

from __future__ import annotations

from textwrap import dedent
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


# ---------------------------------------------------------------------------- tokens as keys


@pytest.mark.parametrize(
    "sent",
    [
        {"variables": {f"glpat-{S3CRET}": "x", f"glptt-{S3CRET}": "y"}},
        {"inputs": {"deep": {f"glpat-{S3CRET}": 1}}},
        {f"glpat-{S3CRET}": "x"},
    ],
)
def test_a_token_is_hidden_where_it_is_a_key(mock: Mock, sent: dict[str, Any]):
    mock.post("/projects/1/trigger/pipeline", json={"ref": "main", "token": "x", **sent})
    mock.post("/projects/1/pipeline", json={"ref": "main", **sent})
    mock.post("/_mock/rules", json=sent)

    assert S3CRET not in mock.get("/_mock/requests").text
    assert S3CRET not in verified(mock, method="GET").text


def test_keys_that_are_hidden_stay_apart(mock: Mock):
    variables = {f"glpat-{name}": name for name in "abc"}
    mock.post("/projects/1/pipeline", json={"ref": "main", "variables": variables})

    shown = mock.get("/_mock/requests").json()[0]["parameters"]["variables"]
    assert shown == {"[MASKED]": "a", "[MASKED] 2": "b", "[MASKED] 3": "c"}


def test_a_token_is_hidden_where_it_is_the_name_of_a_parameter(mock: Mock):
    mock.get(f"/user?glpat-{S3CRET}=1&variables[glpat-{S3CRET}]=1")

    assert S3CRET not in mock.get("/_mock/requests").text
    assert S3CRET not in mock.get(f"/_mock/requests?glpat-{S3CRET}=1").text
    assert S3CRET not in mock.post("/_mock/faults", json={f"glpat-{S3CRET}": 1}).text


# ---------------------------------------------------------------------------- the environment


def test_what_came_from_the_environment_is_shown_as_it_is_written(mock_with: Callable[..., Mock]):
    yaml = """
      seed: ${X}
      projects: [{id: 42, path: "group/${X}", default_branch: "${X}"}]
      rules:
        - when: {ref: "${X}", variables: {A: "${X}"}, inputs: {n: "${N}", m: 3}}
          scenario: 900
          variables: {B: "${X}"}
          name: "name of ${X}"
        - when: {username: b}
          respond:
            status: 400
            body:
              a: ["${X}"]
              b: ${N}
      faults: [{when: {path: "/${X}"}, respond: {status: 500, body: "${X}"}}]
      scenarios: [{scenario_id: 900, name: "${X}", jobs: [{name: a, trace: "${X}"}]}]
    """
    mock = mock_with(
        dedent(yaml), base="database: ':memory:'\n", environ={"X": S3CRET, "N": "1234567"}
    )
    mock.post("/projects/42/pipeline", json={"ref": S3CRET})

    shown = {
        path: mock.get(f"/_mock/{path}").text
        for path in ("config", "rules", "faults", "scenarios", "scenarios/900")
    }
    assert {path for path, text in shown.items() if S3CRET in text or "1234567" in text} == set()
    rule, refusal = mock.get("/_mock/rules").json()
    assert rule["when"] == {
        "ref": "${X}", "variables": {"A": "${X}"}, "inputs": {"n": "${N}", "m": 3},
    }  # fmt: skip
    assert (rule["variables"], rule["name"]) == ({"B": "${X}"}, "name of ${X}")
    assert refusal["respond"]["body"] == {"a": ["${X}"], "b": "${N}"}
    assert mock.get("/_mock/config").json()["projects"] == [
        {"id": 42, "path": "group/${X}", "default_branch": "${X}"}
    ]
