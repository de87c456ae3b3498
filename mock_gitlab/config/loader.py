"""Load mock.yaml and the scenario files that it names."""

from __future__ import annotations

import itertools
import logging
import os
import stat
import sys
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from mock_gitlab.config import checks
from mock_gitlab.engine.builtins import builtin_scenarios
from mock_gitlab.engine.model import (
    ClockSetting,
    Declarations,
    DeclaredScenario,
)

from .advice import advice, unread_files
from .contents import Folder
from .diagnostics import ConfigurationError, Document, Mistake, Node
from .document import read
from .existing import existing_from
from .faults import fault_from, keyed
from .files import MockFile, SandboxesModel, ScenarioFile
from .globs import TooManyFolders, expand, is_pattern
from .imported import ImportModel
from .messages import mistakes_of
from .rules import rule_from
from .scalars import longest_first
from .scenarios import ScenarioModel, declared_scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .diagnostics import Steps
    from .fields import StrictModel

    File = TypeVar("File", bound=StrictModel)

DEFAULT_CONFIG = "mock.yaml"
"""The configuration file, unless another is named."""
DEFAULT_PATTERN = "scenarios/*.yaml"
"""The scenario files, unless ``scenarios`` names others."""
BUILT_IN = "built in"
"""Stands in place of a file's name."""
DEFAULT_TOKEN = Declarations().token
MEMORY = ":memory:"
PROGRESS_FILES = 500
"""After how many files of scenarios a line in the log tells how many there are."""
logger = logging.getLogger("mock_gitlab.config")


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server runs.

    ``token_source`` is "default", "file", "environment" or "option". A change of any field but the
    token takes effect at the next start. ``database`` is a path, or ":memory:".
    """

    token: str = field(repr=False)
    token_source: str
    database: Path | str
    host: str
    port: int
    watch: bool
    watch_polling: bool
    log_level: str
    log_format: str
    log_requests: bool
    dashboard: bool
    metrics: bool


FIXED_SETTINGS = tuple(each.name for each in fields(Settings) if not each.name.startswith("token"))
"""The settings that take effect at the next start only."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the files contain.

    ``folders`` are those where scenario files are or may appear, with names like ``patterns``.
    """

    declarations: Declarations
    settings: Settings
    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    patterns: tuple[str, ...]
    warnings: tuple[Mistake, ...]

    @property
    def scenario_counts(self) -> dict[str, int]:
        """The number of scenarios of each file, and of the built-in ones."""
        return dict(Counter(each.file or BUILT_IN for each in self.declarations.scenarios))


def load(
    path: Path | str,
    environ: Mapping[str, str],
    *,
    must_exist: bool = True,
    content: bytes | None = None,
) -> Loaded:
    """Read a configuration file and the files that it names.

    If ``must_exist`` is False, a missing file counts as an empty mapping. ``content`` is what a
    stream has delivered, which can be read only once.

    Raises:
        ConfigurationError: with every mistake of every file.
    """
    path = Path(path)
    if content is None:
        content = read_stream(path)
    return _Loading(path, environ, content).load(must_exist)


def read_stream(path: Path) -> bytes | None:
    """Read a configuration that is no file: ``-`` is standard input, others are pipes.

    Raises:
        ConfigurationError: it cannot be read.
    """
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        pipe = not stat.S_ISREG(path.stat().st_mode) and not path.is_dir()
        return path.read_bytes() if pipe or path.is_relative_to("/dev") else None
    except OSError:
        return None  # a file that cannot be read is a mistake, or it may be missing


class _Loading:
    """One run of ``load``. Collects files, folders and mistakes on the way."""

    def __init__(self, path: Path, environ: Mapping[str, str], content: bytes | None) -> None:
        self._path = path
        self._base = path.parent if content is None else Path()
        self._content = content
        self._environ = environ
        self._mistakes: list[Mistake] = []
        self._files: list[Path] = []
        self._folders: list[Path] = []
        self._patterns: list[str] = []
        self._notes: list[Mistake] = []

    def load(self, must_exist: bool) -> Loaded:
        if self._content is not None:
            document = self._parsed(self._content, self._path)
        elif must_exist or os.path.exists(self._path):
            document = self._read(self._path)
        else:
            document = Document(str(self._path), Node(1, 1, {}))
        model = self._checked(MockFile, document)
        paths = self._scenario_files(document)
        files, models = [], []
        for number, path in enumerate(paths, 1):
            files.append(self._read(path))
            models.append(self._checked(ScenarioFile, files[-1]))
            if number % PROGRESS_FILES == 0:
                logger.info("Read %d of %d files of scenarios.", number, len(paths))
        imported = [] if model is None else list(self._imported(model))
        self._mistakes += checks.contradictions(document, [*files, *(each[0] for each in imported)])
        if self._mistakes or model is None:
            raise ConfigurationError(self._mistakes, self._folders, self._patterns, self._files)
        scenarios = [
            *self._inline_scenarios(document, model),
            *self._scenarios(zip(files, models, strict=True)),
            *self._of_imports(imported),
        ]
        declarations = self._declarations(document, model, scenarios)
        used = itertools.chain.from_iterable(each.variables for each in (document, *files))
        declarations = replace(declarations, variables=longest_first(used))
        return Loaded(
            declarations,
            self._settings(model),
            tuple(self._files),
            tuple(dict.fromkeys(self._folders)),
            tuple(self._patterns),
            tuple(sorted((*self._warnings(document, declarations, files), *self._notes))),
        )

    def _warnings(
        self, mock: Document, declared: Declarations, files: Sequence[Document]
    ) -> Iterator[Mistake]:
        yield from checks.warnings(mock, declared, files)
        yield from advice(mock, declared, files)
        if self._content is None:
            yield from unread_files(self._path, scenarios=DEFAULT_PATTERN in self._patterns)

    # ------------------------------------------------------------------ reading

    def _read(self, path: Path) -> Document:
        try:
            raw = path.read_bytes()
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            self._mistakes.append(Mistake(str(path), 1, 1, "", what))
            return Document(str(path), None)
        return self._parsed(raw, path)

    def _parsed(self, raw: bytes, path: Path) -> Document:
        self._files.append(path)
        document = read(raw, str(path), self._environ)
        self._mistakes += document.mistakes
        if document.value is None and not document.mistakes:
            self._mistakes.append(Mistake(str(path), 1, 1, "", "the file is empty"))
            return Document(str(path), None)
        return document

    def _checked(self, model: type[File], document: Document) -> File | None:
        if document.root is None:
            return None
        folder = Folder(Path(document.file).parent, [])
        try:
            return model.model_validate(document.value, context=folder)
        except ValidationError as error:
            self._mistakes += mistakes_of(error, model, document)
            return None
        finally:
            self._files += folder.files
            self._folders += [file.parent for file in folder.files]

    def _imported(
        self, model: MockFile
    ) -> Iterator[tuple[Document, ScenarioFile | None, ImportModel]]:
        """Read the scenarios that CI configurations make."""
        for entry in model.scenarios or ():
            if isinstance(entry, ImportModel):
                document = self._import(entry)
                yield document, self._checked(ScenarioFile, document), entry

    def _import(self, entry: ImportModel) -> Document:
        from mock_gitlab.importers.places import CannotImport

        # The lines of what is made are not those of the file that makes it.
        name, files = f"{entry.file} as scenarios", list[Path]()
        try:
            made = entry.read(self._base, files)
        except CannotImport as error:
            place = error.place
            self._mistakes.append(Mistake(place.file, place.line, place.column, "", error.what))
            return Document(name, None)
        finally:
            self._files += files
            self._folders += [file.parent for file in files]
        places = [(each.place, each.what) for each in made.notes]
        self._notes += [Mistake(at.file, at.line, at.column, "", what) for at, what in places]
        self._notes += [Mistake(entry.file, 1, 1, "", what) for what in made.remarks]
        return read(made.text.encode(), name, {})

    def _scenario_files(self, mock: Document) -> list[Path]:
        """Find the scenario files, even if something else in the file is wrong."""
        written = mock.value.get("scenarios") if isinstance(mock.value, dict) else None
        if written is None:
            return self._look_up(DEFAULT_PATTERN, mock, ())
        files: list[Path] = []
        for index, entry in enumerate(written if isinstance(written, list) else []):
            if isinstance(entry, str) and entry:
                files += self._look_up(entry, mock, ("scenarios", index))
        return list(dict.fromkeys(files))

    def _look_up(self, pattern: str, mock: Document, path: Steps) -> list[Path]:
        self._patterns.append(pattern)
        try:
            found = expand(self._base, pattern)
        except TooManyFolders as error:
            what = f'"{pattern}" {error}'
        except (OSError, ValueError) as error:
            what = f'"{pattern}" cannot be looked up: {error}'
        else:
            self._folders += found.folders
            if found.files or not path:
                return [file for file in found.files if file != self._path]
            what = self._nothing(pattern)
        self._mistakes.append(mock.mistake(path, what))
        return []

    def _nothing(self, pattern: str) -> str:
        if os.path.isdir(self._base / pattern):
            return f'"{pattern}" is a folder; "{pattern.rstrip("/")}/*.yaml" names the files in it'
        if is_pattern(pattern):
            return f'"{pattern}" matches no file'
        return f'there is no file "{pattern}"'

    # ------------------------------------------------------------------ what comes of it

    def _name(self, document: Document) -> str:
        path = Path(document.file)
        known = path.is_relative_to(self._base)
        return (path.relative_to(self._base) if known else path).as_posix()

    def _inline_scenarios(self, mock: Document, model: MockFile) -> Iterator[DeclaredScenario]:
        for index, entry in enumerate(model.scenarios or ()):
            if isinstance(entry, ScenarioModel):
                line = mock.node(("scenarios", index)).line
                yield declared_scenario(entry, "file", self._name(mock), line)

    def _scenarios(
        self, files: Iterator[tuple[Document, ScenarioFile | None]]
    ) -> Iterator[DeclaredScenario]:
        for document, model in files:
            assert model is not None
            for index, scenario in enumerate(model.scenarios):
                line = document.node(("scenarios", index)).line
                yield declared_scenario(scenario, "file", self._name(document), line)

    def _of_imports(
        self, imported: Sequence[tuple[Document, ScenarioFile | None, ImportModel]]
    ) -> Iterator[DeclaredScenario]:
        for _, model, entry in imported:
            assert model is not None
            for scenario in model.scenarios:
                yield declared_scenario(scenario, "file", entry.file, 1)

    def _declarations(
        self, mock: Document, model: MockFile, scenarios: Sequence[DeclaredScenario]
    ) -> Declarations:
        claimed = {each.scenario.scenario_id for each in scenarios}
        builtin = [b for b in builtin_scenarios() if b.scenario.scenario_id not in claimed]
        clock, sandboxes = model.clock, model.sandboxes
        if isinstance(sandboxes, int):
            sandboxes = SandboxesModel(limit=sandboxes, create="first_use")
        return Declarations(
            scenarios=(*builtin, *scenarios),
            default_scenario=model.default_scenario,
            rules=keyed(
                rule_from(rule, self._place(mock, "rules", index))
                for index, rule in enumerate(model.rules or ())
            ),
            faults=keyed(
                fault_from(fault, self._place(mock, "faults", index))
                for index, fault in enumerate(model.faults or ())
            ),
            projects=tuple(project.to_engine() for project in model.projects or ()),
            hooks=tuple(hook.to_engine() for hook in model.hooks),
            pipelines=existing_from(
                model.pipelines or (),
                (self._place(mock, "pipelines", index) for index in itertools.count()),
            ),
            user=model.user.to_engine(),
            strict=model.strict,
            seed=model.seed,
            clock=ClockSetting() if clock is None else clock.to_engine(),
            allow_reset=model.allow_reset,
            journal_limit=model.journal,
            sandbox_limit=sandboxes.limit,
            sandboxes_on_first_use=sandboxes.create == "first_use",
            body_limit=model.max_body_bytes,
            webhook_hosts=tuple(host.lower() for host in model.webhook_hosts),
            token=model.token,
        )

    def _place(self, mock: Document, section: str, index: int) -> str:
        return f"{self._name(mock)}:{mock.node((section, index)).line}"

    def _settings(self, model: MockFile) -> Settings:
        database = model.database
        return Settings(
            token=model.token,
            token_source="file" if "token" in model.model_fields_set else "default",
            database=database if database == MEMORY else self._base / database,
            host=model.host,
            port=model.port,
            watch=model.watch,
            watch_polling=model.watch_polling,
            log_level=model.log_level,
            log_format=model.log_format,
            log_requests=model.log_requests,
            dashboard=model.dashboard,
            metrics=model.metrics,
        )
