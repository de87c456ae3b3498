"""The server and its clients, as every test gets them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# Older versions take asyncio.sleep at their first use, when some test may have patched it.
import anyio._backends._asyncio  # noqa: F401
import pytest
from fastapi.testclient import TestClient
from hypothesis import settings

from mock_gitlab.app import create_app
from mock_gitlab.testing.process import close_server_process
from mock_gitlab.testing.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# The same examples in every run; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

TOKEN = "MOCK_SUPER_SECRET"
FROZEN = "version: 1\ndatabase: ':memory:'\nallow_reset: true\nseed: 7\n"
FROZEN += "clock: {start: 2026-01-01T00:00:00Z, frozen: true}\n"


class Mock(TestClient):
    """A client of a mock that nobody else uses, whose clock stands still until it is moved."""

    def advance(self, duration: str) -> None:
        """Move the clock."""
        moved = self.post("/_mock/clock/advance", json={"duration": duration})
        assert moved.status_code == 200, moved.text

    def trigger(self, project: str = "1", **body: Any) -> Any:
        """Trigger a pipeline and return it."""
        answer = self.post(
            f"/api/v4/projects/{project}/trigger/pipeline", json={"ref": "main", **body}
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def pipeline(self, number: int, project: str = "1") -> Any:
        """Poll a pipeline."""
        answer = self.get(f"/api/v4/projects/{project}/pipelines/{number}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def declare(self, scenario_id: int, **fields: Any) -> int:
        """Declare a scenario at run time."""
        fields = {"scenario_id": scenario_id, "name": f"scenario {scenario_id}", **fields}
        answer = self.post("/_mock/scenarios", json=fields)
        assert answer.status_code == 201, answer.text
        return scenario_id

    def anonymous(self) -> TestClient:
        """Make a client without a token."""
        return TestClient(self.app)


@pytest.fixture(scope="session", autouse=True)
def _end_the_servers() -> Iterator[None]:
    """End the process for servers before the coverage of all processes is combined."""
    yield
    close_server_process()


@pytest.fixture
def mock_with(tmp_path: Path) -> Iterator[Callable[..., Mock]]:
    """Make a mock from the text of its mock.yaml; what is left out is as in the other tests."""
    made: list[Mock] = []

    def make(yaml: str = "", *, base: str = FROZEN, environ: dict[str, str] | None = None) -> Mock:
        path = tmp_path / f"mock-{len(made)}.yaml"
        path.write_text(base + yaml, encoding="utf-8")
        app = create_app(path, environ=environ or {}, watch=False)
        mock = Mock(app, headers={"PRIVATE-TOKEN": TOKEN})
        mock.__enter__()
        made.append(mock)
        return mock

    yield make
    for mock in made:
        mock.__exit__()


@pytest.fixture
def mock(mock_with: Callable[..., Mock]) -> Mock:
    """A mock without any declarations of its own, its clock at 2026-01-01T00:00:00Z."""
    return mock_with()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real receiver of webhooks."""
    made = Receiver()
    yield made
    made.close()
