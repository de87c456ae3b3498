"""How quickly the live page shows itself, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.dashboard.browser import MISSING, browsing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .servers import Process

__all__ = ["MISSING", "times_of"]

_FIRST_PAINT = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_NOW = "return performance.now()"


def times_of(mock: Process, shown: str, times: int) -> Iterator[tuple[float, float]]:
    """Open the page again and again; yield the seconds to its first paint, and to its list.

    ``shown`` is a text of the list. The driver looks for it, and finds it some milliseconds late.
    """
    with browsing() as browser:
        for _ in range(times):
            browser.open(mock.url)
            browser.sees("#rows", shown)
            listed = browser.driver.execute_script(_NOW)
            browser.wait(lambda: bool(browser.driver.execute_script(_FIRST_PAINT)))
            yield browser.driver.execute_script(_FIRST_PAINT) / 1000, listed / 1000
