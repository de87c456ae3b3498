"""``check``: report the mistakes in the files, as text, as JSON or as GitHub annotations."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .command import MISTAKES, SUCCESS, add_command, add_config_option, config_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from mock_gitlab.config.diagnostics import Mistake
    from mock_gitlab.config.loader import Loaded

    Report = Callable[[Sequence[Mistake], Loaded | None], None]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "check", run, "check the files without serving them")
    add_config_option(parser)
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        default="text",
        help="how to print the result (github: annotations for a workflow)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Check the configuration and all the files that it names, and print the result."""
    from mock_gitlab.config.diagnostics import ConfigurationError, Mistake
    from mock_gitlab.config.loader import load

    path, named = config_path(arguments)
    report = _REPORTS[arguments.format]
    try:
        loaded = load(path, os.environ, must_exist=named)
    except ConfigurationError as error:
        report(error.mistakes, None)
        return MISTAKES
    if not loaded.files:  # a commit hook that runs in the wrong folder must fail
        what = "there is no such file, and there are no scenarios/*.yaml"
        report([Mistake(str(path), 1, 1, "", what)], None)
        return MISTAKES
    report((), loaded)
    return SUCCESS


def _as_text(mistakes: Sequence[Mistake], loaded: Loaded | None) -> None:
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    if loaded is None:
        return
    for each in loaded.warnings:
        place = f"{each.file}:{each.line}:{each.column}"
        print(f"{place}: warning: {each.where}: {each.what}", file=sys.stderr)
    for source, count in loaded.scenario_counts.items():
        print(f"scenarios: {count} from {source}")
    for name in ("rules", "faults", "projects"):
        print(f"{name}: {len(getattr(loaded.declarations, name))}")
    print("no mistakes")


def _as_json(mistakes: Sequence[Mistake], loaded: Loaded | None) -> None:
    result = {
        "ok": loaded is not None,
        "mistakes": [asdict(mistake) for mistake in mistakes],
        "warnings": [asdict(warning) for warning in loaded.warnings] if loaded else [],
        "files": [str(file) for file in loaded.files] if loaded else [],
        "scenarios": loaded.scenario_counts if loaded else {},
    }
    print(json.dumps(result, indent=2))


def _as_annotations(mistakes: Sequence[Mistake], loaded: Loaded | None) -> None:
    for kind, reported in (("error", mistakes), ("warning", loaded.warnings if loaded else ())):
        for each in reported:
            message = _escaped(f"{each.where}: {each.what}" if each.where else each.what)
            file = _escaped(each.file).replace(":", "%3A").replace(",", "%2C")
            print(f"::{kind} file={file},line={each.line},col={each.column}::{message}")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


_REPORTS: dict[str, Report] = {"text": _as_text, "json": _as_json, "github": _as_annotations}
