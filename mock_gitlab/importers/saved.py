"""Read what GitLab's API answered about a pipeline from the files of a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .places import CannotImport, Place
from .recording import Pages

if TYPE_CHECKING:
    from pathlib import Path

_DEEPEST = 10
"""How deep downstream pipelines are read."""


def read_folder(folder: Path, depth: int = 0) -> Pages:
    """Read the files of a pipeline, and the folders of those that it started.

    Raises:
        CannotImport: a file is missing, cannot be read, or is no JSON.
    """
    if depth > _DEEPEST:
        raise CannotImport(Place(str(folder)), f"lies deeper than {_DEEPEST} pipelines")
    return Pages(
        at=str(folder),
        pipeline=_json(folder / "pipeline.json"),
        jobs=_json(folder / "jobs.json"),
        bridges=_optional(folder / "bridges.json", []),
        variables=_optional(folder / "variables.json", []),
        report=_optional(folder / "test_report.json", None),
        traces={int(path.stem): _text(path) for path in _numbered(folder / "traces", ".log")},
        downstream={
            int(path.name): read_folder(path, depth + 1)
            for path in _numbered(folder / "downstream", "")
        },
    )


def _numbered(folder: Path, suffix: str) -> list[Path]:
    """List what a folder has under numbers as names."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.suffix == suffix]
    return sorted(path for path in found if path.stem.isascii() and path.stem.isdecimal())


def _optional(path: Path, default: Any) -> Any:
    return _json(path) if path.exists() else default


def _text(path: Path) -> str:
    return _bytes(path).decode("utf-8", "replace")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotImport(Place(str(path)), f"cannot be read: {error.strerror}") from None


def _json(path: Path) -> Any:
    content = _bytes(path)
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        place = Place(str(path), error.lineno, error.colno)
        raise CannotImport(place, f"is no JSON: {error.msg}") from None
    except (UnicodeDecodeError, RecursionError):
        raise CannotImport(Place(str(path)), "is no JSON") from None
