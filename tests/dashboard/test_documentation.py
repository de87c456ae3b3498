"""``/docs`` and ``/redoc`` in a real browser, which asks no other host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.dashboard.browser import MISSING, browsing
from tests.live import serving

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


@pytest.mark.parametrize(
    ("path", "shown"), [("/docs", "Trigger a pipeline"), ("/redoc", "Trigger a pipeline")]
)
def test_the_documentation_is_drawn_without_any_other_host(tmp_path: Path, path: str, shown: str):
    with serving(tmp_path) as live, browsing() as browser:
        browser.driver.get(f"{live.url}{path}")
        browser.sees("body", shown)
        loaded = browser.driver.execute_script(  # without what the policy of the page has refused
            "return performance.getEntriesByType('resource').filter(each => each.responseStatus)"
            ".map(each => each.name)"
        )

    assert loaded
    assert [url for url in loaded if not url.startswith((live.url, "data:", "blob:"))] == []
