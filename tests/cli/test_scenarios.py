"""``scenarios`` lists the scenarios and what picks them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

MOCK = """\
scenarios:
  - scenario_id: 902
    name: starts another
    jobs: [{name: down, downstream: {project: a/b, scenario: 901}}]
  - {scenario_id: 900, name: a name that is so long that it would push the other columns out}
  - {scenario_id: 901, name: "${SECRET}"}
rules:
  - {when: {ref: main}, scenario: [902, 902]}
"""


@pytest.fixture(autouse=True)
def mock_yaml(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2hunter2")
    (folder / "mock.yaml").write_text(MOCK, encoding="utf-8")


def test_each_scenario_has_its_place_and_what_picks_it(capsys: pytest.CaptureFixture[str]):
    assert main(["scenarios"]) == 0

    assert [line.split(None, 1) for line in capsys.readouterr().out.splitlines()] == [
        ["500", f"{'succeeds after 300 seconds':<48}  built in; picked by the default"],
        [
            "900",
            "a name that is so long that it would push the...  mock.yaml:5; "
            "picked by only a request that names it",
        ],
        ["901", f"{'${SECRET}':<48}  mock.yaml:6; picked by down of 902"],
        ["902", f"{'starts another':<48}  mock.yaml:2; picked by mock.yaml:8"],
    ]


def test_it_prints_json(capsys: pytest.CaptureFixture[str]):
    assert main(["scenarios", "--json"]) == 0

    assert json.loads(capsys.readouterr().out)[3] == {
        "scenario_id": 902,
        "name": "starts another",
        "place": "mock.yaml:2",
        "picked_by": ["mock.yaml:8"],
    }


def test_all_shows_the_built_in_ones(capsys: pytest.CaptureFixture[str]):
    assert main(["scenarios", "--all"]) == 0

    assert len(capsys.readouterr().out.splitlines()) > 100
