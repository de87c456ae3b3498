"""World: one isolated mock GitLab, with one method for each kind of request, hence its length.

Nothing here awaits, so each call is atomic on the event loop; therefore nothing locks.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from mock_gitlab.engine.codec import decode
from mock_gitlab.engine.faults import FaultCounters
from mock_gitlab.engine.instants import LATEST
from mock_gitlab.engine.model import (
    Action,
    ActionName,
    AlreadyExists,
    ClockSetting,
    Declarations,
    DeclaredScenario,
    Invalid,
    NotFound,
    split_job_id,
)
from mock_gitlab.store.errors import StoreUnavailable, reading
from mock_gitlab.store.scenarios import ScenarioTable

from .catalog import Catalog
from .clock import Clock, ClockState
from .commit_statuses import CommitStatuses
from .creation import Creation, rule_key
from .deployments import Deployments
from .environments import Environments
from .existing import Existing
from .explaining import foresee_calls
from .hooks import Hooks
from .jobs import Jobs
from .journal import Journal
from .lookahead import Awaited, Changed, Lookahead
from .pipelines import Pipelines
from .runtime import RuntimeDeclarations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mock_gitlab.engine.matching import Fault, Rule
    from mock_gitlab.engine.model import Instant, PipelineRecord, Project, Scenario
    from mock_gitlab.engine.timeline import Timeline
    from mock_gitlab.store.database import Database

    from .explaining import Call, Preview
    from .pipeline_request import PipelineRequest
    from .pipelines import CreatedPipeline, PipelineView


class _NotReally(Exception):
    """Undoes what was done only to see where it leads."""


class World:
    """One isolated mock GitLab over one database.

    ``shared`` is what the files declare for all worlds. ``declared`` is the same, with the fields
    of Declarations in ``own`` in place of those of the files.
    """

    def __init__(
        self,
        database: Database,
        declarations: Declarations,
        clock: Clock,
        *,
        own: Mapping[str, Any] = MappingProxyType({}),
        name: str = "default",
    ) -> None:
        self.name = name
        self._own = own
        self.shared = declarations
        self.declared = self._mine(declarations)
        self.clock = clock
        self.journal = Journal(declarations.journal_limit)
        self.fault_counters = FaultCounters()
        self.runtime_faults: RuntimeDeclarations[Fault] = RuntimeDeclarations("fault")
        self.runtime_rules: RuntimeDeclarations[Rule] = RuntimeDeclarations("rule", self._use_rules)
        self._scenarios_have_faults = False
        self._db = database
        self._scenarios = ScenarioTable(database)
        self.catalog = Catalog(database)
        self.pipelines = Pipelines(database, self._scenarios, self.catalog, clock)
        self._creation = Creation(database, self.pipelines, self._scenarios, self.catalog, clock)
        self._existing = Existing(database, self.pipelines, self.catalog, clock)
        self.jobs = Jobs(self.pipelines, self.catalog)
        self.statuses = CommitStatuses(database, self.pipelines, self.catalog, clock)
        self.deployments = Deployments(database, self.pipelines, self.catalog, clock)
        self.environments = Environments(database, self.deployments, self.jobs, clock, self._play)
        self.hooks = Hooks(database, self.pipelines, self.deployments, self.catalog, clock)
        self.hooks.faults, self.hooks.fault_counters = self.faults, lambda: self.fault_counters
        self._lookahead = Lookahead(self.pipelines, database)
        self._set_clock_as_stored()
        self.pipelines.bridges.expect_all()
        self.apply(declarations)
        self.pipelines.invalidate_after(self.clock.now())

    def _mine(self, declarations: Declarations) -> Declarations:
        return replace(declarations, **self._own)

    def _salt(self, seed: str | None) -> str:
        if seed is not None:
            return f"seed {seed}"
        salt = self._db.meta("salt")
        if salt is None:
            salt = secrets.token_hex(16)
            self._db.remember("salt", salt)
        return salt

    def reset(self) -> None:
        """Start over: nothing recorded or declared at run time, the clock as configured."""
        with self._db.transaction():
            self.pipelines.clear()
            for declared in self._scenarios.select("runtime"):
                self._scenarios.delete(declared.scenario.scenario_id)
            self._configure_clock()  # first, so that declared tokens get the configured time
            self._existing.begin()
            self._declare(self.shared)
            self.pipelines.bridges.expect_all()
        self.runtime_faults.clear()
        self.runtime_rules.clear()
        self.fault_counters = FaultCounters()
        self._look_for_faults()
        self.journal.clear()

    def state_of_store(self) -> Literal["ok", "gone", "unavailable"]:
        """Return whether the store can be read; "gone" is a file that was deleted or replaced."""
        if self._db.is_gone():
            return "gone"
        try:
            self._db.meta("clock")
        except StoreUnavailable:
            return "unavailable"
        return "ok"

    def close(self) -> None:
        """Close the store."""
        self._db.close()

    # ------------------------------------------------------------------ what is declared

    def apply(self, declarations: Declarations) -> None:
        """Put declarations in force: all of them or, if the store fails, none."""
        with self._db.transaction():
            self._declare(declarations)
        self._look_for_faults()
        self.journal.resize(self.declared.journal_limit)

    def _declare(self, declarations: Declarations) -> None:
        mine = self._mine(declarations)
        clock_was_edited = mine.clock != self.declared.clock
        changed = self._scenarios.replace_declared(mine.scenarios)
        self.catalog.apply(mine, self._salt(mine.seed), self.clock.now())
        self.hooks.apply(mine)
        rules = self.runtime_rules.all(mine.rules)
        self._db.clear_rule_counts({rule_key(rule) for rule in rules})
        self._db.undo_on_rollback(partial(self._use, self.shared, self.declared))
        projects_were_edited = mine.projects != self.declared.projects
        self._use(declarations, mine)
        self.pipelines.scenarios_changed(changed)
        if projects_were_edited or mine.strict != self.declared.strict:
            self.pipelines.bridges_changed()
        if clock_was_edited:  # pipelines that start on the way follow the new declarations
            self._configure_clock()
            self._existing.begin()
        self._existing.apply(mine)

    def _use(self, shared: Declarations, mine: Declarations) -> None:
        self.shared, self.declared = shared, mine
        self._use_rules()

    def _use_rules(self) -> None:
        self._creation.use(self.declared, self.runtime_rules)

    def scenarios(self, source: str | None = None) -> list[DeclaredScenario]:
        """List the scenarios by number."""
        return self._scenarios.select(source)

    def scenario(self, number: int) -> DeclaredScenario:
        """Find a scenario; raises NotFound."""
        found = self._scenarios.get(number)
        if found is None:
            raise NotFound("scenario")
        return found

    def preview_scenario(self, number: int) -> tuple[Scenario, Timeline]:
        """Play what a scenario will do.

        Raises:
            NotFound: there is no such scenario.
            Invalid: it starts too many pipelines.
        """
        from mock_gitlab.engine.preview import preview, scenario_finder

        scenario = self.scenario(number).scenario
        find = scenario_finder(self.declared, self._scenarios.behaviour)
        return scenario, preview(scenario, find)

    def create_scenario(self, declared: DeclaredScenario) -> DeclaredScenario:
        """Add a scenario at run time; raises AlreadyExists if its number is in use."""
        if self._scenarios.exists(declared.scenario.scenario_id):
            raise AlreadyExists(f"scenario_id {declared.scenario.scenario_id} is taken")
        return self._write_scenario(declared)

    def replace_scenario(self, declared: DeclaredScenario) -> DeclaredScenario:
        """Put a scenario in the place of another; raises NotFound if there is none."""
        self.scenario(declared.scenario.scenario_id)
        return self._write_scenario(declared)

    def delete_scenario(self, number: int) -> None:
        """Delete a scenario; pipelines that follow it keep their inline values.

        If it was declared at run time, what the files declare for its number is in force again. If
        a file declares it, it is back at the next reload.
        """
        runtime = self.scenario(number).source == "runtime"
        covered = self.declared.declared(number)
        with self._db.transaction():
            self._scenarios.delete(number)
            if runtime and covered is not None:
                self._scenarios.upsert([covered])
            self.pipelines.scenarios_changed([number])
        self.hooks.forget()
        self._look_for_faults()

    def _write_scenario(self, declared: DeclaredScenario) -> DeclaredScenario:
        with self._db.transaction():
            self._scenarios.upsert([declared])
            self.pipelines.scenarios_changed([declared.scenario.scenario_id])
        self.hooks.forget()
        self._look_for_faults()
        return self.scenario(declared.scenario.scenario_id)

    def _look_for_faults(self) -> None:
        numbers = self._scenarios.having("faults")
        self._scenarios_have_faults = bool(numbers)
        of_scenarios = (s.faults for s in map(self._scenarios.behaviour, numbers) if s is not None)
        faults = (*self.all_faults(), *chain.from_iterable(of_scenarios))
        self.fault_counters.keep({fault.key for fault in faults})

    @property
    def has_faults(self) -> bool:
        """Whether any fault is in force; if not, a request need not look for one."""
        return bool(self.runtime_faults or self.declared.faults or self._scenarios_have_faults)

    def faults_about(
        self, project_id: int | None, pipeline: str | None, job: str | None
    ) -> tuple[Fault, ...]:
        """List the faults of the scenario that a pipeline of a project follows.

        ``pipeline`` or ``job`` is the number in the path of the request, as text.
        """
        number = pipeline if job is None else job
        if not self._scenarios_have_faults or number is None or not number.isdecimal():
            return ()
        try:
            found = int(number) if job is None else split_job_id(int(number))[0]
            view = self.pipelines.pipeline_of_any_project(found)
        except (NotFound, ValueError):  # more digits than Python reads
            return ()
        return view.timeline.scenario.faults if view.project.id == project_id else ()

    def faults(self) -> tuple[Fault, ...]:
        """List the faults in force, those declared at run time first."""
        return self.runtime_faults.in_force(self.declared.faults)

    def all_faults(self) -> tuple[Fault, ...]:
        """List the faults, also those that are switched off."""
        return self.runtime_faults.all(self.declared.faults)

    def all_rules(self) -> tuple[Rule, ...]:
        """List the rules in the order of trying, also those that are switched off."""
        return self.runtime_rules.all(self.declared.rules)

    def switch_rule(self, key: str, *, on: bool) -> Rule:
        """Switch a rule on or off in this world; raises NotFound for an unknown key."""
        return self.runtime_rules.switch(key, self.declared.rules, on=on)

    def switch_fault(self, key: str, *, on: bool) -> Fault:
        """Switch a fault on or off in this world; raises NotFound for an unknown key."""
        return self.runtime_faults.switch(key, self.declared.faults, on=on)

    def add_rule(self, rule: Rule) -> Rule:
        """Put a rule in force at run time; raises Invalid if it names an unknown scenario."""
        for number in rule.scenarios:
            if not self._scenarios.exists(number):
                raise Invalid(f"there is no scenario {number}")
        return self.runtime_rules.add(rule)

    # ------------------------------------------------------------------ pipelines

    def trigger(self, project: Project, wanted: PipelineRequest) -> CreatedPipeline:
        """Create a pipeline.

        Raises:
            NotFound: the ref, or the scenario that is asked for.
            RejectedByRule: a rule answers instead.
        """
        return self._creation.trigger(project, wanted)

    def explain(self, record: PipelineRecord) -> dict[str, Any] | None:
        """Explain which rule chose the scenario of a pipeline, as ``Creation.explain`` does."""
        return self._creation.explain(record)

    def preview(self, project: str, wanted: PipelineRequest) -> Preview:
        """Show what a request would create in a project, given by its number or path.

        Raises:
            NotFound: the project, the ref, or the scenario that is asked for.
        """
        return self._creation.preview(self.catalog.imagine(project), wanted)

    def foresee_calls(self, preview: Preview) -> list[Call]:
        """Foresee the faults of the request, and of the first poll of its pipeline."""
        number = preview.scenario_id
        scenario = None if number is None else self._scenarios.behaviour(number)
        of_scenario = () if scenario is None else scenario.faults
        return foresee_calls(
            preview.trigger,
            (*self.faults(), *of_scenario),
            self.fault_counters,
            self.clock.now(),
        )

    def rule_matches(self, rule: Rule) -> int:
        """Return how many pipelines a rule has matched in this world."""
        return self._creation.rule_matches(rule)

    def act(
        self, project: Project, number: int, name: ActionName, job_id: int | None = None
    ) -> PipelineView:
        """Act on a pipeline or one of its jobs, and see it afterwards.

        Raises:
            NotFound: no such pipeline or job.
            NotAllowed: GitLab does not allow it in the present state.
        """
        view = self.pipelines.pipeline(project, number)
        action = Action(name, view.now, job_id)
        view.timeline.permits(action)
        if not view.timeline.affects(action):
            return view
        self.pipelines.append(view, action)
        if name == "cancel" and job_id is None:
            self._cancel_children(view)
        return self.pipelines.pipeline(project, number)

    def _cancel_children(self, parent: PipelineView) -> None:
        """Cancel the child pipelines of a pipeline, and theirs, as GitLab does."""
        for view in list(self.pipelines.family_of(parent)):
            action = Action("cancel", view.now)
            if view.record.is_child() and view.timeline.affects(action):
                self.pipelines.append(view, action)

    def _play(self, project: Project, number: int, job_id: int) -> None:
        self.act(project, number, "play", job_id)

    def delete_artifacts(self, project: Project) -> None:
        """Delete the artifacts that the jobs of a project have left so far.

        Those of the newest successful pipeline of each ref, and of its child pipelines, are kept.
        """
        kept: dict[str, int | None] = {}
        for view in list(self.pipelines.with_artifacts(project.id)):
            parent = self.pipelines.top_of(view.record)
            action = Action("delete_artifacts", view.now)
            if parent.ref not in kept:
                newest = next(self.pipelines.successes(project, parent.ref), None)
                kept[parent.ref] = None if newest is None else newest.record.id
            if parent.id != kept[parent.ref] and view.timeline.affects(action):
                self.pipelines.append(view, action)

    # ------------------------------------------------------------------ what was used

    def branches(self, project: Project) -> list[str]:
        """Name the branches that are declared without a wildcard, or that pipelines ran on."""
        declared = [ref for ref in project.refs or () if not _is_pattern(ref)]
        used = self.pipelines.index.refs(project.id, tags=False)
        mine = (each.name for each in project.branches)
        return sorted({project.default_branch, *declared, *mine, *used})

    def tags(self, project: Project) -> list[str]:
        """Name the tags that are declared without a wildcard, or that pipelines ran on."""
        declared = [tag for tag in project.tags if not _is_pattern(tag)]
        return sorted({*declared, *self.pipelines.index.refs(project.id, tags=True)})

    def branch_with(self, project: Project, sha: str) -> str | None:
        """Name the first branch that contains a commit.

        Unless the mock is strict, an unknown commit is one of the default branch.
        """
        for branch in self.branches(project):
            head = self.catalog.sha(project, branch)
            if sha == head or any(each.sha == sha for each in project.history(head)):
                return branch
        return None if self.declared.strict else project.default_branch

    def knows_commit(self, project: Project, sha: str) -> str | None:
        """Complete the beginning of a sha to that of a branch, a tag, or what is declared."""
        refs = (*self.branches(project), *self.tags(project))
        heads = (self.catalog.sha(project, ref) for ref in refs)
        declared = (commit.sha for commit in project.commits)
        known = chain(declared, self.catalog.commits.get(project.id, ()), heads)
        return next((each for each in known if each.startswith(sha)), None)

    # ------------------------------------------------------------------ time

    def move_clock(self, move: Callable[[Clock], None]) -> None:
        """Let ``move`` change the clock, and store it; every status follows.

        Bridges that are due before the move and on the way start their pipelines. If the clock
        cannot be stored, it stays as it was.
        """
        before = self.pipelines.start_due_bridges()
        with self._db.transaction():
            self._db.undo_on_rollback(partial(self.clock.restore, self.clock.state()))
            move(self.clock)
            self._store_clock()
            now = self.pipelines.start_due_bridges()
            if now < before:
                self.pipelines.invalidate_after(now)

    def move_clock_by_poll(self) -> None:
        """Move the clock as each read of the API does; at the end of time it stays there."""
        with suppress(Invalid):
            self.move_clock(lambda clock: clock.advance(clock.advance_per_poll))

    def jump(
        self,
        project_id: int | None = None,
        pipeline_id: int | None = None,
        until: Awaited | None = None,
    ) -> list[Changed]:
        """Jump to the next visible change: of any pipeline, of a project's, or of one pipeline.

        With ``until`` it is the next change that leads to this status.

        Returns what has changed on the way; raises NotFound if there is no such pipeline.
        """
        if pipeline_id is not None:
            view = self.pipelines.pipeline_of_any_project(pipeline_id)
            if project_id not in (None, view.project.id):
                raise NotFound("pipeline")

        def to(instant: Instant) -> None:
            self.move_clock(lambda clock: clock.set(instant))

        return self._lookahead.jump(to, project_id, pipeline_id, until)

    def next_moment(self) -> Instant | None:
        """Return when something changes next by time alone; None if nothing will."""
        moments = self._lookahead.next_moment(), self.hooks.next_due()
        return min((each for each in moments if each is not None), default=None)

    def go_to(self, moment: Instant) -> list[Changed]:
        """Go to what ``next_moment`` has named, and return what has changed."""
        if self._lookahead.next_moment() == moment:
            return self.jump()
        self.move_clock(lambda clock: clock.set(moment))
        return []

    def foresee_jump(
        self,
        project_id: int | None = None,
        pipeline_id: int | None = None,
        until: Awaited | None = None,
    ) -> Instant | None:
        """Return where ``jump`` would go, without going there; None for nowhere."""
        found: list[Instant] = []
        try:
            with self._db.transaction():
                if self.jump(project_id, pipeline_id, until):
                    found.append(self.clock.now())
                raise _NotReally
        except _NotReally:
            return found[0] if found else None

    def foresee_status(self, pipeline_id: int, awaited: Awaited) -> Instant:
        """Return where ``wait_until`` would go, without going there; raises what that raises."""
        try:
            with self._db.transaction():
                self.wait_until(pipeline_id, awaited)
                raise _NotReally(self.clock.now())
        except _NotReally as there:
            return int(there.args[0])

    def wait_until(self, pipeline_id: int, awaited: Awaited) -> list[Changed]:
        """Jump to where a pipeline, or one of its jobs, has a status; stay if it has it already.

        Returns what has changed on the way.

        Raises:
            NotFound: no such pipeline or job.
            Invalid: it never has this status by time alone. The clock stays.
        """
        view = self.pipelines.pipeline_of_any_project(pipeline_id)
        now = self._status(view, awaited.job)
        if now == awaited.status:
            return []
        changed = self.jump(None, pipeline_id, awaited)
        if not changed:
            who = f"pipeline {pipeline_id}" if awaited.job is None else f"job {awaited.job}"
            coming = [c.after for c in view.timeline.changes(view.now, None) if c.job_id is None]
            end = f"; the pipeline becomes {', '.join(coming)}" if coming else ""
            raise Invalid(f"{who} never becomes {awaited.status} by itself: it is {now}{end}")
        return changed

    def _status(self, view: PipelineView, job: int | str | None) -> str:
        if job is None:
            return view.state.status
        posted = (each for each in view.state.external if not each.retried)
        found = next((each for each in posted if job in (each.id, each.name)), None)
        return self.jobs.newest(view, job).job.status if found is None else found.status

    def _configure_clock(self) -> None:
        self.move_clock(lambda clock: clock.configure(self.declared.clock))

    def _set_clock_as_stored(self) -> None:
        with reading('the value of "clock"'):
            kept = json.loads(self._db.meta("clock") or "{}")
            declared = kept.get("declared")
            usual = asdict(ClockSetting())  # an older version has not written all of it
            if isinstance(declared, dict) and usual | declared == asdict(self.declared.clock):
                self.clock.restore(_clock_state(kept))
                return
        self.clock.configure(self.declared.clock)
        self._store_clock()

    def _store_clock(self) -> None:
        kept = {**asdict(self.clock.state()), "declared": asdict(self.declared.clock)}
        self._db.remember("clock", json.dumps(kept))


def _clock_state(kept: dict[str, Any]) -> ClockState:
    frozen_at, offset = kept["frozen_at"], int(kept["offset"])
    if not 0 <= int(frozen_at or 0) < LATEST or abs(offset) >= LATEST:
        raise ValueError("no clock shows this time")
    state: ClockState = decode(ClockState, {k: v for k, v in kept.items() if k != "declared"})
    if state.speed <= 0:
        raise ValueError("a clock goes forwards")
    return state


def _is_pattern(ref: str) -> bool:
    return "*" in ref or ref.startswith("/")
