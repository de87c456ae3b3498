"""The jobs of a configuration: what they inherit, their stages, and their copies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from .conditions import Situation, texts
from .document import YamlList, YamlMap, place_of
from .places import CannotImport, Place, short
from .variables import Variables, read_variables, scalar_text

if TYPE_CHECKING:
    from collections.abc import Iterator

COPIES_LIMIT = 200
"""The most copies of one job, as in GitLab."""
JOBS_LIMIT = 999
"""The most jobs of a scenario."""
NAME_LIMIT = 255
_MATRIX = re.compile(r"\$\[\[\s*matrix\.(\w+)\s*\]\]", re.ASCII)
_STAGES = ["build", "test", "deploy"]
_TOP = {
    "after_script", "before_script", "cache", "default", "image", "include", "services", "spec",
    "stages", "types", "variables", "workflow",
}  # fmt: skip
_DEFAULTS = ("artifacts", "interruptible", "retry", "tags")
"""What jobs inherit from ``default`` and a scenario can say; ``timeout`` has no effect there."""
_ACTIONS = ("script", "run", "trigger", "needs")


@dataclass(frozen=True, slots=True)
class Instance:
    """A job, or one of its copies. ``group`` is the name without what marks the copy.

    ``variables`` are those that the file gives it, without those of the pipeline; ``copies`` is how
    many copies its job has, and ``matrix`` what marks this one.
    """

    name: str
    group: str
    config: YamlMap
    stage: str
    place: Place
    variables: Variables
    copies: int
    matrix: Variables


def stages_of(configuration: YamlMap) -> list[str]:
    """Give the stages in order, ``.pre`` and ``.post`` at the ends.

    Raises:
        CannotImport: they are no list of names.
    """
    written = configuration.get("stages") or configuration.get("types")
    if written is None:
        return [".pre", *_STAGES, ".post"]
    named = dict.fromkeys(texts(written, "stages", configuration.place_of("stages")))
    return [".pre", *(name for name in named if name not in (".pre", ".post")), ".post"]


def instances(
    configuration: YamlMap, stages: list[str], root: Variables, situation: Situation
) -> list[Instance]:
    """List all jobs that a configuration has, each copy by itself; ``root`` are its variables.

    ``stages`` gets the stages of jobs whose stages may be listed in a file that is not read.

    Raises:
        CannotImport: a job is not as GitLab wants it, or there are too many.
    """
    found: list[Instance] = []
    for name, config in configuration.items():
        place = configuration.places[name]
        if name in _TOP or name.startswith("."):
            continue
        _check(name, config, place, situation)
        config = _with_defaults(config, configuration)
        _check_stage(name, config, stages, situation)
        found += _copies(name, config, root, place)
        if len(found) > 4 * JOBS_LIMIT:
            raise CannotImport(place, f"more than {4 * JOBS_LIMIT} jobs")
    return found


def _check(name: str, config: Any, place: Place, situation: Situation) -> None:
    if not isinstance(config, YamlMap):
        raise CannotImport(place, f"{short(name)} is neither a known key nor a job")
    if all(config.get(key) is None for key in _ACTIONS):
        situation.missing(place, f"the job {short(name)} has no script, run or trigger")
    if not name.strip():
        raise CannotImport(place, "a job needs a name")
    rules = config.get("rules")
    for key in ("only", "except"):
        if rules is not None and config.get(key) is not None:
            what = f"the job {short(name)} has rules, so it may not have {key}"
            raise CannotImport(config.place_of(key), what)
    if rules == []:
        raise CannotImport(config.place_of("rules"), f"the rules of {short(name)} are empty")


def _with_defaults(config: YamlMap, configuration: YamlMap) -> YamlMap:
    default = configuration.get("default")
    if default is None:
        return config
    if not isinstance(default, YamlMap):
        raise CannotImport(configuration.place_of("default"), "default must be a mapping")
    if config.get("trigger") is not None:  # a bridge takes nothing of it that matters here
        return config
    allowed = _inherited(config, "default")
    made = config.copied()
    for key in _DEFAULTS:
        wanted = allowed is True or (allowed and key in allowed)
        if wanted and config.get(key) is None and default.get(key) is not None:
            made.put(key, default[key], default.places[key])
    return made


def _inherited(config: YamlMap, key: str) -> bool | list[str]:
    """Tell what ``inherit`` says: all, nothing, or these names."""
    inherit = config.get("inherit")
    if inherit is None:
        return True
    if not isinstance(inherit, YamlMap):
        raise CannotImport(config.place_of("inherit"), "inherit must be a mapping")
    value = inherit.get(key, True)
    if isinstance(value, bool):
        return value
    return texts(value, f"inherit:{key}", inherit.place_of(key))


def _copies(name: str, config: YamlMap, root: Variables, place: Place) -> Iterator[Instance]:
    stage = _stage(config)
    allowed = _inherited(config, "variables")
    if allowed is not True:
        root = root.only(frozenset(allowed or ()))
    job = read_variables(config.get("variables"), config.place_of("variables"))
    copies = copies_of(config, place)
    for suffix, matrix in copies:
        full = name + suffix
        if len(full) > NAME_LIMIT:
            raise CannotImport(place, f"{short(full)} has more than {NAME_LIMIT} characters")
        own = matrix.over(job).over(root)
        yield Instance(full, name, config, stage, place, own, len(copies), matrix)


def _stage(config: YamlMap) -> str:
    return str(config.get("stage") or "test")


def _check_stage(name: str, config: YamlMap, stages: list[str], situation: Situation) -> None:
    stage = _stage(config)
    if stage in stages:
        return
    known = ", ".join(map(short, stages[:20]))
    what = f"the job {short(name)} is in the stage {short(stage)}; the stages are {known}"
    situation.missing(config.place_of("stage"), what)
    stages.insert(-1, stage)


def copies_of(config: YamlMap, place: Place) -> list[tuple[str, Variables]]:
    """List the copies of a job: what marks them in the name, and the variables of the matrix.

    Raises:
        CannotImport: ``parallel`` is not as GitLab wants it.
    """
    parallel = config.get("parallel")
    if parallel is None:
        return [("", Variables())]
    place = config.place_of("parallel")
    if isinstance(parallel, YamlMap):
        return matrix_copies(parallel.get("matrix"), parallel.place_of("matrix"))
    if isinstance(parallel, bool) or not isinstance(parallel, int):
        raise CannotImport(place, "parallel must be a number or a mapping with matrix")
    if not 1 <= parallel <= COPIES_LIMIT:
        raise CannotImport(place, f"parallel must be between 1 and {COPIES_LIMIT}")
    return [(f" {number}/{parallel}", _node(number, parallel)) for number in _upto(parallel)]


def _upto(number: int) -> range:
    return range(1, number + 1)


def _node(number: int, total: int) -> Variables:
    return Variables({"CI_NODE_INDEX": str(number), "CI_NODE_TOTAL": str(total)})


def matrix_copies(matrix: Any, place: Place) -> list[tuple[str, Variables]]:
    """List the copies that a matrix makes.

    Raises:
        CannotImport: it is no list of mappings, or makes too many.
    """
    if not isinstance(matrix, YamlList) or not matrix:
        raise CannotImport(place_of(matrix, place), "matrix must be a list of mappings")
    found: list[tuple[str, Variables]] = []
    for entry, at in zip(matrix, matrix.places, strict=True):
        if not isinstance(entry, YamlMap) or not entry:
            raise CannotImport(at, "an entry of a matrix must be a mapping of variables")
        values = [_values(entry[name], entry.places[name]) for name in entry]
        found += (_copy(entry, each) for each in islice(product(*values), COPIES_LIMIT + 1))
    if len(found) > COPIES_LIMIT:
        raise CannotImport(place, f"the matrix makes more than {COPIES_LIMIT} jobs")
    return found


def insert_matrix(written: Any, matrix: Variables, place: Place) -> Any:
    """Insert the values of a copy for ``$[[ matrix.NAME ]]``.

    Raises:
        CannotImport: the matrix has no such name.
    """
    if isinstance(written, YamlList):
        pairs = zip(written, written.places, strict=True)
        return YamlList(written.place, ((insert_matrix(v, matrix, at), at) for v, at in pairs))
    if isinstance(written, YamlMap):
        places = written.places
        items = ((key, insert_matrix(v, matrix, places[key])) for key, v in written.items())
        return YamlMap(written.place, ((key, value, places[key]) for key, value in items))
    if not isinstance(written, str) or "$[[" not in written:
        return written
    unknown = [name for name in _MATRIX.findall(written) if name not in matrix.values]
    if unknown:
        raise CannotImport(place, f"the matrix of this job has no {short(unknown[0])}")
    return _MATRIX.sub(lambda found: matrix.values[found[1]], written)


def _copy(names: YamlMap, values: tuple[str, ...]) -> tuple[str, Variables]:
    return f": [{', '.join(values)}]", Variables(dict(zip(names, values, strict=True)))


def _values(written: Any, place: Place) -> list[str]:
    items = written if isinstance(written, YamlList) else [written]
    if any(isinstance(item, float | bool) or item is None for item in items) or not items:
        raise CannotImport(place, "a matrix takes texts and whole numbers; quote other values")
    return [scalar_text(item, "a value of a matrix", place) for item in items]
