"""A real browser that shows the live page: Chromium, driven by Selenium."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING

from selenium import webdriver
from selenium.common.exceptions import (
    ElementNotInteractableException,
    StaleElementReferenceException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.live import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selenium.webdriver.remote.webelement import WebElement

PATIENCE = 20
"""How many seconds a page may take to show something; it usually takes a few milliseconds."""
MISSING = None if shutil.which("chromium") and shutil.which("chromedriver") else "no Chromium here"
"""Why there is no browser on this machine."""


class Browser:
    """A window of a browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Open an address with the token, as the link of ``serve`` hands it over."""
        self.driver.get("about:blank")
        self.complaints()  # those of the page before
        self.driver.get(f"{url}#token={TOKEN}")

    def all(self, selector: str) -> list[WebElement]:
        """Find elements."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """Find an element as soon as it is there."""
        self.wait(lambda: bool(self.all(selector)))
        return self.all(selector)[0]

    def text(self, selector: str) -> str:
        """Read the text of a region in one moment: what is drawn anew cannot go away meanwhile."""
        script = "return document.querySelector(arguments[0])?.innerText ?? ''"
        return str(self.driver.execute_script(script, selector))

    def click(self, key: str) -> None:
        """Click what has a key as soon as it is there; its region may be drawn anew meanwhile."""
        script = "const e = document.querySelector(arguments[0]); e?.click(); return !!e"
        selector = f'[data-key="{key}"]'
        self.wait(lambda: bool(self.driver.execute_script(script, selector)))

    def press(self, selector: str, key: str) -> None:
        """Press a key in an element, even if its region is drawn anew meanwhile."""

        def pressed() -> bool:
            try:
                self.one(selector).send_keys(key)
            except (StaleElementReferenceException, ElementNotInteractableException):
                return False
            return True

        self.wait(pressed)

    def sees(self, selector: str, text: str) -> None:
        """Wait until a region shows a text."""
        self.wait(lambda: text in self.text(selector), lambda: self.text(selector))

    def wait(self, until: Callable[[], bool], found: Callable[[], str] = str) -> None:
        """Wait until something is so; ``found`` tells what is shown instead."""
        try:
            WebDriverWait(self.driver, PATIENCE, 0.05).until(lambda _: until())
        except Exception as error:
            raise AssertionError(f"the page shows: {found()}") from error

    def barriers(self) -> list[str]:
        """List what keeps people with disabilities from using the page, as axe-core finds it."""
        axe = files("axe_core_python") / "axe.min.js"
        self.driver.execute_script(axe.read_text(encoding="utf-8"))
        found = self.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        nodes = [
            (rule["id"], each["html"]) for rule in found["violations"] for each in rule["nodes"]
        ]
        return [f"{rule}: {html[:200]}" for rule, html in nodes]

    def complaints(self) -> list[str]:
        """List what the browser complains of in its console."""
        log = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [each["message"] for each in log]


@contextmanager
def browsing(width: int = 1280, height: int = 900, *, dark: bool = False) -> Iterator[Browser]:
    """Start a browser, and end it with the block."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for each in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{each}")
    options.add_argument(f"--window-size={width},{height}")
    if dark:
        options.add_argument("--force-dark-mode")
        options.add_argument("--blink-settings=preferredColorScheme=0")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
