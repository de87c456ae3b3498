"""What people do with the live page, in a real browser."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.dashboard.browser import MISSING, Browser, browsing
from tests.dashboard.prefix import prefixing
from tests.live import TOKEN, Live, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mock_gitlab.testing.receiver import Receiver

pytestmark = [
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
    pytest.mark.xdist_group("browser"),
]

MOCK_YAML = f"""\
token: {TOKEN}
database: ":memory:"
clock: {{start: 2026-01-01T00:00:00Z, frozen: true}}
default_scenario: 900
scenarios:
  - scenario_id: 900
    name: deploys
    jobs:
      - {{name: compile, stage: build, duration: 40s, trace: "compiling\\nok\\n"}}
      - {{name: staging, stage: deploy, duration: 30s}}
      - {{name: production, stage: deploy, duration: 30s, when: manual, allow_failure: false}}
"""
HOSTILE = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    (tmp_path / "mock.yaml").write_text(MOCK_YAML)
    with serving(tmp_path) as live:
        yield live


def trigger(live: Live, **form: str) -> str:
    path = "/api/v4/projects/group%2Fapp/pipeline?ref=main"
    return str(live.call("POST", path, **form).json()["id"])


def test_a_pipeline_is_triggered_and_watched_until_it_ends(live: Live, browser: Browser):
    browser.open(live.url)
    browser.sees("#rows", "No pipeline yet")
    browser.one("#trigger button").click()
    browser.sees("#detail h2", "Running #1 main")
    browser.sees("#detail", "compile")

    browser.click("next")
    browser.sees("#detail .graph", "Passed compile")
    browser.click("move 1m")
    browser.sees("#rows", "Manual")
    browser.click("play 100003")
    browser.click("move 1m")
    browser.sees("#detail h2", "Passed #1 main")
    assert browser.complaints() == []


def test_what_a_program_does_is_shown_at_once(live: Live, browser: Browser):
    browser.open(live.url)
    browser.sees("#rows", "No pipeline yet")

    trigger(live)

    browser.sees("#rows", "#1 main group/app".replace(" ", "\n"))


def test_the_slider_moves_the_clock_forwards_and_backwards(live: Live, browser: Browser):
    trigger(live)
    browser.open(f"{live.url}/group/app/-/pipelines/1")
    browser.sees("#detail .graph", "Running compile")

    for instant, status in (
        ("2026-01-01T00:00:45Z", "Passed compile"),
        ("2026-01-01T00:00:10Z", "Running compile"),
    ):
        browser.driver.execute_script(
            "const slider = document.querySelector('[data-key=slider]');"
            "slider.value = Date.parse(arguments[0]); slider.dispatchEvent(new Event('input'));",
            instant,
        )
        browser.sees("#detail .graph", status)
        assert live.control("GET", "/clock").json()["now"] == instant.replace("Z", ".000Z")


def test_the_arrows_go_from_change_to_change(live: Live, browser: Browser):
    trigger(live)
    browser.open(f"{live.url}/group/app/-/pipelines/1")

    browser.press("[data-key=slider]", "\ue014")  # right
    browser.sees("#now", "00:00:40")
    browser.press("[data-key=slider]", "\ue014")
    browser.sees("#now", "00:01:10")
    browser.press("[data-key=slider]", "\ue012")  # left
    browser.sees("#now", "00:00:40")


def test_a_running_clock_is_seen_to_run_and_can_be_frozen(live: Live, browser: Browser):
    trigger(live)
    browser.open(f"{live.url}/group/app/-/pipelines/1")
    browser.click("freeze")
    browser.sees("#clock", "running")
    browser.click("freeze")
    browser.sees("#clock", "frozen")

    assert live.control("GET", "/clock").json()["frozen"] is True


def test_the_log_of_a_job_is_read_and_no_program_sees_that(live: Live, browser: Browser):
    trigger(live)
    live.control("POST", "/clock/advance", {"duration": "1m"})
    browser.open(f"{live.url}/group/app/-/jobs/100001")

    browser.sees("#detail .trace", "compiling\nok")
    paths = [each["path"] for each in live.control("GET", "/requests").json()]
    assert paths == ["/projects/group%2Fapp/pipeline"]


def test_needs_artifacts_and_tests_are_shown(live: Live, browser: Browser):
    jobs = [
        {"name": "build", "stage": "build", "artifacts": {"dist/app.txt": "12345"}},
        {"name": "unit", "stage": "test", "needs": ["build"]},
    ]
    cases = [{"name": "a"}, {"name": "b", "status": "failed"}]
    report = {"suites": [{"name": "unit", "cases": cases}]}
    scenario = {"scenario_id": 901, "name": "x", "jobs": jobs, "test_report": report}
    live.control("POST", "/scenarios", scenario)
    trigger(live, scenario_id="901")
    live.control("POST", "/clock/advance", {"duration": "5m"})
    browser.open(f"{live.url}/group/app/-/jobs/100001")

    browser.sees("#detail", "dist/app.txt, 5 bytes")
    browser.sees("#detail", "2 tests: 1 passed, 1 failed, 0 errors, 0 skipped")
    assert len(browser.all("svg.lines path")) == 1


def test_a_long_list_is_shown_in_pages(live: Live, browser: Browser):
    for _ in range(101):
        trigger(live)
    browser.open(live.url)
    browser.sees("#rows", "#101")
    assert "#1\n" not in browser.text("#rows")

    browser.click("more")
    browser.sees("#rows", "#1\n")


def test_a_mistake_in_a_file_is_shown_until_it_is_mended(
    live: Live, browser: Browser, tmp_path: Path
):
    browser.open(live.url)
    browser.sees("#rows", "No pipeline yet")
    (tmp_path / "mock.yaml").write_text(MOCK_YAML + "tokn: x\n")
    browser.sees("#mistakes", "tokn: is not a known key; did you mean token?")
    browser.sees("#mistakes", "stays in force")

    (tmp_path / "mock.yaml").write_text(MOCK_YAML)
    browser.wait(lambda: browser.text("#mistakes") == "")


def test_requests_rules_and_scenarios_are_listed(live: Live, browser: Browser):
    live.call("GET", "/api/v4/nowhere")
    browser.open(live.url)
    browser.click("tab requests")
    browser.sees("#rows", "no such endpoint")
    browser.click("tab rules")
    browser.sees("#rows", "None: the default scenario is chosen.")
    browser.click("tab scenarios")
    browser.sees("#rows", "mock.yaml:6")


def test_a_rule_and_a_fault_are_switched_off_and_on(live: Live, browser: Browser):
    live.control("POST", "/rules", {"when": {"ref": "main"}, "scenario": 3})
    live.control(
        "POST", "/faults", {"when": {"operation": "get_version"}, "respond": {"status": 503}}
    )
    trigger(live)
    browser.open(live.url)
    browser.click("tab rules")
    browser.sees("#rows", "matched 1")

    browser.click("switch rules runtime-1")
    browser.sees("#rows", "switched off")
    assert live.control("GET", "/rules").json()[0]["enabled"] is False
    browser.click("switch rules runtime-1")
    browser.sees("#rows", "matched 1")
    browser.click("switch faults runtime-1")
    browser.sees("#rows", "switched off")
    assert live.call("GET", "/api/v4/version").status == 200


def test_a_scenario_shows_what_it_will_do(live: Live, browser: Browser):
    browser.open(live.url)
    browser.click("tab scenarios")
    browser.click("scenario row 900")
    browser.sees("#rows", "never ends by itself: manual")
    browser.sees("#rows .bars", "production")

    browser.click("scenario row 3")
    browser.sees("#rows", "success after 3s")
    assert live.control("GET", "/pipelines").json() == []


def test_the_webhooks_that_were_sent_are_shown(live: Live, browser: Browser, receiver: Receiver):
    hook = {"url": receiver.url, "pipeline_events": True, "job_events": True}
    live.post_json("/api/v4/projects/group%2Fapp/hooks", json.dumps(hook))
    browser.open(live.url)
    browser.click("tab webhooks")
    browser.sees("#rows", "No webhook has been sent.")

    trigger(live)

    browser.sees("#rows", "Pipeline Hook")
    browser.sees("#rows", "#1 compile")
    browser.sees("#rows", "200")


def test_two_worlds_stand_beside_each_other(live: Live, browser: Browser):
    trigger(live)
    live.control("POST", "/sandboxes", {"name": "mine"})
    browser.open(f"{live.url}/sandbox/mine/")
    browser.sees("#rows", "No pipeline yet")
    browser.sees("#world", "mine")
    browser.press("#world", "\ue013")  # up, to the default world

    browser.sees("#rows", "#1")
    assert "/sandbox/" not in browser.driver.current_url


def test_the_page_finds_back_after_a_restart(tmp_path: Path, browser: Browser):
    (tmp_path / "mock.yaml").write_text(MOCK_YAML)
    with serving(tmp_path) as first:
        browser.open(first.url)
        browser.sees("#rows", "No pipeline yet")
        first.process.send_signal(signal.SIGTERM)
        first.process.wait()
        browser.sees("#message", "trying again")
    with serving(tmp_path, "--port", str(first.port)) as second:
        trigger(second)
        browser.sees("#rows", "#1")


def test_the_page_works_below_the_prefix_of_a_proxy(live: Live, browser: Browser):
    live.control("POST", "/sandboxes", {"name": "mine"})
    live.call("POST", "/sandbox/mine/api/v4/projects/group%2Fapp/pipeline?ref=main")
    with prefixing(live.port, "/mock") as url:
        browser.open(f"{url}/sandbox/mine/group/app/-/pipelines/1")
        browser.sees("#detail h2", "#1 main")
        browser.click("next")
        browser.sees("#detail .graph", "Passed compile")
        browser.press("#world", "\ue013")  # up, to the default world
        browser.sees("#rows", "No pipeline yet")
        assert browser.driver.current_url.startswith(f"{url}/_mock/")


def test_the_token_is_asked_for_and_stands_in_no_address(live: Live, browser: Browser):
    browser.driver.get(f"{live.url}/_mock/health")
    browser.driver.execute_script("sessionStorage.clear()")
    browser.driver.get(live.url)
    browser.sees("#message", "The mock wants its token.")
    browser.one("#token").send_keys(TOKEN, "\n")

    browser.sees("#rows", "No pipeline yet")
    assert TOKEN not in browser.driver.current_url


def test_what_clients_send_is_text(live: Live, browser: Browser):
    live.control(
        "POST",
        "/scenarios",
        {"scenario_id": 901, "name": HOSTILE, "jobs": [{"name": HOSTILE, "trace": HOSTILE}]},
    )
    variables = [{"key": "K", "value": HOSTILE}]
    body = {"ref": "a", "scenario_id": 901, "variables": variables}
    live.post_json("/api/v4/projects/group%2Fapp/pipeline", json.dumps(body))
    live.call("GET", "/api/v4/projects/1/jobs?scope=%3Cscript%3E")
    live.control("POST", "/rules", {"when": {"ref": HOSTILE}, "scenario": 901})
    browser.open(f"{live.url}/group/app/-/jobs/100001")
    browser.sees("#detail .graph", "onerror=window.hacked=1")
    browser.sees("#detail table", "onerror=window.hacked=1")
    for tab in ("requests", "scenarios"):
        browser.click(f"tab {tab}")
        browser.sees("#tabs [aria-current]", tab.capitalize())

    browser.click("scenario row 901")
    browser.sees("#rows .bars", "onerror=window.hacked=1")
    browser.click("tab rules")
    browser.click("rules row runtime-1")
    browser.sees("#rows", "onerror=window.hacked=1")

    assert browser.driver.execute_script("return window.hacked") is None
    assert browser.all("#detail img, #rows img, main script") == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_a_barrier_to_people(live: Live, tmp_path: Path, dark: bool):
    trigger(live)
    live.control("POST", "/clock/advance", {"duration": "1m"})
    with browsing(dark=dark) as browser:
        browser.open(live.url)
        browser.sees("#rows", "#1")
        barriers = browser.barriers()
        browser.open(f"{live.url}/group/app/-/jobs/100001")
        browser.sees("#detail .trace", "compiling")
        barriers += browser.barriers()
        live.control("POST", "/rules", {"when": {"ref": "x"}, "scenario": 3})
        for tab in ("requests", "rules", "scenarios", "webhooks"):
            browser.click(f"tab {tab}")
            browser.sees("#tabs [aria-current]", tab.capitalize())
            if tab == "scenarios":
                browser.click("scenario row 900")
                browser.sees("#rows .bars", "production")
            barriers += browser.barriers()
        (tmp_path / "mock.yaml").write_text(MOCK_YAML + "tokn: x\n")
        browser.sees("#mistakes", "did you mean")
        barriers += browser.barriers()

    assert barriers == []


def test_everything_has_a_name_for_those_who_do_not_see_it(live: Live, browser: Browser):
    trigger(live)
    browser.open(f"{live.url}/group/app/-/pipelines/1")
    browser.sees("#detail h2", "#1")
    unnamed = browser.driver.execute_script(
        "return [...document.querySelectorAll('button, a, input, select, section, nav')].filter("
        "e => !(e.innerText?.trim() || e.ariaLabel || e.labels?.length || e.closest('[hidden]')"
        " || e.getAttribute('aria-label') || e.querySelector('h3'))).map(e => e.outerHTML)"
    )

    assert unnamed == []
    assert browser.driver.execute_script("return document.documentElement.lang") == "en"
    roles = [each.aria_role for each in browser.all("header, main, nav, footer")]
    assert roles[:3] == ["banner", "main", "navigation"]


def test_a_narrow_screen_shows_everything_without_scrolling_sideways(live: Live):
    trigger(live)
    with browsing(width=500, height=800) as narrow:
        narrow.open(f"{live.url}/group/app/-/pipelines/1")
        narrow.sees("#detail h2", "#1")
        width, scrolled = narrow.driver.execute_script(
            "return [innerWidth, document.documentElement.scrollWidth]"
        )

    assert scrolled <= width
