"""The server under a long mixed session; ``MOCK_TEST_SOAK`` says how long, in steps."""

from __future__ import annotations

import os
import random
from contextlib import closing
from pathlib import Path

import pytest

from tests.live import Live, serving
from tests.soak import CONFIG, Soak

STEPS = int(os.environ.get("MOCK_TEST_SOAK", "6000"))
SEED = int(os.environ.get("MOCK_TEST_SEED", "1"))


def held(live: Live) -> tuple[float, int]:
    """Tell how many MB the server holds, and how many files it has open."""
    status = Path(f"/proc/{live.process.pid}/status").read_text()
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
    return int(kilobytes) / 1024, len(os.listdir(f"/proc/{live.process.pid}/fd"))


@pytest.mark.timeout(60 + STEPS // 50)
def test_every_answer_of_a_long_session_is_right_and_nothing_piles_up(tmp_path: Path):
    (tmp_path / "mock.yaml").write_text(CONFIG, encoding="utf-8")
    with (
        serving(tmp_path, "--database", ":memory:") as live,
        closing(Soak(live.host, live.port, tmp_path, random.Random(SEED))) as soak,
    ):
        soak.run(STEPS // 2)
        before, files_before = held(live)
        soak.run(STEPS // 2)
        after, files_after = held(live)

    assert after - before < 5
    assert files_after <= files_before + 1
