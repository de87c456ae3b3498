"""The command ``serve`` in this process."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, TextIO

from mock_gitlab.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Use = Callable[[str], object]


def served(*options: str, use: Use = str) -> tuple[int, str]:
    """Serve, call ``use`` with the URL in a thread, and interrupt; return exit code and output."""
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as pool, os.fdopen(reading) as output:
        interrupted = pool.submit(_use_and_interrupt, output, use)
        with os.fdopen(writing, "w") as stdout, redirect_stdout(stdout), _own_hangup():
            code = main(["serve", "--port", "0", *options])
        return code, interrupted.result()


@contextmanager
def _own_hangup() -> Iterator[None]:
    """Restore what SIGHUP means, which the command changes."""
    before = signal.getsignal(signal.SIGHUP)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _use_and_interrupt(output: TextIO, use: Use) -> str:
    first = output.readline()
    address = re.search(r"http://[\w.:\[\]]+", first)
    assert address, "the server has not started"
    try:
        use(address[0])
    finally:
        os.kill(os.getpid(), signal.SIGINT)
    return first + output.read()
