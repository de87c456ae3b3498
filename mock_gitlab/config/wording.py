"""What is wrong with a value, in plain words and at its place."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

    from .places import Document, Mistake, Steps

_WHAT = {
    "missing": "is missing",
    "string_type": "must be text, not {got}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have {max_length} characters at most",
    "string_unicode": "is no valid Unicode text",
    "int_type": "must be a whole number, not {got}",
    "int_parsing_size": "is too large a number",
    "float_type": "must be a number, not {got}",
    "bool_type": "must be true or false, not {got}",
    "list_type": "must be a list, not {got}",
    "dict_type": "must be a mapping, not {got}",
    "model_type": "must be a mapping, not {got}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "too_short": "must not be empty",
    "too_long": "must have {max_length} entries at most",
    "mistake": "{what}",
}


def mistakes_of(
    error: ValidationError, model: type[BaseModel], document: Document, base: Steps = ()
) -> Iterator[Mistake]:
    """Put pydantic's errors into words, but for those at values that were told of already.

    ``base`` is the path in the document of what was validated as ``model``.
    """
    for each in error.errors(include_url=False, include_context=True):
        inner = _path(each)
        if document.broken((*base, *inner)):
            continue
        if each["type"] == "extra_forbidden":
            what = unknown(str(inner[-1]), _fields_at(model, inner[:-1]))
            yield document.mistake((*base, *inner), what, at_key=True)
        else:
            at_key = "[key]" in each["loc"]
            yield document.mistake((*base, *inner), _in_words(each), at_key=at_key)


def unknown(name: str, allowed: Iterable[str]) -> str:
    """Say that a key is not known, and which one may be meant."""
    hint = nearest(name, allowed)
    return "is no known key" + (f"; did you mean {hint}?" if hint else "")


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """Find the allowed name that is nearest to what was written."""
    found = get_close_matches(name.lower()[:100], sorted(allowed), n=1, cutoff=0.6)
    return found[0] if found else None


def kind(value: Any) -> str:
    """Say what a value is: ``the text "x"``, ``the number 3``, ``a list``."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'the text "{value}"' if len(value) <= 40 else f'the text "{value[:40]}..."'
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a list" if isinstance(value, list) else "a mapping"


def _path(error: ErrorDetails) -> Steps:
    return tuple(step for step in error["loc"] if not str(step).startswith("~") and step != "[key]")


def _in_words(error: ErrorDetails) -> str:
    got, context = error["input"], error.get("ctx", {})
    if error["type"] == "literal_error":
        return _no_choice(got, context)
    template = _WHAT.get(error["type"])
    if template is None:
        return error["msg"]
    return template.format(got=kind(got), **context)


def _no_choice(got: Any, context: Mapping[str, Any]) -> str:
    allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
    one_of = f"one of {', '.join(allowed)}" if len(allowed) > 1 else allowed[0]
    hint = nearest(got, allowed) if isinstance(got, str) else None
    return f"must be {one_of}, not {kind(got)}" + (f"; did you mean {hint}?" if hint else "")


def _fields_at(model: type[BaseModel], path: Steps) -> set[str]:
    """Name the keys that are allowed where a path into a model leads."""
    models = {model}
    for step in path:
        inside = [m.model_fields[step] for m in models if step in m.model_fields]
        if inside:
            models = {m for field in inside for m in _models_in(field.annotation)}
    return {name for each in models for name in each.model_fields}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
