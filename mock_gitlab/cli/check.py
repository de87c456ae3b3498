"""``check``: report the mistakes in the files, as text, as JSON or as GitHub annotations."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command import MISTAKES, SUCCESS, add_command, add_config_option, config_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from mock_gitlab.config.diagnostics import Mistake
    from mock_gitlab.config.loader import Loaded
    from mock_gitlab.engine.model import Declarations

    Report = Callable[["_Found"], None]

_LISTED = 20


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "check", run, "check the files without serving them")
    add_config_option(parser)
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="further files to check, each by itself unless the configuration names it",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        default="text",
        help="how to print the result (github: annotations for a workflow)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Check the configuration and the files that it names, then the other files."""
    from mock_gitlab.config.advice import unread_files
    from mock_gitlab.config.diagnostics import Mistake

    path, named = config_path(arguments)
    found = _Found()
    found.load(path, must_exist=named)
    for file in arguments.files:
        if file.absolute() not in found.read:
            found.load(file, must_exist=True)
    if not (found.read or found.mistakes):  # a commit hook that runs in the wrong folder must fail
        what = "there is no such file, and there are no scenarios/*.yaml"
        found.mistakes += [Mistake(str(path), 1, 1, "", what), *unread_files(path, scenarios=True)]
    _REPORTS[arguments.format](found)
    return MISTAKES if found.mistakes else SUCCESS


class _Found:
    """What was loaded, and the mistakes; ``read`` are the full paths of the files."""

    def __init__(self) -> None:
        self.loaded: list[Loaded] = []
        self.mistakes: list[Mistake] = []
        self.read: set[Path] = set()

    def load(self, path: Path, *, must_exist: bool) -> None:
        """Load a file; one of scenarios alone is a configuration too."""
        from mock_gitlab.config.diagnostics import ConfigurationError
        from mock_gitlab.config.loader import load

        try:
            loaded = load(path, os.environ, must_exist=must_exist)
        except ConfigurationError as error:
            self.mistakes += error.mistakes
            files = error.files
        else:
            files = loaded.files
            self.loaded += [loaded] if files else []
        self.read |= {file.absolute() for file in files}

    @property
    def warnings(self) -> list[Mistake]:
        """All warnings, if there is no mistake."""
        return [] if self.mistakes else [each for one in self.loaded for each in one.warnings]

    @property
    def scenario_counts(self) -> dict[str, int]:
        """The numbers of scenarios by file."""
        counts = [] if self.mistakes else [one.scenario_counts for one in self.loaded]
        return {place: count for each in counts for place, count in each.items()}

    def count(self, name: str) -> int:
        """Count declarations of a kind."""
        return sum(len(getattr(one.declarations, name)) for one in self.loaded)


def _as_text(found: _Found) -> None:
    from mock_gitlab.config.scalars import as_written

    from .banner import scenario_lines

    for mistake in found.mistakes:
        print(mistake, file=sys.stderr)
    for each in found.warnings:
        place = f"{each.file}:{each.line}:{each.column}"
        where = f"{each.where}: " if each.where else ""
        print(f"{place}: warning: {where}{each.what}", file=sys.stderr)
    if found.mistakes:
        return
    for line in scenario_lines(found.scenario_counts):
        print(line)
    for name in ("faults", "projects", *(["pipelines"] if found.count("pipelines") else ())):
        print(f"{name}: {found.count(name)}")
    for loaded in found.loaded:
        for line in _rules_of(loaded.declarations):
            print(as_written(line, loaded.declarations.variables))
    print("no mistakes")


def _rules_of(declared: Declarations) -> Iterator[str]:
    """Say what each rule picks, and which scenarios of the files nothing picks."""
    from .picks import rule_lines, unpicked

    if not declared.rules:
        return
    yield f"rules: {len(declared.rules)}, the first that matches picks:"
    yield from rule_lines(declared)
    rest = [f"{each.scenario.scenario_id} ({each.scenario.name})" for each in unpicked(declared)]
    if rest:
        more = f" and {len(rest) - _LISTED} more" if len(rest) > _LISTED else ""
        yield f"picked by none of them: {', '.join(rest[:_LISTED])}{more}"


def _as_json(found: _Found) -> None:
    files = [] if found.mistakes else [str(file) for one in found.loaded for file in one.files]
    result = {
        "ok": not found.mistakes,
        "mistakes": [asdict(mistake) for mistake in found.mistakes],
        "warnings": [asdict(warning) for warning in found.warnings],
        "files": files,
        "scenarios": found.scenario_counts,
    }
    print(json.dumps(result, indent=2))


def _as_annotations(found: _Found) -> None:
    for kind, reported in (("error", found.mistakes), ("warning", found.warnings)):
        for each in reported:
            message = _escaped(f"{each.where}: {each.what}" if each.where else each.what)
            file = _escaped(each.file).replace(":", "%3A").replace(",", "%2C")
            print(f"::{kind} file={file},line={each.line},col={each.column}::{message}")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


_REPORTS: dict[str, Report] = {"text": _as_text, "json": _as_json, "github": _as_annotations}
