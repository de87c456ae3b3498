"""How the command ``serve`` logs: lines for people, or JSON objects for machines."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.http.access_log import FIELDS


def start_logging(form: str) -> None:
    """Log to standard error from now on; ``form`` is "text" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def set_level(level: str) -> None:
    """Log messages of a level and above."""
    logging.getLogger().setLevel(level.upper())
    for name in ("httpx", "httpcore"):  # they log the URLs of webhooks, which may have passwords
        logging.getLogger(name).setLevel(logging.WARNING)
    if level == "info":
        # At this level uvicorn and watchfiles log nothing that helps the author of a test.
        for name in ("uvicorn", "watchfiles"):
            logging.getLogger(name).setLevel(logging.WARNING)


class _Text(logging.Formatter):
    """A line with the time, the level and the message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - logging's
        """Write the real time as GitLab writes times."""
        return _time(record)


class _Json(logging.Formatter):
    """A JSON object: ``time``, ``level``, ``logger``, ``message``, and the fields of a request."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line."""
        written: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if hasattr(record, FIELDS):
            written |= getattr(record, FIELDS)
        else:
            written["message"] = record.getMessage()
        if record.exc_info:
            written["exception"] = self.formatException(record.exc_info)
        return json.dumps(written)


def _time(record: logging.LogRecord) -> str:
    return timestamp(int(record.created * 1000))
