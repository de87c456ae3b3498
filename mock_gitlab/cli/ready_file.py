"""The ready file: tells whoever started the server its URL and token."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ReadyFile:
    """A file that exists, complete, while the server answers requests, and at no other time.

    Its content is ``{"url": "http://127.0.0.1:8000", "token": "..."}``; only its owner may read it.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        self._partial.touch(mode=0o600)
        # A server that was killed may have left its file; its URL must not be taken for ours.
        path.unlink(missing_ok=True)

    def write(self, url: str, token: str) -> None:
        """Write the file; the server answers requests from now on."""
        text = json.dumps({"url": url, "token": token}) + "\n"
        self._partial.write_text(text, encoding="utf-8")
        self._partial.replace(self._path)

    def remove(self) -> None:
        """Remove the file; the server answers no more requests."""
        self._partial.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)
