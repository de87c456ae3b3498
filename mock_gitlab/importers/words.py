"""Say a planned job in the words of a scenario, and note what a scenario cannot say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

from mock_gitlab.engine.failures import FailureReason

from .conditions import texts
from .document import YamlList, YamlMap
from .durations import as_duration, seconds_of
from .globs import is_glob
from .jobs import NAME_LIMIT
from .places import CannotImport, Notes, Place, short
from .planning import dependencies_of
from .variables import names_in, scalar_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .planning import Planned

_DEFAULT_DURATION = "30s"
_ACTIONS = ("start", "prepare", "stop", "verify", "access")
_TIERS = ("production", "staging", "testing", "development", "other")
_RETRIES_LIMIT = 2
_REASONS = frozenset({"always", *get_args(FailureReason)})
_FILE = re.compile(r"(?!/)(?!(.*/)?\.{0,2}(/|$))[^\x00-\x1f\x7f-\x9f\\]{1,255}")
_SAID = {
    "allow_failure", "artifacts", "coverage", "dependencies", "environment", "except", "extends",
    "inherit", "interruptible", "needs", "only", "parallel", "resource_group", "retry", "rules",
    "stage", "start_in", "tags", "timeout", "trigger", "type", "variables", "when",
}  # fmt: skip
_ONLY_RUN = {
    "after_script", "before_script", "cache", "dast_configuration", "hooks", "id_tokens",
    "identity", "image", "inputs", "manual_confirmation", "pages", "publish", "release", "run",
    "script", "secrets", "services",
}  # fmt: skip
"""Keys that say what a job runs, and with what; a mock runs nothing."""


class Words:
    """Writes jobs; ``copies`` are the jobs of the pipeline by the names that mean them."""

    def __init__(
        self, durations: Mapping[str, str], notes: Notes, copies: Mapping[str, Sequence[str]]
    ) -> None:
        self._durations = durations
        self._notes = notes
        self._copies = copies

    def job(self, job: Planned, downstream: Mapping[str, Any] | None) -> dict[str, Any]:
        """Write a job; ``downstream`` are the keys that make it a bridge."""
        config, place = job.instance.config, job.instance.place
        written: dict[str, Any] = {"name": job.instance.name, "stage": job.instance.stage}
        if downstream is None:
            written["duration"] = self.duration(job)
        written |= self._when(job)
        if job.needs is not None:
            written["needs"] = list(job.needs)
        if downstream is None:
            written |= self._retry(config)
            written |= self._timeout(config)
        elif config.get("retry") is not None:
            self._note(config, "retry", "a bridge is not retried here")
        if job.interruptible is True:
            written["interruptible"] = True
        written |= self._tags(job) | self._environment(job) | self._artifacts(job)
        written |= self._dependencies(job) | dict(downstream or {})
        self._note_others(config, place)
        return written

    def duration(self, job: Planned) -> str:
        """Find how long a job runs: by its name, its stage, or as all others."""
        instance = job.instance
        for name in (instance.name, instance.group, instance.stage, ""):
            if name in self._durations:
                return self._durations[name]
        return _DEFAULT_DURATION

    def _note(self, config: YamlMap, key: str, what: str) -> None:
        self._notes.add(config.place_of(key), f"{key}: {what}")

    def _when(self, job: Planned) -> dict[str, Any]:
        written: dict[str, Any] = {} if job.when == "on_success" else {"when": job.when}
        config = job.instance.config
        if job.start_in is not None:
            at = config.place_of("start_in")
            written["start_in"] = as_duration(seconds_of(job.start_in, "start_in", at))
        if job.allow_failure is None:
            codes = config["allow_failure"].get("exit_codes")
            at = config.place_of("allow_failure")
            written["allow_failure"] = {"exit_codes": _exit_codes(codes, at)}
        elif job.allow_failure != (job.when == "manual"):
            written["allow_failure"] = job.allow_failure
        return written

    def _retry(self, config: YamlMap) -> dict[str, Any]:
        retry = config.get("retry")
        if retry is None:
            return {}
        place = config.place_of("retry")
        if not isinstance(retry, YamlMap):
            return {"retry": _retries(retry, place)}
        written: dict[str, Any] = {"max": _retries(retry.get("max", 0), place)}
        if retry.get("exit_codes") is not None:
            self._note(config, "retry", "exit_codes do not decide about a retry here")
        if retry.get("when") is not None:
            reasons = texts(retry["when"], "retry:when", place)
            known = [reason for reason in reasons if reason in _REASONS]
            if known != reasons:
                unknown = ", ".join(short(each) for each in reasons if each not in _REASONS)
                self._note(config, "retry", f"{unknown} is no reason that is known here")
            if not known:
                return {}
            written["when"] = known
        return {"retry": written}

    def _timeout(self, config: YamlMap) -> dict[str, Any]:
        if config.get("timeout") is None:
            return {}
        seconds = seconds_of(config["timeout"], "timeout", config.place_of("timeout"))
        return {"timeout": as_duration(seconds)}

    def _tags(self, job: Planned) -> dict[str, Any]:
        config = job.instance.config
        if config.get("tags") is None:
            return {}
        place = config.place_of("tags")
        names = texts(config["tags"], "tags", place)
        tags = [self.expanded(job, tag, "tags", place) for tag in names]
        return {"tags": tags} if tags else {}

    def expanded(self, job: Planned, text: str, key: str, place: Place) -> str:
        """Insert the variables of a job, and note those that are not known."""
        expanded = job.variables.expand(text)
        for name in dict.fromkeys(names_in(expanded)):
            self._notes.add(place, f"{key}: the value of ${name} is not known")
        if not 0 < len(expanded) <= NAME_LIMIT:
            what = f"{key}: {short(expanded)} has not between 1 and {NAME_LIMIT} characters"
            raise CannotImport(place, what)
        return expanded

    def _environment(self, job: Planned) -> dict[str, Any]:
        config = job.instance.config
        written, place = config.get("environment"), config.place_of("environment")
        if written is None:
            return {}
        if not isinstance(written, YamlMap):
            name = scalar_text(written, "environment", place)
            return {"environment": self.expanded(job, name, "environment", place)}
        name = scalar_text(written.get("name"), "environment:name", place)
        made: dict[str, Any] = {"name": self.expanded(job, name, "environment:name", place)}
        if written.get("url") is not None:
            at = written.place_of("url")
            url = scalar_text(written["url"], "environment:url", at)
            made["url"] = self.expanded(job, url, "environment:url", at)
        made |= _one_of(written, "action", "action", _ACTIONS)
        made |= _one_of(written, "deployment_tier", "tier", _TIERS)
        stop = written.get("auto_stop_in")
        if stop is not None and stop != "never":
            text = job.variables.expand(str(stop))
            at = written.place_of("auto_stop_in")
            made["auto_stop_in"] = as_duration(seconds_of(text, "auto_stop_in", at))
        made |= self._on_stop(written)
        return {"environment": made}

    def _on_stop(self, environment: YamlMap) -> dict[str, Any]:
        name = environment.get("on_stop")
        if name is None:
            return {}
        if list(self._copies.get(str(name), ())) == [name]:
            return {"on_stop": name}
        what = f"on_stop: this pipeline has no job {short(str(name))}"
        self._notes.add(environment.place_of("on_stop"), what)
        return {}

    def _artifacts(self, job: Planned) -> dict[str, Any]:
        """Write the files that are named; what is in folders, globs and reports is not known."""
        artifacts = job.instance.config.get("artifacts")
        if not isinstance(artifacts, YamlMap):
            return {}
        place = artifacts.place_of("paths")
        written = texts(artifacts.get("paths") or YamlList(place), "artifacts:paths", place)
        paths = [job.variables.expand(path) for path in written]
        files = [path for path in paths if _is_file(path)]
        others = [short(path) for path in paths if path not in files]
        if others:
            what = f"artifacts: which files are in {', '.join(others)} is not known"
            self._notes.add(place, short(what, 300))
        if isinstance(artifacts.get("reports"), YamlMap):
            kinds = ", ".join(map(short, artifacts["reports"]))
            what = f"artifacts:reports: {kinds}: what it reports is not known"
            self._notes.add(artifacts.place_of("reports"), short(what, 300))
        if not files:
            return {}
        made: dict[str, Any] = {"artifacts": dict.fromkeys(files, "")}
        expires = artifacts.get("expire_in")
        if expires is not None and expires != "never":
            text = job.variables.expand(str(expires))
            at = artifacts.place_of("expire_in")
            made["artifacts_expire_in"] = as_duration(seconds_of(text, "expire_in", at))
        return made

    def _dependencies(self, job: Planned) -> dict[str, Any]:
        names = dependencies_of(job)
        present = [copy for name in names for copy in self._copies.get(name, ())]
        for name in names:
            if name not in self._copies:
                what = f"dependencies: this pipeline has no job {short(name)}"
                self._notes.add(job.instance.config.place_of("dependencies"), what)
        return {"dependencies": present} if present else {}

    def _note_others(self, config: YamlMap, place: Place) -> None:
        if config.get("coverage") is not None:
            self._note(config, "coverage", "how much is covered is not known; say coverage: 80")
        if config.get("resource_group") is not None:
            self._note(config, "resource_group", "jobs do not wait for one another's resource")
        for key in config:
            if key not in _SAID and key not in _ONLY_RUN:
                self._notes.add(config.place_of(key), f"the key {short(key)} is not known here")
        acts = any(config.get(key) is not None for key in ("script", "run", "trigger"))
        if not acts and config.get("needs") is not None:
            self._notes.add(place, "a job that mirrors another pipeline is a job like others here")


def _exit_codes(written: Any, place: Place) -> list[int]:
    codes = written if isinstance(written, YamlList) else [written]
    if codes and all(type(code) is int and 0 <= code <= 255 for code in codes):
        return list(codes)
    raise CannotImport(place, "exit_codes must be numbers between 0 and 255")


def _retries(written: Any, place: Place) -> int:
    if type(written) is int and 0 <= written <= _RETRIES_LIMIT:
        return written
    raise CannotImport(place, f"retry must be a number up to {_RETRIES_LIMIT}")


def _one_of(written: YamlMap, key: str, name: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    value = written.get(key)
    if value is None:
        return {}
    if value not in allowed:
        what = f"{key}: {short(str(value))} is none of {', '.join(allowed)}"
        raise CannotImport(written.place_of(key), what)
    return {name: value}


def _is_file(path: str) -> bool:
    """Return whether a path can only mean one file: it has an ending, and nothing is variable."""
    last = path.rpartition("/")[2]
    plain = not is_glob(path) and "$" not in path and "." in last
    return plain and _FILE.fullmatch(path) is not None
