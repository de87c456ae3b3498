"""World: one isolated mock GitLab; a method for each thing that can be asked of it.

Nothing here awaits, so each call is atomic on the event loop; therefore nothing locks.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from mock_gitlab.engine.faults import FaultCounters
from mock_gitlab.engine.matching import next_of_sequence
from mock_gitlab.engine.model import (
    Action,
    ActionName,
    AlreadyExists,
    Declarations,
    DeclaredScenario,
    Invalid,
    NotFound,
    PipelineRecord,
    RejectedByRule,
    split_job_id,
)
from mock_gitlab.engine.timeline import ORPHANED
from mock_gitlab.store.database import RULE_COUNT
from mock_gitlab.store.scenarios import ScenarioTable
from mock_gitlab.world.catalog import Catalog
from mock_gitlab.world.clock import Clock, ClockState
from mock_gitlab.world.creation import PipelineRequest
from mock_gitlab.world.jobs import Jobs
from mock_gitlab.world.journal import Journal
from mock_gitlab.world.lookahead import Changed, Lookahead
from mock_gitlab.world.pipelines import CreatedPipeline, Pipelines, PipelineView
from mock_gitlab.world.runtime import RuntimeDeclarations

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.engine.matching import Choice, Fault, Rule
    from mock_gitlab.engine.model import (
        ClockSetting,
        Instant,
        Project,
        Scenario,
    )
    from mock_gitlab.store.database import Database
    from mock_gitlab.world.bridges import BridgeStart


class World:
    """One isolated mock GitLab over one database, perhaps with a clock and seed of its own."""

    def __init__(
        self,
        database: Database,
        declarations: Declarations,
        clock: Clock,
        *,
        own_clock: ClockSetting | None = None,
        own_seed: str | None = None,
    ) -> None:
        self._own = {"clock": own_clock, "seed": own_seed}
        self.shared = declarations
        self.declared = self._mine(declarations)
        self.clock = clock
        self.journal = Journal(declarations.journal_limit)
        self.fault_counters = FaultCounters()
        self.runtime_faults: RuntimeDeclarations[Fault] = RuntimeDeclarations("fault")
        self.runtime_rules: RuntimeDeclarations[Rule] = RuntimeDeclarations("rule")
        self._scenarios_have_faults = False
        self._db = database
        self._scenarios = ScenarioTable(database)
        self.catalog = Catalog(database)
        self.pipelines = Pipelines(database, self._scenarios, self.catalog, clock)
        self.pipelines.bridges.start = self._start_downstream
        self.jobs = Jobs(self.pipelines, self.catalog)
        self._lookahead = Lookahead(self.pipelines, database)
        self._set_clock_as_stored()
        self.apply(declarations)
        self.pipelines.invalidate_after(self.clock.now())

    def _mine(self, declarations: Declarations) -> Declarations:
        own = {name: value for name, value in self._own.items() if value is not None}
        return replace(declarations, **own)  # type: ignore[arg-type]  # the names stand in __init__

    def _salt(self, seed: str | None) -> str:
        if seed is not None:
            return f"seed {seed}"
        salt = self._db.meta("salt")
        if salt is None:
            salt = secrets.token_hex(16)
            self._db.remember("salt", salt)
        return salt

    def reset(self) -> None:
        """Become as new: nothing recorded or declared at run time, the clock as configured."""
        with self._db.transaction():
            self._db.forget()
            for declared in self._scenarios.select("runtime"):
                self._scenarios.delete(declared.scenario.scenario_id)
            self._configure_clock()  # before declared tokens are created anew
            self._declare(self.shared)
        self.runtime_faults.clear()
        self.runtime_rules.clear()
        self.fault_counters = FaultCounters()
        self._look_for_faults()
        self.journal.clear()

    def close(self) -> None:
        """Close the store."""
        self._db.close()

    # ------------------------------------------------------------------ what is declared

    def apply(self, declarations: Declarations) -> None:
        """Put declarations in force, all of them or, where the store fails, none."""
        with self._db.transaction():
            self._declare(declarations)
        self._look_for_faults()
        self.journal.resize(self.declared.journal_limit)

    def _declare(self, declarations: Declarations) -> None:
        mine = self._mine(declarations)
        clock_was_edited = mine.clock != self.declared.clock
        changed = self._scenarios.replace_declared(mine.scenarios)
        self.catalog.apply(mine, self._salt(mine.seed), self.clock.now())
        if changed:
            self.pipelines.invalidate_scenarios(changed)
        in_force = (*self.runtime_rules, *mine.rules)
        self._db.forget_rules({_rule_key(rule) for rule in in_force})
        self._db.if_rolled_back(partial(self._know, self.shared, self.declared))
        self._know(declarations, mine)
        self.pipelines.look_for_bridges()
        if clock_was_edited:  # what starts on the way does so as is declared now
            self._configure_clock()

    def _know(self, shared: Declarations, mine: Declarations) -> None:
        self.shared, self.declared = shared, mine

    def scenarios(self, source: str | None = None) -> list[DeclaredScenario]:
        """List the scenarios by number."""
        return self._scenarios.select(source)

    def scenario(self, number: int) -> DeclaredScenario:
        """Find a scenario; raises NotFound."""
        found = self._scenarios.get(number)
        if found is None:
            raise NotFound("scenario")
        return found

    def create_scenario(self, declared: DeclaredScenario) -> DeclaredScenario:
        """Add a scenario at run time; raises AlreadyExists where its number is in use."""
        if self._scenarios.exists(declared.scenario.scenario_id):
            raise AlreadyExists(f"scenario_id {declared.scenario.scenario_id} is taken")
        return self._write_scenario(declared)

    def replace_scenario(self, declared: DeclaredScenario) -> DeclaredScenario:
        """Put a scenario in the place of another; raises NotFound where there is none."""
        self.scenario(declared.scenario.scenario_id)
        return self._write_scenario(declared)

    def delete_scenario(self, number: int) -> None:
        """Remove a scenario; what follows it keeps its inline values.

        Under a runtime scenario what was declared for its number comes to light again; a declared
        one is back at the next reload.
        """
        runtime = self.scenario(number).source == "runtime"
        covered = self.declared.declared(number)
        with self._db.transaction():
            self._scenarios.delete(number)
            if runtime and covered is not None:
                self._scenarios.upsert([covered])
            self.pipelines.invalidate_scenarios([number])
        self._scenarios_changed()

    def _write_scenario(self, declared: DeclaredScenario) -> DeclaredScenario:
        with self._db.transaction():
            self._scenarios.upsert([declared])
            self.pipelines.invalidate_scenarios([declared.scenario.scenario_id])
        self._scenarios_changed()
        return self.scenario(declared.scenario.scenario_id)

    def _scenarios_changed(self) -> None:
        self.pipelines.look_for_bridges()
        self._look_for_faults()

    def _look_for_faults(self) -> None:
        numbers = self._scenarios.having("faults")
        self._scenarios_have_faults = bool(numbers)
        of_scenarios = (s.faults for s in map(self._scenarios.behaviour, numbers) if s is not None)
        faults = (*self.faults(), *chain.from_iterable(of_scenarios))
        self.fault_counters.keep({fault.key for fault in faults})

    @property
    def has_faults(self) -> bool:
        """Whether any fault is in force, so that a call without one need not look further."""
        return bool(self.runtime_faults or self.declared.faults or self._scenarios_have_faults)

    def faults_about(
        self, project_id: int | None, pipeline: str | None, job: str | None
    ) -> tuple[Fault, ...]:
        """List the faults of the scenario that a project's pipeline, or its job's, follows."""
        number = pipeline if job is None else job
        if not self._scenarios_have_faults or number is None or not number.isdecimal():
            return ()
        try:
            found = int(number) if job is None else split_job_id(int(number))[0]
            seen = self.pipelines.pipeline_of_any_project(found)
        except (NotFound, ValueError):  # more digits than Python reads
            return ()
        return seen.timeline.scenario.faults if seen.project.id == project_id else ()

    def faults(self) -> list[Fault]:
        """List the faults in force: those of the run first, then the declared ones."""
        return [*self.runtime_faults, *self.declared.faults]

    def rules(self) -> tuple[Rule, ...]:
        """List the rules in force, in the order in which they are tried: those of the run first."""
        if not self.runtime_rules:
            return self.declared.rules
        return (*self.runtime_rules, *self.declared.rules)

    def add_rule(self, rule: Rule) -> Rule:
        """Put a rule in force at run time; raises Invalid where it names an unknown scenario."""
        for number in rule.scenarios:
            if not self._scenarios.exists(number):
                raise Invalid(f"there is no scenario {number}")
        return self.runtime_rules.add(rule)

    # ------------------------------------------------------------------ pipelines

    def trigger(self, project: Project, order: PipelineRequest) -> CreatedPipeline:
        """Start a pipeline.

        Raises:
            NotFound: the ref, or the scenario that the order names.
            RejectedByRule: a rule answers instead.
        """
        self.pipelines.start_due_bridges()  # what began before gets its number before
        choice = order.choose(project, self.declared.user, self.rules())
        is_tag = self.catalog.is_tag(project, order.ref)
        if choice.rule is None and order.token is None:
            return self._start(project, order, choice, is_tag=is_tag)
        with self._db.transaction():
            before = 0 if choice.rule is None else self._count_match(choice.rule)
            if choice.rule is None or choice.rule.respond is None:
                if order.token is not None:
                    self.catalog.token_used(order.token, self.clock.now())
                return self._start(project, order, choice, is_tag=is_tag, matched_before=before)
        raise RejectedByRule(choice.rule.respond, order.explain(choice, None))

    def _start(
        self,
        project: Project,
        order: PipelineRequest,
        choice: Choice,
        *,
        is_tag: bool,
        matched_before: int = 0,
    ) -> CreatedPipeline:
        recorded = self._recorded(project, order, choice, is_tag, matched_before)
        return self.pipelines.add(project, *recorded)

    def _start_downstream(self, begun: BridgeStart) -> None:
        """Record the pipeline that a bridge starts; rules that answer requests pass it by."""
        wanted = begun.downstream
        project = self.catalog.project(wanted.project)
        order = PipelineRequest(
            ref=wanted.ref or project.default_branch,
            source="pipeline",
            variables=wanted.variables,
            scenario_id=wanted.scenario_id,
            upstream=begun,
        )
        rules = tuple(rule for rule in self.rules() if rule.respond is None)
        choice = order.choose(project, self.declared.user, rules)
        before = 0 if choice.rule is None else self._count_match(choice.rule)
        is_tag = self.catalog.is_tag(project, order.ref)
        self.pipelines.insert(self._recorded(project, order, choice, is_tag, before)[0])

    def _recorded(
        self,
        project: Project,
        order: PipelineRequest,
        choice: Choice,
        is_tag: bool,
        matched_before: int,
    ) -> tuple[PipelineRecord, Scenario]:
        rule, upstream = choice.rule, order.upstream
        number, scenario = self._scenario_of(order, rule, matched_before)
        record = PipelineRecord(
            id=0,
            iid=0,
            project_id=project.id,
            ref=order.ref,
            sha=self.catalog.sha(project, order.ref),
            source=order.source,
            created_at=self.clock.now() if upstream is None else upstream.at,
            tag=is_tag,
            name=None if rule is None else rule.name,
            variables=order.variables_under(rule),
            scenario_id=number,
            terminal_after=order.terminal_after,
            terminal_status=order.terminal_status,
            matched=order.explain(choice, number) if self.rules() else None,
            upstream_job_id=None if upstream is None else upstream.job_id,
        )
        return record, scenario

    def _scenario_of(
        self, order: PipelineRequest, rule: Rule | None, matched_before: int
    ) -> tuple[int, Scenario]:
        number = order.scenario_id
        if number is None and rule is not None:
            number = next_of_sequence(rule, matched_before)
        if number is None:
            number = self.declared.default_scenario
        scenario = self._scenarios.behaviour(number)
        if scenario is None and order.scenario_id is not None and order.upstream is None:
            raise NotFound("scenario")
        return number, scenario or ORPHANED

    def rule_matches(self, rule: Rule) -> int:
        """Tell how many pipelines a rule has caught in this world."""
        return int(self._db.meta(_rule_key(rule)) or 0)

    def _count_match(self, rule: Rule) -> int:
        before = self.rule_matches(rule)
        self._db.remember(_rule_key(rule), str(before + 1))
        return before

    def act(
        self, project: Project, number: int, name: ActionName, job_id: int | None = None
    ) -> PipelineView:
        """Do something to a pipeline or one of its jobs, and see it afterwards.

        Raises:
            NotFound: no such pipeline or job.
            NotAllowed: GitLab does not allow it in the present state.
        """
        seen = self.pipelines.pipeline(project, number)
        action = Action(name, seen.now, job_id)
        seen.timeline.permits(action)
        if not seen.timeline.affects(action):
            return seen
        self.pipelines.append(seen, action)
        return self.pipelines.pipeline(project, number)

    def delete_artifacts(self, project: Project) -> None:
        """Delete the artifacts of all jobs of a project that are there by now."""
        for seen in list(self.pipelines.leaving_artifacts(project.id)):
            action = Action("delete_artifacts", seen.now)
            if seen.timeline.affects(action):
                self.pipelines.append(seen, action)

    # ------------------------------------------------------------------ what was used

    def branches(self, project: Project) -> list[str]:
        """Name the branches that are declared without a wildcard, or that pipelines ran on."""
        declared = [ref for ref in project.refs or () if not _is_pattern(ref)]
        used = self.pipelines.branches(project.id)
        return sorted({project.default_branch, *declared, *used})

    def tags(self, project: Project) -> list[str]:
        """Name the tags that are declared without a wildcard, or that pipelines ran on."""
        declared = [tag for tag in project.tags if not _is_pattern(tag)]
        return sorted({*declared, *self.pipelines.tags(project.id)})

    def knows_commit(self, project: Project, sha: str) -> str | None:
        """Complete the beginning of a sha to that of a branch or tag."""
        heads = (
            self.catalog.sha(project, ref) for ref in (*self.branches(project), *self.tags(project))
        )
        return next((head for head in heads if head.startswith(sha)), None)

    # ------------------------------------------------------------------ time

    def move_clock(self, move: Callable[[Clock], None]) -> None:
        """Let ``move`` change the clock, and keep it over restarts; statuses follow.

        What bridges start until then and on the way is started, whether anybody looks or not.
        Where the clock cannot be kept, it stays as it was.
        """
        before = self.pipelines.start_due_bridges()
        with self._db.transaction():
            self._db.if_rolled_back(partial(self.clock.restore, self.clock.state()))
            move(self.clock)
            self._store_clock()
            now = self.pipelines.start_due_bridges()
            if now < before:
                self.pipelines.invalidate_after(now)

    def jump(self, project_id: int | None = None, pipeline_id: int | None = None) -> list[Changed]:
        """Jump to the next moment at which something visible changes: anywhere, or there.

        Returns what has changed on the way; raises NotFound where there is no such pipeline.
        """
        if pipeline_id is not None:
            seen = self.pipelines.pipeline_of_any_project(pipeline_id)
            if project_id not in (None, seen.project.id):
                raise NotFound("pipeline")

        def to(moment: Instant) -> None:
            self.move_clock(lambda clock: clock.set(moment))

        return self._lookahead.jump(to, project_id, pipeline_id)

    def _configure_clock(self) -> None:
        self.move_clock(lambda clock: clock.configure(self.declared.clock))

    def _set_clock_as_stored(self) -> None:
        kept = json.loads(self._db.meta("clock") or "{}")
        if kept.get("declared") == asdict(self.declared.clock):
            self.clock.restore(ClockState(kept["frozen_at"], kept["offset"]))
        else:
            self.clock.configure(self.declared.clock)
            self._store_clock()

    def _store_clock(self) -> None:
        kept = {**asdict(self.clock.state()), "declared": asdict(self.declared.clock)}
        self._db.remember("clock", json.dumps(kept))


def _is_pattern(ref: str) -> bool:
    return "*" in ref or ref.startswith("/")


def _rule_key(rule: Rule) -> str:
    return f"{RULE_COUNT}{rule.key}"
