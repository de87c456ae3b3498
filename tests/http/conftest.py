"""A server in this process, for what only shows over a wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab import MockGitLab
from tests.live import Client

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def live() -> Iterator[Client]:
    with MockGitLab() as mock:
        yield Client(mock.url)
