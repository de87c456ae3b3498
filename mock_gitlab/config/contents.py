"""The files whose content is a value: they are named as seen from the file that declares them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .fields import refuse

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationInfo

MOST_CONTENT = 2**20
"""How many bytes a file may have that is a value."""


class Folder(NamedTuple):
    """The folder of the file that is read, and the files that it asks for, which are noted here."""

    path: Path
    files: list[Path]


def content_of(model: BaseModel, key: str, other: str, info: ValidationInfo) -> bytes | None:
    """Read the file that a key of a model names; None without the key.

    Raises:
        ValidationError: it cannot be read, or the key ``other`` gives the value too.
    """
    name = getattr(model, key)
    if name is None:
        return None
    both = other in model.model_fields_set and getattr(model, other) is not None
    content = f"cannot be combined with {other}" if both else _read(name, info.context)
    refuse(model, [((key,), content)] if isinstance(content, str) else [])
    return content if isinstance(content, bytes) else None


def _read(name: str, folder: Folder | None) -> bytes | str:
    """Read a file; text says why it cannot be read."""
    if folder is None:
        return "works only in files, not at run time"
    path = folder.path / name
    folder.files.append(path)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_CONTENT + 1)
    except (OSError, ValueError) as error:
        return f'cannot read "{name}": {getattr(error, "strerror", None) or error}'
    return content if len(content) <= MOST_CONTENT else f'"{name}" has more than 1 MiB'
