"""Two runs of the same requests under a seed and a frozen clock give the same bytes."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

DECLARED = """
projects: [{id: 1, path: group/app, trigger_tokens: [{description: ci, token: glptt-a}]}]
scenarios:
  - scenario_id: 900
    jobs:
      - {name: build, stage: build, duration: 30s, trace: "a\\nb\\n", artifacts: {x: "1"}}
      - {name: flaky, stage: test, duration: 9s, attempts: [{status: failed}, {status: success}]}
      - {name: gate, stage: deploy, when: manual, duration: 5s}
      - {name: down, stage: deploy, downstream: {project: group/other, scenario: 3}}
rules:
  - {when: {ref: main}, scenario: [900, 5, 900], cycle: true}
"""


def session(mock: Mock) -> list[bytes]:
    """Send a long mixture of requests; they are drawn, but the same in every run."""
    draw = random.Random(7)
    bodies = []
    for _ in range(400):
        project, pipeline = draw.choice(["1", "2", "group%2Fnew"]), draw.randint(1, 12)
        number = pipeline * 100_000 + draw.randint(0, 1) * 1000 + draw.randint(1, 4)
        request = draw.choice(
            [
                ("POST", f"/projects/{project}/trigger/pipeline?ref=main"),
                ("POST", f"/projects/{project}/pipeline?ref=other"),
                ("POST", f"/projects/{project}/triggers?description=x"),
                (
                    "POST",
                    f"/projects/{project}/pipelines/{pipeline}/{draw.choice(['retry', 'cancel'])}",
                ),
                (
                    "POST",
                    f"/projects/{project}/jobs/{number}/{draw.choice(['play', 'retry', 'erase'])}",
                ),
                ("GET", f"/projects/{project}/pipelines/{pipeline}"),
                ("GET", f"/projects/{project}/pipelines/{pipeline}/jobs?include_retried=true"),
                ("GET", f"/projects/{project}/pipelines?status=success&order_by=updated_at"),
                ("GET", f"/projects/{project}/jobs"),
                ("GET", f"/projects/{project}/jobs/{number}/artifacts"),
                ("GET", f"/projects/{project}/jobs/{number}/trace"),
                ("GET", f"/projects/{project}/triggers"),
                ("GET", "/projects"),
                ("GET", f"/_mock/pipelines/{pipeline}"),
                ("POST", "/_mock/clock/next"),
                ("DELETE", f"/projects/{project}/pipelines/{pipeline}"),
                ("ADVANCE", f"{draw.randint(1, 20)}s"),
            ]
        )
        if request[0] == "ADVANCE":
            mock.advance(request[1])
        else:
            # The two mocks have files of different names, and rules are named by file and line.
            bodies.append(re.sub(rb"mock-\d\.yaml", b"mock.yaml", mock.request(*request).content))
    return bodies


def test_two_runs_of_the_same_requests_are_byte_identical(mock_with: Callable[..., Mock]):
    first, second = (session(mock_with(DECLARED)) for _ in range(2))

    assert first == second
    assert len(set(first)) > 50


def test_a_world_that_was_reset_does_the_same_as_a_new_one(mock_with: Callable[..., Mock]):
    mock = mock_with(DECLARED)
    fault = {"when": {"operation": "list_jobs"}, "times": 2, "respond": {"status": 503}}
    bodies = []
    for _ in range(2):
        mock.post("/_mock/faults", json=fault)
        mock.post("/_mock/rules", json={"when": {"ref": "other"}, "scenario": [3, 4]})
        bodies.append(session(mock))
        for listed in ("rules", "faults"):
            bodies[-1].append(mock.get(f"/_mock/{listed}").content)
        assert mock.post("/_mock/reset").status_code == 204

    assert bodies[0] == bodies[1]


def test_another_seed_gives_other_shas(mock_with: Callable[..., Mock]):
    base = "version: 1\ndatabase: ':memory:'\n"

    shas = [mock_with(f"seed: {seed}\n", base=base).trigger()["sha"] for seed in (1, 2, 1)]

    assert shas[0] == shas[2] != shas[1]
