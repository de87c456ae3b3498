"""The process of the servers, as the process of the tests sees it: started once, then commanded.

Tests patch what Python offers. Whatever they may patch and this module needs is taken on import.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from typing import Any

from mock_gitlab.testing.messages import read, write

_CODE = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from mock_gitlab.testing.host import main
main()
"""
_Popen = subprocess.Popen
_to_json = json.dumps


class ServerProcess:
    """A process that runs any number of servers; the first one pays for its start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Imports find there what they find here. Until then -P keeps the working directory out.
        command = [sys.executable, "-P", "-c", _CODE, _to_json([str(path) for path in sys.path])]
        self._process = _Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def execute(self, command: str, *arguments: Any) -> Any:
        """Let the process execute a command.

        Raises:
            Exception: what the command raised there.
            RuntimeError: the process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            try:
                write(self._process.stdin, (command, *arguments))
                result = read(self._process.stdout)
            except (OSError, ValueError, EOFError):  # its pipe is broken, closed or at its end
                raise RuntimeError("the process of the mock has ended") from None
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        """End the process with all its servers."""
        self._process.communicate()


_processes: dict[int, ServerProcess] = {}
"""The process of each process: a fork of this one gets its own."""
_starting = threading.Lock()


def server_process() -> ServerProcess:
    """Return the process for servers; start it if there is none."""
    with _starting:
        process = _processes.get(os.getpid())
        if process is None or not process.alive:
            close_server_process()
            process = _processes[os.getpid()] = ServerProcess()
        return process


@atexit.register
def close_server_process() -> None:
    """End the process for servers, if there is one."""
    process = _processes.pop(os.getpid(), None)
    if process is not None:
        process.close()
