"""Decode YAML text, and explain in plain words why text is not YAML."""

from __future__ import annotations

import re
from typing import Any

import yaml

from .diagnostics import ConfigurationError, Mistake

LARGEST_FILE = 8 * 1024 * 1024
"""The most bytes in one file."""
DEEPEST = 60
"""The most mappings and lists inside one another."""
_EXPLAINED = 100_000
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def decode(raw: bytes, file: str) -> str:
    """Decode the bytes of a file.

    Raises:
        ConfigurationError: they are too many, or not the text that YAML allows.
    """
    if len(raw) > LARGEST_FILE:
        what = f"the file is larger than {LARGEST_FILE // 1024 // 1024} MiB"
        raise ConfigurationError([Mistake(file, 1, 1, "", what)])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace")
        what = f"the byte 0x{raw[error.start]:02x} is not UTF-8"
        raise ConfigurationError([_at(file, before, what)]) from None
    bad = _FORBIDDEN.search(text)
    if bad is not None:
        what = f"the character U+{ord(bad[0]):04X} is not allowed in YAML"
        raise ConfigurationError([_at(file, text[: bad.start()], what)])
    return text


def _at(file: str, before: str, what: str) -> Mistake:
    line = before.count("\n") + 1
    return Mistake(file, line, len(before) - before.rfind("\n"), "", what)


def syntax_mistake(text: str, file: str, error: yaml.YAMLError) -> Mistake:
    """Explain an error of the parser.

    The messages of the pure Python parser are better, but it is slow, so it only reads short text.
    """
    assert isinstance(error, yaml.MarkedYAMLError)
    too_deep = "maximum nesting" in str(error.problem)  # newer parsers have a limit of their own
    if len(text) <= _EXPLAINED and not too_deep:
        try:
            for _ in yaml.parse(text, Loader=yaml.SafeLoader):
                pass
        except yaml.MarkedYAMLError as better:
            error = better
    mark, what = _explain(error, text)
    if too_deep:
        what = f"more than {DEEPEST} levels of nesting"
    lines = text.splitlines()[max(0, mark.line - 1) : mark.line + 1]
    if any("\xa0" in line for line in lines):
        what += "; a non-breaking space (U+00A0) stands here, use plain spaces"
    if mark.index >= len(text):
        return _at(file, text.rstrip("\n"), what)
    return Mistake(file, mark.line + 1, mark.column + 1, "", what)


def _explain(error: yaml.MarkedYAMLError, text: str) -> tuple[Any, str]:
    mark = error.problem_mark
    assert mark is not None
    problem, context = str(error.problem), str(error.context)
    if "cannot start any token" in problem:
        return mark, _bad_start(text[mark.index : mark.index + 1])
    if "end of stream" in problem and error.context_mark and "quoted" in context:
        return error.context_mark, "the quote that opens here is never closed"
    if "flow" in context and error.context_mark:
        if "${" in text[: mark.index + 1].rpartition("\n")[2]:
            return mark, "inside [ ] or { }, text with ${...} must be quoted"
        kind = "[" if "sequence" in context else "{"
        begin = error.context_mark.line + 1
        return mark, f'a comma or the end of the "{kind}" of line {begin} is missing'
    if "alphabetic or numeric" in problem:
        sign = text[mark.index - 1 : mark.index]
        return mark, f'text that begins with "{sign}" must be quoted, such as "{sign}"'
    for words, what in _PROBLEMS.items():
        if words in problem:
            return mark, what
    return mark, f"this is not YAML: {problem}"


def _bad_start(character: str) -> str:
    if character == "\t":
        return "a tab may not indent; use spaces"
    return f'text that begins with "{character}" must be quoted'


_PROBLEMS = {
    "mapping values are not allowed": 'unexpected ":"; check the indentation, or quote the text',
    "found unexpected ':'": 'unexpected ":"; check the indentation, or quote the text',
    "found a tab": "a tab may not indent; use spaces",
    "expected ':'": 'a ":" is missing after the key',
    "block end": "the indentation does not match the lines above",
    "did not find expected": "the indentation does not match the lines above",
    "undefined tag handle": "tags are not supported; text with ! must be quoted",
}
