"""``init``: write the shipped mock.yaml, its scenarios, and their schemas into a folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command import SUCCESS, add_command, write_file
from .schema import schema_texts

if TYPE_CHECKING:
    import argparse
    from importlib.resources.abc import Traversable

_GALLERY = "scenarios/gallery.yaml"
_SCHEMA_LINE = re.compile(r"(\$schema=).*/(\w+\.schema\.json)")


def add(commands: Any) -> None:
    """Add the command to the parser."""
    help = "write a commented starter into a folder; existing files are kept"
    parser = add_command(commands, "init", run, help)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), help="the folder (the working directory)"
    )
    help = "write scenarios/gallery.yaml too: courses that programs often handle badly"
    parser.add_argument("--gallery", action="store_true", help=help)


def run(arguments: argparse.Namespace) -> int:
    """Write the files that are missing; a folder with a configuration gets no examples."""
    configuration = _existing_configuration(arguments.folder)
    for path in configuration:
        print(_kept(path))
    # An example beside a configuration would change what that means.
    files = {} if configuration else _examples()
    if arguments.gallery:
        files[_GALLERY] = _gallery()
    for name, text in (files | _schemas()).items():
        path = arguments.folder / name
        if path in configuration:
            continue
        if path.exists():
            print(_kept(path))
        else:
            write_file(path, text)
            print(f"wrote {path}")
    print("now run: mock-gitlab")
    return SUCCESS


def _kept(path: Path) -> str:
    return f"kept {path}, which exists"


def _existing_configuration(folder: Path) -> list[Path]:
    from mock_gitlab.config.loader import DEFAULT_CONFIG, DEFAULT_PATTERN

    files = [folder / DEFAULT_CONFIG, *sorted(folder.glob(DEFAULT_PATTERN))]
    return [path for path in files if path.exists()]


def _examples() -> dict[str, str]:
    """Return the texts of the starter by their paths; the files name the schemas beside them."""
    shipped = _shipped_files()
    files = {"mock.yaml": _with_schemas(shipped / "mock.yaml", "schemas")}
    for file in sorted((shipped / "scenarios").iterdir(), key=lambda each: each.name):
        files[f"scenarios/{file.name}"] = _with_schemas(file, "../schemas")
    return files


def _gallery() -> str:
    from mock_gitlab.config.gallery import gallery_file

    return _with_schemas(gallery_file(), "../schemas")


def _schemas() -> dict[str, str]:
    return {f"schemas/{name}": text for name, text in schema_texts().items()}


def _shipped_files() -> Traversable:
    """Find the shipped files: inside the installed package, or beside it in a checkout."""
    from importlib.resources import files

    inside = files("mock_gitlab") / "shipped"
    return inside if inside.is_dir() else Path(__file__).parents[2]


def _with_schemas(file: Traversable, folder: str) -> str:
    return _SCHEMA_LINE.sub(rf"\1{folder}/\2", file.read_text(encoding="utf-8"))
