"""Turn pydantic's errors into mistakes with a place and plain words."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from .diagnostics import MISTAKES_LIMIT, Document, Mistake, Steps, short
from .fields import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails

_WHAT = {
    "missing": "is missing",
    "string_type": "must be text, not {got}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have {max_length} characters at most",
    "int_type": "must be a whole number, not {got}",
    "int_parsing": "must be a whole number, not {got}",
    "int_parsing_size": "is too large a number",
    "finite_number": "must be a finite number",
    "float_type": "must be a number, not {got}",
    "bool_type": "must be true or false, not {got}",
    "list_type": "must be a list, not {got}",
    "dict_type": "must be a mapping, not {got}",
    "model_type": "must be a mapping, not {got}",
    "model_attributes_type": "must be a mapping, not {got}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "too_short": "must not be empty",
    "too_long": "must have {max_length} entries at most",
}
_RUNS_NOTHING = "the mock runs nothing; duration and status say how the job goes, trace is its log"
_IMPORT = "mock-gitlab import makes scenarios of a .gitlab-ci.yml"
_DECIDED = f"when says when a job runs; {_IMPORT}, with its rules decided"
_MENDS = {
    "script": _RUNS_NOTHING,
    "before_script": _RUNS_NOTHING,
    "after_script": _RUNS_NOTHING,
    "image": _RUNS_NOTHING,
    "services": _RUNS_NOTHING,
    "cache": _RUNS_NOTHING,
    "deployment_tier": "it is called tier",
    "rules": _DECIDED,
    "only": _DECIDED,
    "except": _DECIDED,
    "include": _IMPORT,
    "default": _IMPORT,
    "workflow": _IMPORT,
    "extends": "anchors and << take over keys of another job",
    "branch": "a branch or tag is called ref",
}
"""What to do about keys that people know from GitLab, by name."""
_NO_STEPS = (
    "~glob",
    "~import",
    "~list",
    "~mapping",
    "~one",
    "~present",
    "~scenario",
    "~text",
    "[key]",
)
"""The steps in pydantic's paths that are neither keys nor indexes: tags of alternatives."""
_MANY = 8
"""The most choices that a message lists."""
_STAND_INS: dict[str | int, Any] = {"scenario_id": 0, "name": "?"}
"""Replacements for wrong values of keys that must not be missing."""


def mistakes_of(
    error: ValidationError, model: type[BaseModel], document: Document
) -> list[Mistake]:
    """List the mistakes behind pydantic's errors, except at values with a known mistake.

    Pydantic looks for contradictions only in models without other errors. So the document is
    validated again without the values that were refused, and contradictions are added.
    """
    first = error.errors(include_url=False)[:MISTAKES_LIMIT]
    refused = [_path(each) for each in first]
    errors = [*first, *_more_contradictions(refused, model, document.value)]
    return [_mistake(each, model, document) for each in errors if not document.broken(_path(each))]


def _mistake(error: ErrorDetails, model: type[BaseModel], document: Document) -> Mistake:
    path = _path(error)
    secret = document.node(path).secret
    _, what = explain(error, model, secret=secret)
    if secret:
        what = what.partition("; did you mean")[0]  # what is similar tells of it too
    at_key = error["type"] == "extra_forbidden" or "[key]" in error["loc"][-1:]
    return document.mistake(path, what, at_key=at_key, quoting=error["type"] == "mistake")


def explain(
    error: ErrorDetails, model: type[BaseModel], *, secret: bool = False
) -> tuple[Steps, str]:
    """Return the path of a wrong value, and what is wrong with it; a secret one is not quoted."""
    path = _path(error)
    if error["type"] == "extra_forbidden":
        return path, _unknown_at(str(path[-1]), path, model, error["input"])
    return path, _message(error, _secret_kind if secret else kind)


def _more_contradictions(
    refused: Sequence[Steps], model: type[BaseModel], value: Any
) -> list[ErrorDetails]:
    rest = copy.deepcopy(value)
    for path in refused:
        _remove(rest, path)
    try:
        model.model_validate(rest)
    except ValidationError as error:
        return [
            each
            for each in error.errors(include_url=False)
            if each["type"] == "mistake" and not _near(_path(each), refused)
        ]
    return []


