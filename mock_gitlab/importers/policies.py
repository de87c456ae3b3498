"""``only`` and ``except``: the conditions of jobs from before there were rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .conditions import Situation, texts
from .document import YamlList, YamlMap, place_of
from .expressions import BadExpression, pattern
from .places import CannotImport, Place, short

if TYPE_CHECKING:
    from .variables import Variables

_DEFAULT = ["branches", "tags"]
_KEYS = {"refs", "variables", "changes", "kubernetes"}


def policies_hold(
    job: YamlMap, variables: Variables, situation: Situation, *, by_default: bool
) -> bool:
    """Return whether ``only`` and ``except`` let a job be.

    ``by_default`` is whether a job without ``only`` runs for branches and tags alone.

    Raises:
        CannotImport: one of them is not as GitLab wants it.
    """
    only, excluded = job.get("only"), job.get("except")
    if only is None and not by_default:
        wanted = [True]
    else:
        place = job.place_of("only")
        wanted = _conditions(_mapping(only, _DEFAULT), variables, situation, place)
    if not all(wanted):
        return False
    if excluded is None:
        return True
    place = job.place_of("except")
    return not any(_conditions(_mapping(excluded, None), variables, situation, place))


def _mapping(written: Any, refs: list[str] | None) -> dict[str, Any]:
    """Give a policy as a mapping; a list or a text means refs."""
    if isinstance(written, YamlMap):
        unknown = [key for key in written if key not in _KEYS]
        if unknown:
            raise CannotImport(written.places[unknown[0]], f"{short(unknown[0])} is no condition")
        given = {key: value for key, value in written.items() if value is not None}
        return given if refs is None else {"refs": refs, **given}
    return {"refs": refs if written is None else written}


def _conditions(
    policy: dict[str, Any], variables: Variables, situation: Situation, place: Place
) -> list[bool]:
    found = []
    if "refs" in policy:
        found.append(_refs(_texts(policy["refs"], "refs", place), situation, place))
    if "variables" in policy:
        expressions = _texts(policy["variables"], "variables", place)
        found.append(any(situation.evaluate(text, variables, place) for text in expressions))
    if "changes" in policy:
        changes = _texts(policy["changes"], "changes", place)
        found.append(situation.changed(changes, variables))
    if "kubernetes" in policy:
        situation.notes.add(place, "kubernetes: whether there is a cluster is not known")
        found.append(True)
    return found


def _texts(written: Any, what: str, place: Place) -> list[str]:
    plain = isinstance(written, list) and not isinstance(written, YamlList)
    return written if plain else texts(written, what, place_of(written, place))


def _refs(patterns: list[str], situation: Situation, place: Place) -> bool:
    return any(_ref_matches(each, situation, place) for each in patterns)


def _ref_matches(written: str, situation: Situation, place: Place) -> bool:
    request = situation.request
    name, _, path = written.partition("@")
    if path and path != request.project_path:
        return False
    source = request.source.removesuffix("_event")
    if (
        name in (source, _plural(source))
        or (name == "branches" and request.branch)
        or (name == "tags" and request.tag)
    ):
        return True
    if not name.startswith("/"):
        return name == request.ref
    try:
        return pattern(name).finds(request.ref)
    except BadExpression as error:
        raise CannotImport(place, str(error)) from None


def _plural(source: str) -> str:
    if source.endswith(("sh", "x", "s")):
        return f"{source}es"
    return f"{source}s"
