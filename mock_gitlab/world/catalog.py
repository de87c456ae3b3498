"""Catalog: the projects, refs and trigger tokens that exist in one world."""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from mock_gitlab.engine.model import LARGEST_NUMBER, Declarations, NotFound, Project, TriggerToken
from mock_gitlab.engine.texts import matches_text, split_ref
from mock_gitlab.store.projects import ProjectTable, TokenTable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mock_gitlab.engine.model import Instant
    from mock_gitlab.store.database import Database

_TOKEN_PREFIX = "glptt-"  # noqa: S105 - what every trigger token begins with is no secret
_NUMBER = re.compile(r"-?[0-9]{1,19}")  # what is longer is larger than any number of a project


class Catalog:
    """The projects, refs and trigger tokens that were declared or used.

    Unless the mock is strict, every project that a request names exists: a number is a project at
    once, and a path gets a number at its first use, which it keeps.

    ``heads`` are the shas of refs whose newest pipeline is declared with one, and ``commits`` all
    declared shas of each project.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._projects = ProjectTable(database)
        self._tokens = TokenTable(database)
        self._salt = ""
        self._declared = Declarations()
        self._by_number: dict[int, Project] = {}
        self._by_name: dict[str, Project] = {}
        self._known_tokens: list[tuple[bytes, TriggerToken]] | None = None
        self._heads: dict[tuple[int, str], str] = {}  # those that projects declare
        self.heads: Mapping[tuple[int, str], str] = {}
        self.commits: Mapping[int, Collection[str]] = {}
        self._stale = False
        database.after_every_rollback(self._forget)

    def _forget(self) -> None:
        """Note that rows which were read may have been rolled back."""
        self._stale, self._known_tokens = True, None

    def apply(self, declared: Declarations, salt: str, now: Instant) -> None:
        """Take over what the files declare, within a transaction.

        Shas and the text of tokens are derived from ``salt``.
        """
        before = self._declared, self._salt, self._by_number, self._by_name
        self._db.undo_on_rollback(lambda: self._restore(*before))
        self._declared, self._salt = declared, salt
        self._tokens.replace_declared(
            (
                (project.id, token)
                for project in declared.projects
                for token in project.trigger_tokens
            ),
            now,
        )
        self._reload()

    def _restore(
        self,
        declared: Declarations,
        salt: str,
        by_number: dict[int, Project],
        by_name: dict[str, Project],
    ) -> None:
        self._declared, self._salt, self._known_tokens = declared, salt, None
        self._by_number, self._by_name = by_number, by_name

    def _reload(self) -> None:
        """Read again which undeclared projects are stored."""
        stored = self._projects.all()
        self._by_number, self._by_name, self._known_tokens = {}, {}, None
        for number, path in stored.items():
            self._know(self._undeclared(number, path))
        self._heads = {}
        for project in self._declared.projects:
            self._know(project)
            for ref in (*project.tagged, *project.branches):
                if ref.sha is not None:
                    self._heads[project.id, ref.name] = ref.sha
        self._stale = False

    def _reload_if_stale(self) -> None:
        if self._stale:
            self._reload()

    # ------------------------------------------------------------------ projects

    def project(self, name: str) -> Project:
        """Find a project by its number, as text, or its full path; upper and lower case are equal.

        Raises:
            NotFound: the mock is strict and the project is not declared, or the name is impossible.
        """
        self._reload_if_stale()
        found = self._by_name.get(name)
        if found is not None:
            return found
        if _NUMBER.fullmatch(name):
            number = int(name)
            return self._by_number.get(number) or self._new_number(number)
        return self._by_name.get(name.lower()) or self._new_path(name)

    def known(self, name: str) -> Project | None:
        """Find a project that exists already; None if it would be created by its first use.

        Raises:
            NotFound: it cannot exist.
        """
        self._reload_if_stale()
        number = int(name) if _NUMBER.fullmatch(name) else None
        found = self._by_name.get(name.lower()) if number is None else self._by_number.get(number)
        if found is None:
            self._refuse_impossible(name if number is None else number)
        return found

    def imagine(self, name: str) -> Project:
        """Find a project, or make the one that its first use would create, without storing it.

        Its number is 0 if only its first use can tell.

        Raises:
            NotFound: it cannot exist.
        """
        found = self.known(name)
        if found is not None:
            return found
        number = name if _NUMBER.fullmatch(name) else self._number_in(name)
        return self._undeclared(0, name) if number is None else self.project_of_record(int(number))

    def peek(self, name: str) -> tuple[int | None, str | None]:
        """Return the number and path that a name stands for, without creating a project."""
        self._reload_if_stale()
        known = self._by_name.get(name.lower())
        if known is None and _NUMBER.fullmatch(name):
            known = self.project_of_record(int(name))
        return (None, name) if known is None else (known.id, known.path)

    def project_of_record(self, number: int) -> Project:
        """Find the project of a recorded pipeline; it exists even if the mock is strict."""
        self._reload_if_stale()
        return self._by_number.get(number) or self._undeclared(number, self._path_of(number))

    def projects(self) -> list[Project]:
        """List the projects that were declared or used, by number."""
        self._reload_if_stale()
        return [self._by_number[number] for number in sorted(self._by_number)]

    def _new_number(self, number: int) -> Project:
        self._refuse_impossible(number)
        project = self._undeclared(number, self._path_of(number))
        # Its path follows from its number, so it can be read although it is not stored.
        with self._db.best_effort():
            self._projects.add(number, project.path)
            self._know(project)
        return project

    def _new_path(self, path: str) -> Project:
        self._refuse_impossible(path)
        number = self._number_in(path)
        if number is not None:
            return self.project(number)
        return self._know(self._undeclared(self._projects.add_path(path, self._by_number), path))

    def _number_in(self, path: str) -> str | None:
        """Return the number of a project whose path follows from it; None for another path."""
        named, numbered = path.lower(), self._path_of(0).removesuffix("0").lower()
        number = named.removeprefix(numbered)
        return number if number != named and _NUMBER.fullmatch(number) else None

    def _refuse_impossible(self, name: int | str) -> None:
        if isinstance(name, int):
            possible = 0 < name <= LARGEST_NUMBER
        else:
            segments = name.split("/")
            possible = len(segments) > 1 and all(segments) and len(name) <= 1024
        if not possible:
            raise NotFound("project", "a project is a number, or a path such as group/project")
        if self._declared.strict:
            raise NotFound("project", "the mock is strict, and no file declares this project")

    def _path_of(self, number: int) -> str:
        return f"{self._declared.user.username}/project-{number}"

    def _undeclared(self, number: int, path: str) -> Project:
        return Project(number, path, declared=False)

    def _know(self, project: Project) -> Project:
        self._by_number[project.id] = project
        self._by_name[project.path.lower()] = self._by_name[str(project.id)] = project
        return project

    # ------------------------------------------------------------------ refs

    def resolve(self, project: Project, ref: str) -> tuple[str, bool]:
        """Return the name of a ref, and whether it is a tag; if not, it is a branch.

        Raises:
            NotFound: there is no such ref.
        """
        name, tag = split_ref(ref)
        if tag is not True and self.has_branch(project, name):
            return name, False
        if tag is None and any(matches_text(glob, name) for glob in project.tags):
            return name, True
        if tag and self.has_tag(project, name):
            return name, True
        raise NotFound("reference", self._why_no_ref(project, name))

    def _why_no_ref(self, project: Project, name: str) -> str | None:
        if not name.strip():
            return None
        why = "the mock is strict" if self._declared.strict else "the project declares its refs"
        return f"{why}, and {name} is none of {project.path}"

    def has_branch(self, project: Project, name: str) -> bool:
        """Return whether a branch exists."""
        if not name.strip():
            return False
        if project.branches and project.branch(name) is not None:
            return True
        if project.refs is None:
            declared_tag = any(matches_text(glob, name) for glob in project.tags)
            return name == project.default_branch or not (self._declared.strict or declared_tag)
        return name == project.default_branch or any(
            matches_text(glob, name) for glob in project.refs
        )

    def has_tag(self, project: Project, name: str) -> bool:
        """Return whether a tag exists.

        If the project declares neither refs nor tags, any tag exists unless the mock is strict.
        """
        if not name.strip():
            return False
        if not project.tags:
            return not self._declared.strict and project.refs is None
        return any(matches_text(glob, name) for glob in project.tags)

    def sha(self, project: Project, ref: str) -> str:
        """Return the head commit of a ref: 40 hex digits, always the same."""
        known = self._heads.get((project.id, ref)) or self.heads.get((project.id, ref))
        return known or _sha(self._salt, project.id, ref)

    # ------------------------------------------------------------------ tokens

    def tokens(self, project: Project) -> list[TriggerToken]:
        """List a project's trigger tokens, oldest first."""
        return self._tokens.of_project(project.id)

    def token(self, project: Project, number: int) -> TriggerToken:
        """Find a trigger token by its number.

        Raises:
            NotFound: the project has no such token.
        """
        found = self._tokens.get(project.id, number)
        if found is None:
            raise NotFound("trigger")
        return found

    def create_token(
        self, project: Project, description: str, now: Instant, expires_at: Instant | None = None
    ) -> TriggerToken:
        """Create a trigger token."""
        token = self.secret(_TOKEN_PREFIX, f"trigger {self._tokens.next_number()}")
        number = self._tokens.insert(project.id, token, description, now, expires_at)
        self._known_tokens = None
        return self.token(project, number)

    def describe_token(
        self, project: Project, number: int, description: str, now: Instant
    ) -> TriggerToken:
        """Change the description of a trigger token."""
        self._tokens.describe(self.token(project, number).id, description, now)
        return self.token(project, number)

    def delete_token(self, project: Project, number: int) -> None:
        """Remove a trigger token."""
        self._tokens.delete(self.token(project, number).id)
        self._known_tokens = None

    def find_token(self, token: str) -> TriggerToken | None:
        """Find a trigger token of any project by its text, compared in constant time."""
        if self._known_tokens is None:
            self._known_tokens = [(t.token.encode(), t) for t in self._tokens.all()]
        wanted = token.encode()
        found = None
        for text, candidate in self._known_tokens:
            if hmac.compare_digest(text, wanted):
                found = candidate
        return found

    def token_used(self, token: TriggerToken, now: Instant) -> None:
        """Record that a pipeline was triggered with a token."""
        self._tokens.used(token.id, now)

    def secret(self, prefix: str, of: str) -> str:
        """Derive the text of a token from the world's salt: ``prefix`` and 40 hex digits."""
        digest = hmac.new(self._salt.encode(), of.encode(), hashlib.sha1)
        return prefix + digest.hexdigest()


@lru_cache(maxsize=4096)
def _sha(salt: str, project_id: int, ref: str) -> str:
    text = f"{salt}\0{project_id}\0{ref}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