def _remove(value: Any, path: Steps) -> None:
    """Remove the nearest key at or above a path, since an entry of a list cannot go alone."""
    last = max((at for at, step in enumerate(path) if isinstance(step, str)), default=None)
    if last is None:
        return
    for step in path[:last]:
        value = value.get(step) if isinstance(value, dict) else value and value[step]
    if isinstance(value, dict) and path[last] in _STAND_INS:
        value[path[last]] = _STAND_INS[path[last]]
    elif isinstance(value, dict):
        value.pop(path[last], None)


def _near(path: Steps, refused: Sequence[Steps]) -> bool:
    """Return whether a contradiction may exist only because a value was removed."""
    return any(_is_near(path, other) for other in refused)


def _is_near(path: Steps, other: Steps) -> bool:
    jobs = path.index("jobs") + 1 if "jobs" in path else 0
    if jobs and other[:jobs] == path[:jobs] and other[-1] in ("name", "parallel"):
        return True
    return other[: len(path) - 1] == path[:-1]


def _unknown_at(name: str, path: Steps, model: type[BaseModel], value: Any) -> str:
    allowed = _fields_at(model, path[:-1])
    if "\xa0" in name:
        return "contains a non-breaking space (U+00A0); use plain spaces"
    if name in _MENDS:
        return f"is not a known key; {_MENDS[name]}"
    if "when" in allowed and name in _fields_at(model, (*path[:-1], "when")):
        return f"is not a known key here; it belongs under when: {{{name}: ...}}"
    hint = did_you_mean(name, allowed)
    if len(path) == 1 and not hint and isinstance(value, dict | list):
        return f'is not a known key; "x-{short(name)}" would be a template, which is ignored'
    return unknown(name, allowed)


def unknown(name: str, allowed: Iterable[str]) -> str:
    """Return the message for an unknown key, with the key that is probably meant."""
    return f"is not a known key{did_you_mean(name, allowed)}"


def kind(value: Any) -> str:
    """Describe a value: ``the text "x"``, ``the number 3``, ``a list``."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'the text "{short(value)}"'
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a list" if isinstance(value, list) else "a mapping"


def _secret_kind(value: Any) -> str:
    """Describe a value that may not be shown."""
    if isinstance(value, bool) or value is None:
        return "this value"
    return "this text" if isinstance(value, str) else "this number"


def _path(error: ErrorDetails) -> Steps:
    *above, last = error["loc"] or ("",)
    path = tuple(step for step in above if step not in _NO_STEPS)
    kept = error["type"] == "extra_forbidden" or last not in ("", *_NO_STEPS)
    return (*path, last) if kept else path


def _message(error: ErrorDetails, describe: Callable[[Any], str]) -> str:
    got, context = error["input"], error.get("ctx", {})
    if error["type"] == "literal_error":
        return _no_choice(got, context, describe)
    if error["type"] not in _WHAT:
        return error["msg"]
    if error["type"] == "too_long" and isinstance(got, str):
        return f"must have {context['max_length']} characters at most"
    numbers = {name: f"{n:.15g}" if isinstance(n, float) else n for name, n in context.items()}
    what = _WHAT[error["type"]].format(got=describe(got), **numbers)
    quotable = error["type"] == "string_type" and isinstance(got, bool | int | float)
    return f"{what}; quote it" if quotable else what


def _no_choice(got: Any, context: Mapping[str, Any], describe: Callable[[Any], str]) -> str:
    allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
    quoted = isinstance(got, str) and describe is kind
    hint = did_you_mean(got, allowed) if quoted else ""
    if len(allowed) > _MANY:
        what = f"must be one of the words that the schema lists, not {describe(got)}"
    elif len(allowed) > 1:
        what = f"must be one of {', '.join(allowed)}, not {describe(got)}"
    else:
        what = f"must be {allowed[0]}, not {describe(got)}"
    return what + hint


def _fields_at(model: type[BaseModel], path: Steps) -> set[str]:
    """Return the keys that are allowed at a path of a model."""
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
