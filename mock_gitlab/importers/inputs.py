"""``spec:inputs``, and ``$[[ inputs.x ]]`` in the content below."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from .document import LARGEST_FILES, YamlList, YamlMap
from .expressions import BadExpression, pattern
from .places import CannotImport, Place, short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .variables import Variables

_BLOCK = re.compile(r"\$\[\[\s*(.*?)\s*\]\]", re.DOTALL)
_ACCESS = re.compile(r"inputs\.([\w-]+)", re.ASCII)
_TRUNCATE = re.compile(r"truncate\(\s*([0-9]{1,6})\s*,\s*([0-9]{1,6})\s*\)", re.ASCII)
_LATER = "matrix."
"""What the copies of a job insert, not the inputs."""
_FUNCTIONS_LIMIT = 3
"""The most functions of one block, as in GitLab."""
_KEYS = {"default", "type", "options", "regex", "description", "rules"}


def interpolate(
    header: YamlMap | None,
    content: YamlMap,
    given: Mapping[str, Any],
    variables: Variables,
    place: Place,
) -> YamlMap:
    """Insert the inputs of a file into its content; without a header nothing is inserted.

    ``place`` is where the inputs are given.

    Raises:
        CannotImport: an input is missing, unknown or not as the header wants it.
    """
    spec = None if header is None else header.get("spec")
    if header is None or spec is None:
        if given:
            raise CannotImport(place, f"{_listed(given)}: the file has no spec:inputs")
        return content
    if not isinstance(spec, YamlMap):
        raise CannotImport(header.place_of("spec"), "spec must be a mapping")
    values = _values(spec, given, place)
    return _Interpolation(values, variables).mapping(content)


def not_read(header: YamlMap | None) -> Iterator[tuple[Place, str]]:
    """List what the header of a file says and is not read, each with its place."""
    spec = None if header is None else header.get("spec")
    if not isinstance(spec, YamlMap):
        return
    if spec.get("include") is not None:
        yield spec.place_of("include"), "spec:include: the inputs of other files are not read"
    declared = spec.get("inputs")
    for name, rules in declared.items() if isinstance(declared, YamlMap) else ():
        if isinstance(rules, YamlMap) and rules.get("rules") is not None:
            what = f"the input {short(name)}: rules choose neither options nor a default here"
            yield rules.place_of("rules"), what


def _values(spec: YamlMap, given: Mapping[str, Any], place: Place) -> dict[str, Any]:
    declared = spec.get("inputs")
    if declared is None:
        declared = YamlMap(spec.place)
    if not isinstance(declared, YamlMap):
        raise CannotImport(spec.place_of("inputs"), "spec:inputs must be a mapping")
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise CannotImport(place, f"{_listed(unknown)}: spec:inputs declares no such input")
    return {
        name: _value(name, rules, given, declared.place_of(name), place)
        for name, rules in declared.items()
    }


def _value(name: str, rules: Any, given: Mapping[str, Any], declared: Place, place: Place) -> Any:
    rules = YamlMap(declared) if rules is None else rules
    if not isinstance(rules, YamlMap) or not set(rules) <= _KEYS:
        raise CannotImport(declared, f"the input {short(name)} takes {', '.join(sorted(_KEYS))}")
    if name not in given and "default" not in rules:
        what = f"the input {short(name)} has no value (--input {short(name)}=...)"
        raise CannotImport(place, f"{what}; {declared} declares it without a default")
    place = place if name in given else declared
    kind = rules.get("type", "string")
    convert = _TYPES.get(kind) if isinstance(kind, str) else None
    if convert is None:
        raise CannotImport(declared, f"the input {short(name)}: type must be {', '.join(_TYPES)}")
    try:
        value = convert(given[name] if name in given else rules["default"])
    except ValueError:
        raise CannotImport(place, f"the input {short(name)} must be of type {kind}") from None
    _check(name, value, rules, place)
    return value


def _check(name: str, value: Any, rules: YamlMap, place: Place) -> None:
    options = rules.get("options")
    if isinstance(options, list) and value not in options:
        allowed = ", ".join(short(str(each)) for each in options[:20])
        raise CannotImport(place, f"the input {short(name)} must be one of: {allowed}")
    regex = rules.get("regex")
    if regex is None:
        return
    try:
        wanted = pattern(regex if str(regex).startswith("/") else f"/{regex}/")
    except BadExpression as error:
        raise CannotImport(rules.place_of("regex"), str(error)) from None
    if not wanted.finds(str(value)):
        raise CannotImport(place, f"the input {short(name)} does not match {short(str(regex))}")


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError


def _number(value: Any) -> int | float:
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII) else float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError


def _boolean(value: Any) -> bool:
    if value in ("true", "false"):
        return bool(value == "true")
    if isinstance(value, bool):
        return value
    raise ValueError


def _array(value: Any) -> list[Any]:
    if isinstance(value, str):
        value = _json(value)
    if isinstance(value, list):
        return value
    raise ValueError


def _json(text: str) -> Any:
    """Read a list that stands on the command line; its values have no place of their own."""

    def placed(value: Any) -> Any:
        if isinstance(value, list):
            return YamlList(Place("--input"), [(placed(each), Place("--input")) for each in value])
        if isinstance(value, dict):
            pairs = [(key, placed(each), Place("--input")) for key, each in value.items()]
            return YamlMap(Place("--input"), pairs)
        return value

    try:
        return placed(json.loads(text))
    except RecursionError:
        raise ValueError from None


_TYPES: Mapping[str, Callable[[Any], Any]] = {
    "string": _string,
    "number": _number,
    "boolean": _boolean,
    "array": _array,
}


def _listed(names: Any) -> str:
    return ", ".join(short(name) for name in list(names)[:20])


class _Interpolation:
    """Replaces the blocks in a tree; what aliases share stays shared."""

    def __init__(self, values: Mapping[str, Any], variables: Variables) -> None:
        self._inputs = values
        self._variables = variables
        self._made: dict[int, Any] = {}
        self._size = 0

    def mapping(self, written: YamlMap) -> YamlMap:
        """Interpolate the keys and values of a mapping."""
        made = YamlMap(written.place)
        for key, value in written.items():
            at = written.places[key]
            made.put(str(self._text(key, at)), self._any(value, at), at)
        return made

    def _any(self, value: Any, place: Place) -> Any:
        if isinstance(value, str):
            return self._text(value, place)
        if not isinstance(value, list | dict):
            return value
        if id(value) not in self._made:
            made = self.mapping(value) if isinstance(value, YamlMap) else self._list(value)
            self._made[id(value)] = made
        return self._made[id(value)]

    def _list(self, written: Any) -> YamlList:
        pairs = zip(written, written.places, strict=True)
        return YamlList(written.place, ((self._any(each, at), at) for each, at in pairs))

    def _text(self, text: str, place: Place) -> Any:
        """Replace the blocks in a text. A text that is one block becomes the value itself."""
        if "$[[" not in text:
            return text
        whole = _BLOCK.fullmatch(text)
        if whole and text.count("$[[") == 1:
            return self._block(whole[1], place)
        made = _BLOCK.sub(lambda found: _as_text(self._block(found[1], place)), text)
        self._size += len(made)
        if self._size > LARGEST_FILES:
            raise CannotImport(place, "the inputs make this file too large")
        return made

    def _block(self, block: str, place: Place) -> Any:
        access, *functions = (part.strip() for part in block.split("|"))
        if access.startswith(_LATER):
            return f"$[[ {block} ]]"
        found = _ACCESS.fullmatch(access)
        if found is None or found[1] not in self._inputs:
            raise CannotImport(place, f"$[[ {short(access)} ]] names no input of spec:inputs")
        if len(functions) > _FUNCTIONS_LIMIT:
            raise CannotImport(place, f"more than {_FUNCTIONS_LIMIT} functions in $[[ ]]")
        value = self._inputs[found[1]]
        for function in functions:
            value = self._apply(function, value, place)
        return value

    def _apply(self, function: str, value: Any, place: Place) -> str:
        cut = _TRUNCATE.fullmatch(function)
        if cut is None and function not in ("expand_vars", "posix_escape"):
            raise CannotImport(place, f"$[[ ]] knows no function {short(function)}")
        if not isinstance(value, str):
            raise CannotImport(place, f"{short(function)} takes text only")
        if cut is not None:
            return value[int(cut[1]) : int(cut[1]) + int(cut[2])]
        if function == "expand_vars":
            return self._variables.expand(value)
        return re.sub(r"([^A-Za-z0-9_\-.,:+/@\n])", r"\\\1", value) or "''"


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
