"""The ready file: where whoever started the server learns its address and token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ReadyFile:
    """A file that is there, and whole, while the server answers, and not before or after.

    Its content is ``{"url": "http://127.0.0.1:8000", "token": "..."}``; only its owner may read it.

    Raises:
        OSError: it cannot be written there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        self._partial.touch(mode=0o600)
        # An earlier server may have been killed; nobody must take its address for this one's.
        path.unlink(missing_ok=True)

    def write(self, url: str, token: str) -> None:
        """Say that requests are answered now."""
        text = json.dumps({"url": url, "token": token}) + "\n"
        self._partial.write_text(text, encoding="utf-8")
        self._partial.replace(self._path)

    def remove(self) -> None:
        """Say that they no longer are."""
        self._partial.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)
