"""Creating pipelines: what is asked for, which scenario that gets, and why."""

from __future__ import annotations

import json
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.matching import next_of_sequence
from mock_gitlab.engine.model import (
    InvalidCiFile,
    NotFound,
    PipelineRecord,
    RejectedByRule,
    ScenarioChoice,
    split_job_id,
)
from mock_gitlab.engine.rule_index import RuleIndex
from mock_gitlab.engine.sources import CHILD_SOURCE
from mock_gitlab.store.database import RULE_COUNT
from mock_gitlab.store.errors import reading
from mock_gitlab.store.rules import RuleSetTable

from .explaining import Preview, explanation
from .pipeline_request import PipelineRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_gitlab.engine.matching import Rule, Trigger
    from mock_gitlab.engine.model import (
        Declarations,
        Project,
    )
    from mock_gitlab.store.database import Database
    from mock_gitlab.store.scenarios import ScenarioTable

    from .bridges import BridgeStart
    from .catalog import Catalog
    from .clock import Clock
    from .pipelines import CreatedPipeline, Pipelines
    from .runtime import RuntimeDeclarations


class Creation:
    """Creates the pipelines of one world."""

    def __init__(
        self,
        database: Database,
        pipelines: Pipelines,
        scenarios: ScenarioTable,
        catalog: Catalog,
        clock: Clock,
    ) -> None:
        self._db = database
        self._pipelines = pipelines
        self._scenarios = scenarios
        self._catalog = catalog
        self._clock = clock
        self._rule_sets = RuleSetTable(database)
        self._matches: dict[str, int] = {}
        database.after_every_rollback(self._matches.clear)
        self.declared: Declarations
        self.rules: tuple[Rule, ...] = ()
        self._indices: dict[bool, RuleIndex] = {}
        pipelines.bridges.start = self._start_downstream

    def use(self, declared: Declarations, runtime: RuntimeDeclarations[Rule]) -> None:
        """Choose by these declarations from now on, rules declared at run time first."""
        self.declared = declared
        self._matches.clear()
        self._rule_sets.forget()
        self.rules = runtime.in_force(declared.rules)
        self._indices.clear()

    # ------------------------------------------------------------------ creating

    def trigger(self, project: Project, wanted: PipelineRequest) -> CreatedPipeline:
        """Create the pipeline that a client asks for.

        Raises:
            NotFound: the ref, or the scenario that is asked for.
            RejectedByRule: a rule answers instead.
            InvalidCiFile: no pipeline is created; the source is "api".
        """
        self._pipelines.start_due_bridges()  # what began before gets its number before
        ref, tag = self._catalog.resolve(project, wanted.ref)
        if ref != wanted.ref:
            wanted = wanted._replace(ref=ref)
        rule = self._choose(project, wanted, tag)
        if rule is None and wanted.token is None:
            return self._add(project, self._record(project, wanted, rule, tag, 0))
        with self._db.transaction():
            before = 0 if rule is None else self._count_match(rule)
            if rule is None or rule.respond is None:
                if wanted.token is not None:
                    self._catalog.token_used(wanted.token, self._clock.now())
                return self._add(project, self._record(project, wanted, rule, tag, before))
        raise RejectedByRule(rule.respond, rule.place)

    def _add(self, project: Project, record: PipelineRecord) -> CreatedPipeline:
        """Record a pipeline, unless it is one that GitLab saves only if its CI file is valid."""
        if record.source == "api" and record.scenario_id is not None:
            scenario = self._scenarios.behaviour(record.scenario_id)
            if scenario is not None and scenario.yaml_errors is not None:
                raise InvalidCiFile(scenario.yaml_errors)
        return self._pipelines.add(project, record)

    def _start_downstream(self, bridge: BridgeStart) -> None:
        """Record the pipeline that a bridge starts; rules that answer requests do not apply."""
        downstream = bridge.downstream
        wanted = PipelineRequest(
            ref=downstream.ref or "",
            source="pipeline",
            variables=downstream.variables,
            scenario_id=downstream.scenario_id,
            upstream=bridge,
        )
        if downstream.project is None:
            parent = self._pipelines.timelines.get(split_job_id(bridge.job_id)[0]).record
            project, tag = self._catalog.project_of_record(parent.project_id), parent.tag
            wanted = wanted._replace(ref=parent.ref, source=CHILD_SOURCE, sha=parent.sha)
        else:
            project = self._catalog.project(downstream.project)
            ref, tag = self._catalog.resolve(project, wanted.ref or project.default_branch)
            wanted = wanted._replace(ref=ref)
        rule = self._choose(project, wanted, tag)
        before = 0 if rule is None else self._count_match(rule)
        self._pipelines.insert(self._record(project, wanted, rule, tag, before))

    def _choose(self, project: Project, wanted: PipelineRequest, tag: bool) -> Rule | None:
        """Find the rule that chooses the scenario; none does if the request names a scenario."""
        if not self.rules or wanted.scenario_id is not None:
            return None
        rules = self._index(wanted.upstream is not None)
        return rules.choose(wanted.trigger(project, tag, self._username))

    def _index(self, by_bridge: bool) -> RuleIndex:
        """Return the rules that triggers try, or those that bridges try."""
        if by_bridge not in self._indices:
            rules = _for_bridges(self.rules) if by_bridge else self.rules
            self._indices[by_bridge] = RuleIndex(rules)
        return self._indices[by_bridge]

    def _record(
        self,
        project: Project,
        wanted: PipelineRequest,
        rule: Rule | None,
        tag: bool,
        matched_before: int,
    ) -> PipelineRecord:
        upstream, variables = wanted.upstream, wanted.variables_with(rule)
        return PipelineRecord(
            id=0,
            iid=0,
            project_id=project.id,
            ref=wanted.ref,
            sha=wanted.sha or self._catalog.sha(project, wanted.ref),
            source=wanted.source,
            created_at=self._clock.now() if upstream is None else upstream.at,
            tag=tag,
            name=None if rule is None else rule.name,
            variables=variables,
            scenario_id=self._scenario_of(wanted, rule, matched_before),
            terminal_after=wanted.terminal_after,
            terminal_status=wanted.terminal_status,
            choice=self._choice(wanted, rule, len(variables)) if self.rules else None,
            upstream_job_id=None if upstream is None else upstream.job_id,
        )

    def _scenario_of(self, wanted: PipelineRequest, rule: Rule | None, matched_before: int) -> int:
        if wanted.scenario_id is not None:
            if wanted.upstream is None and not self._scenarios.exists(wanted.scenario_id):
                raise NotFound("scenario")
            return wanted.scenario_id
        number = None if rule is None else next_of_sequence(rule, matched_before)
        return self._default_scenario(wanted) if number is None else number

    def _default_scenario(self, wanted: PipelineRequest) -> int:
        """Return the default, which may have been deleted, or may not be declared yet."""
        number = self.declared.default_scenario
        if wanted.upstream is None and not self._scenarios.exists(number):
            raise NotFound("scenario", f"default_scenario is {number}, which nothing declares")
        return number

    # ------------------------------------------------------------------ counting

    def rule_matches(self, rule: Rule) -> int:
        """Return how many pipelines a rule has matched in this world."""
        key = rule_key(rule)
        if key not in self._matches:
            self._matches[key] = self._db.meta_number(key)
        return self._matches[key]

    def _count_match(self, rule: Rule) -> int:
        before = self.rule_matches(rule)
        self._db.remember(rule_key(rule), str(before + 1))
        self._matches[rule_key(rule)] = before + 1
        return before

    # ------------------------------------------------------------------ explaining

    def _choice(self, wanted: PipelineRequest, rule: Rule | None, variables: int) -> ScenarioChoice:
        return ScenarioChoice(
            by=wanted.chosen_by(rule),
            rule=None if rule is None else rule.place,
            rule_key=None if rule is None else rule.key,
            rule_set_id=self._rule_sets.number_of(self.rules),
            rule_variables=variables - len(wanted.variables),
            inputs_json=json.dumps(wanted.inputs) if wanted.inputs else None,
        )

    def preview(self, project: Project, wanted: PipelineRequest) -> Preview:
        """Show what ``trigger`` would do, without creating, counting or storing anything.

        Raises:
            NotFound: the ref, or the scenario that is asked for.
        """
        ref, tag = self._catalog.resolve(project, wanted.ref)
        wanted = wanted._replace(ref=ref)
        rule = self._choose(project, wanted, tag)
        number = None
        if rule is None or rule.respond is None:
            number = self._scenario_of(wanted, rule, 0 if rule is None else self.rule_matches(rule))
        by, trigger = wanted.chosen_by(rule), wanted.trigger(project, tag, self._username)
        key, place = (None, None) if rule is None else (rule.key, rule.place)
        passed_over = [] if by == "request" else _before(key, self.rules)
        why = explanation(by, number, place, passed_over, trigger)
        return Preview(trigger, wanted.variables_with(rule), rule, number, why)

    def explain(self, record: PipelineRecord) -> dict[str, Any] | None:
        """Explain which rule chose the scenario of a pipeline, and why none before it did.

        None: no rules were declared when it was created.
        """
        choice = record.choice
        if choice is None:
            return None
        passed_over = [] if choice.by == "request" else self._passed_over(record, choice)
        trigger = self._trigger_of(record, choice)
        return explanation(choice.by, record.scenario_id, choice.rule, passed_over, trigger)

    def _passed_over(self, record: PipelineRecord, choice: ScenarioChoice) -> list[Rule]:
        rules = self._rule_sets.rules(choice.rule_set_id)
        if record.upstream_job_id is not None:
            rules = _for_bridges(rules)
        return _before(choice.rule_key, rules)

    def _trigger_of(self, record: PipelineRecord, choice: ScenarioChoice) -> Trigger:
        """Rebuild the trigger that the rules matched. Project and user are today's declarations."""
        requested = record.variables[: len(record.variables) - choice.rule_variables]
        with reading(f"the row of pipeline {record.id}"):
            inputs = dict(json.loads(choice.inputs_json or "{}"))
        wanted = PipelineRequest(record.ref, record.source, requested, inputs)
        project = self._catalog.project_of_record(record.project_id)
        return wanted.trigger(project, record.tag, self._username)

    @property
    def _username(self) -> str:
        return self.declared.user.username


def _before(key: str | None, rules: Iterable[Rule]) -> list[Rule]:
    """List the rules before the one with a key: all of them if there is none."""
    return list(takewhile(lambda rule: rule.key != key, rules))


def _for_bridges(rules: Iterable[Rule]) -> list[Rule]:
    return [rule for rule in rules if rule.respond is None]


def rule_key(rule: Rule) -> str:
    """Name the value under which the store counts how often a rule has matched."""
    return f"{RULE_COUNT}{rule.key}"
