"""The server under a long mixed session; ``MOCK_TEST_SOAK`` says how long, in steps."""

from __future__ import annotations

import os
import random
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.live import Live, serving
from tests.soak import CONFIG, Soak

STEPS = int(os.environ.get("MOCK_TEST_SOAK", "6000"))
SEED = int(os.environ.get("MOCK_TEST_SEED", "1"))


class Held(NamedTuple):
    """What the server holds, and how many seconds its processor has worked for it so far."""

    megabytes: float
    files: int
    worked: float


def held(live: Live) -> Held:
    process = Path(f"/proc/{live.process.pid}")
    status = (process / "status").read_text()
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
    user, system = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
    worked = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return Held(int(kilobytes) / 1024, len(os.listdir(process / "fd")), worked)


@pytest.mark.timeout(60 + STEPS // 50)
def test_every_answer_of_a_long_session_is_right_and_nothing_piles_up(tmp_path: Path):
    (tmp_path / "mock.yaml").write_text(CONFIG, encoding="utf-8")
    with (
        serving(tmp_path, "--database", ":memory:") as live,
        closing(Soak(live.host, live.port, tmp_path, random.Random(SEED))) as soak,
    ):
        soak.run(STEPS // 2)
        before = held(live)
        soak.run(STEPS // 2)
        after = held(live)

    assert after.megabytes - before.megabytes < 5
    assert after.files <= before.files + 1
    # CPU time of the requests, since a busy machine stretches the time on a clock.
    assert after.worked - before.worked < 1.5 * before.worked
