"""Take pictures of the live page in six states: ``python -m tests.dashboard.screenshots FOLDER``.

The one of a manual gate stands in README.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.dashboard.browser import browsing
from tests.live import TOKEN, Live, serving

if TYPE_CHECKING:
    from tests.dashboard.browser import Browser

MOCK_YAML = f"""\
token: {TOKEN}
database: ":memory:"
clock: {{start: 2026-01-01T09:00:00Z, frozen: true}}
rules:
  - {{name: releases, when: {{ref: release/*}}, scenario: 901}}
  - {{when: {{ref: main}}, scenario: 900}}
scenarios:
  - scenario_id: 900
    name: deploys
    jobs:
      - {{name: compile, stage: build, duration: 40s}}
      - {{name: lint, stage: test, duration: 15s, needs: [], status: failed, allow_failure: true}}
      - {{name: unit, stage: test, duration: 50s, parallel: 2}}
      - {{name: staging, stage: deploy, duration: 30s}}
      - {{name: production, stage: deploy, duration: 30s, when: manual, needs: [staging]}}
  - scenario_id: 901
    name: fails in the tests
    jobs:
      - {{name: compile, stage: build, duration: 30s}}
      - name: unit
        stage: test
        duration: 50s
        status: failed
        trace: "$ make test\\n\\x1b[32mlogin ok\\x1b[0m\\n\\x1b[31;1mlogout FAILED\\x1b[0m\\n"
"""


def _trigger(live: Live, ref: str) -> None:
    live.call("POST", f"/api/v4/projects/group%2Fapp/pipeline?ref={ref}")


def _advance(live: Live, duration: str) -> None:
    live.control("POST", "/clock/advance", {"duration": duration})


def take_all(folder: Path, live: Live, files: Path) -> None:
    """Take the pictures one after the other, in one world."""
    with browsing(width=1180, height=860) as browser:
        _shoot(browser, folder, "empty", live.url, "No pipeline yet")
        _trigger(live, "release/1.0")
        _advance(live, "2m")
        _trigger(live, "main")
        _advance(live, "20s")
        _shoot(browser, folder, "running", f"{live.url}/group/app/-/pipelines/2", "#2")
        _shoot(browser, folder, "failed", f"{live.url}/group/app/-/jobs/100002", "logout FAILED")
        _advance(live, "85s")
        _shoot(browser, folder, "gate", f"{live.url}/group/app/-/pipelines/2", "#2")
        (files / "mock.yaml").write_text(MOCK_YAML + "tokn: x\n", encoding="utf-8")
        live.control("POST", "/config/reload")
        _shoot(browser, folder, "mistake", f"{live.url}/group/app/-/pipelines/2", "did you mean")
    with browsing(width=500, height=900, dark=True) as narrow:
        _shoot(narrow, folder, "narrow", f"{live.url}/group/app/-/pipelines/2", "#2")


def _shoot(browser: Browser, folder: Path, name: str, url: str, text: str) -> None:
    browser.open(url)
    browser.sees("body", text)
    browser.driver.save_screenshot(str(folder / f"{name}.png"))


def main(folder: Path) -> None:
    """Serve a mock, and take the pictures of it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        files = Path(made)
        (files / "mock.yaml").write_text(MOCK_YAML, encoding="utf-8")
        with serving(files, "--no-watch") as live:
            take_all(folder, live, files)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
