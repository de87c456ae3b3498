"""``schema``: print the JSON Schema of a file, or write the schemas of all files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command import SUCCESS, add_command, write_file

if TYPE_CHECKING:
    import argparse

_KINDS = ("mock", "scenario")


def add(commands: Any) -> None:
    """Add the command to the parser."""
    help = "print the JSON Schema of a file, or write both schemas into a folder"
    parser = add_command(commands, "schema", run, help)
    parser.add_argument(
        "kind",
        nargs="?",
        choices=_KINDS,
        default="mock",
        help="the file: mock.yaml (the default), or a file of scenarios",
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write both")


def run(arguments: argparse.Namespace) -> int:
    """Print one schema, or write both."""
    texts = schema_texts()
    if arguments.output is None:
        print(texts[f"{arguments.kind}.schema.json"], end="")
        return SUCCESS
    for name, text in texts.items():
        path = arguments.output / name
        write_file(path, text)
        print(f"wrote {path}")
    return SUCCESS


def schema_texts() -> dict[str, str]:
    """Return the text of each schema by its file name."""
    import json

    from mock_gitlab.config.schema import mock_schema, scenario_schema

    made = zip(_KINDS, (mock_schema(), scenario_schema()), strict=True)
    return {f"{kind}.schema.json": json.dumps(schema, indent=2) + "\n" for kind, schema in made}
