"""What is right and wrong in the files, told to people, machines and GitHub."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from mock_gitlab.config.diagnostics import ConfigurationError, Mistake
from mock_gitlab.config.loader import Loaded, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def check(path: Path, environ: Mapping[str, str], *, must_exist: bool, form: str) -> bool:
    """Check a configuration and all that it names, print what was found; tell if all is well.

    ``form`` is one of "text", "json" and "github".
    """
    tell = _FORMS[form]
    try:
        loaded = load(path, environ, must_exist=must_exist)
    except ConfigurationError as error:
        tell(error.mistakes, (), None)
        return False
    if not loaded.files:  # a hook that looks in the wrong folder is not to pass
        nothing = Mistake(str(path), 1, 1, "", "is not here, nor any scenarios/*.yaml")
        tell((nothing,), (), None)
        return False
    tell((), loaded.warnings, loaded)
    return True


def _as_text(
    mistakes: Sequence[Mistake], warnings: Sequence[Mistake], loaded: Loaded | None
) -> None:
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    for each in warnings:
        said = f"warning: {each.where}: {each.what}"
        print(f"{each.file}:{each.line}:{each.column}: {said}", file=sys.stderr)
    if loaded is not None:
        for place, count in loaded.scenario_counts.items():
            print(f"scenarios: {count} from {place}")
        declared = loaded.declarations
        for name in ("rules", "faults", "projects"):
            print(f"{name}: {len(getattr(declared, name))}")
        print("no mistakes")


def _as_json(
    mistakes: Sequence[Mistake], warnings: Sequence[Mistake], loaded: Loaded | None
) -> None:
    found = {
        "ok": loaded is not None,
        "mistakes": [_as_dict(mistake) for mistake in mistakes],
        "warnings": [_as_dict(warning) for warning in warnings],
        "files": [] if loaded is None else [str(file) for file in loaded.files],
        "scenarios": {} if loaded is None else loaded.scenario_counts,
    }
    print(json.dumps(found, indent=2))


def _as_dict(mistake: Mistake) -> dict[str, Any]:
    names = ("file", "line", "column", "where", "what")
    return {name: getattr(mistake, name) for name in names}


def _as_annotations(
    mistakes: Sequence[Mistake], warnings: Sequence[Mistake], _: Loaded | None
) -> None:
    for kind, found in (("error", mistakes), ("warning", warnings)):
        for each in found:
            said = f"{each.where}: {each.what}" if each.where else each.what
            file = _escaped(each.file).replace(":", "%3A").replace(",", "%2C")
            print(f"::{kind} file={file},line={each.line},col={each.column}::{_escaped(said)}")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


_FORMS = {"text": _as_text, "json": _as_json, "github": _as_annotations}
