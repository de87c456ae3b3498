"""The webhooks of one world: which events they are owed, and how their deliveries went.

An event is a change of status up to now, of a pipeline or a job of the hook's project. It is
recorded once, with the body that its moment gives, and is due until a response is recorded.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mock_gitlab.engine.environments import TOLD, deployment_status, slug_of, tier_of
from mock_gitlab.engine.faults import FaultCounters
from mock_gitlab.engine.hooks import SENT, alert_status, allows, pause_after, render
from mock_gitlab.engine.matching import DeliveryPattern
from mock_gitlab.engine.model import NEVER, Invalid, NotFound
from mock_gitlab.store.hooks import EVERY_PROJECT, DeliveryTable, Event, Hook, HookTable

from .payloads import Deployed, Moment, deployment_payload, job_payload, pipeline_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mock_gitlab.engine.hooks import AlertStatus, HookSpec
    from mock_gitlab.engine.matching import Fault
    from mock_gitlab.engine.model import Declarations, Instant, Project
    from mock_gitlab.engine.timeline import Change, Timeline
    from mock_gitlab.store.database import Database
    from mock_gitlab.store.hooks import Delivery

    from .catalog import Catalog
    from .clock import Clock
    from .deployments import Deployments
    from .pipelines import Pipelines

_NOTHING = DeliveryPattern()
DEFAULT_SITE = "http://localhost"
"""The URL of GitLab in payloads, until a request has shown under which the mock is reached."""


class Hooks:
    """The webhooks of one world. ``active`` is whether there are any."""

    def __init__(
        self,
        database: Database,
        pipelines: Pipelines,
        deployments: Deployments,
        catalog: Catalog,
        clock: Clock,
    ) -> None:
        self._db = database
        self._pipelines = pipelines
        self._deployed = deployments
        self._catalog = catalog
        self._clock = clock
        self._table = HookTable(database)
        self._deliveries = DeliveryTable(database)
        self.declared: Declarations
        self.site = DEFAULT_SITE
        self._looked: dict[int, Instant] = {}
        self._done: set[int] = set()
        self._quiet_until: dict[int, Instant] = {}
        self._made_looked: set[int] = set()
        self.active = False
        self.courier: Any = None  # of the rooms above
        self.faults: Callable[[], Iterable[Fault]] = tuple
        self.fault_counters: Callable[[], FaultCounters] = FaultCounters
        database.after_every_rollback(self.forget)

    def forget(self) -> None:
        """Look at every pipeline again: what it follows was changed, or rows were rolled back."""
        self._looked.clear()
        self._done.clear()
        self._quiet_until.clear()
        self._made_looked.clear()

    def apply(self, declared: Declarations) -> None:
        """Take over what the files declare, within a transaction."""
        wanted = [(project.id, hook) for project in declared.projects for hook in project.hooks]
        wanted += [(EVERY_PROJECT, hook) for hook in declared.hooks]
        self._table.replace_declared(wanted, self._clock.now())
        self.declared = declared
        self._changed()

    def _changed(self) -> None:
        self.forget()
        self.active = bool(self._table.select())
        self._pipelines.touched = set() if self.active else None

    # ------------------------------------------------------------------ hooks

    def select(self, project: Project) -> list[Hook]:
        """List the hooks of a project, oldest first."""
        return self._table.select(project.id)

    def hook(self, project: Project, number: int) -> Hook:
        """Find a hook of a project; raises NotFound."""
        found = self._table.get(number)
        if found is None or found.project_id not in (project.id, EVERY_PROJECT):
            raise NotFound("hook")
        return found

    def create(self, project: Project, spec: HookSpec, site: str) -> Hook:
        """Make a hook; raises Invalid if it may not have its URL."""
        self._check(spec)
        with self._db.transaction():
            number = self._table.insert(project.id, spec, site, self._clock.now())
            self._changed()
            self.record_due("skipped", number)  # what has happened before is not told
        return self.hook(project, number)

    def update(self, hook: Hook, spec: HookSpec) -> None:
        """Change a hook; raises Invalid if it may not have its URL."""
        self._check(spec)
        with self._db.transaction():
            self._table.update(hook.id, spec)

    def delete(self, hook: Hook) -> None:
        """Delete a hook."""
        with self._db.transaction():
            self._table.delete(hook.id)
            self._changed()

    def _check(self, spec: HookSpec) -> None:
        if not allows(spec.target, self.declared.webhook_hosts):
            raise Invalid("Invalid url given")

    def alert(self, hook: Hook) -> AlertStatus:
        """Return whether a hook is sent to now."""
        return alert_status(hook.failures, hook.disabled_until, self._clock.now())

    # ------------------------------------------------------------------ events

    def record_due(self, state: str = "due", hook_id: int | None = None) -> None:
        """Record the events up to now, for all hooks or for one."""
        hooks = [hook for hook in self._table.select() if hook_id in (None, hook.id)]
        now = self._pipelines.start_due_bridges()
        with self._db.transaction():
            for project_id in self._projects_of(hooks):
                mine = [hook for hook in hooks if hook.project_id in (project_id, EVERY_PROJECT)]
                for number in self._changing(project_id, now):
                    self._record_pipeline(number, mine, now, state)
                self._record_made(project_id, mine, now, state)

    def _projects_of(self, hooks: Iterable[Hook]) -> Iterable[int]:
        found = dict.fromkeys(hook.project_id for hook in hooks)
        if EVERY_PROJECT not in found:
            return found
        return [project.id for project in self._catalog.projects()]

    def _changing(self, project_id: int, now: Instant) -> list[int]:
        """List the pipelines that may have changed since they were looked at."""
        for number in self._pipelines.touched or ():
            self._looked.pop(number, None)
            self._done.discard(number)
            self._quiet_until.pop(number, None)
        (self._pipelines.touched or set()).clear()
        numbers = self._pipelines.table.numbers_of(project_id)
        quiet, done = self._quiet_until, self._done
        return [each for each in numbers if each not in done and quiet.get(each, 0) <= now]

    def _record_pipeline(
        self, number: int, hooks: Iterable[Hook], now: Instant, state: str
    ) -> None:
        timeline = self._pipelines.timelines.get(number)
        changes = timeline.changes(self._looked.get(number, 0) - 1, now)
        for hook in hooks:
            known = self._deliveries.known(hook.id, number) if changes else set()
            for change in changes:
                for event in _events(hook, timeline, change):
                    if event not in known:
                        self._record(hook, event, state)
        self._looked[number] = now
        coming = timeline.next_change(now)
        if coming is not None:
            self._quiet_until[number] = coming
        elif timeline.counts_polls(now):
            self._quiet_until[number] = NEVER  # a poll is written, and so noticed
        else:
            self._done.add(number)

    def _record_made(
        self, project_id: int, hooks: Iterable[Hook], now: Instant, state: str
    ) -> None:
        """Record the events of the deployments that the API has made, which no pipeline tells."""
        self._made_looked -= self._deployed.touched
        self._deployed.touched.clear()
        if project_id in self._made_looked:
            return
        self._made_looked.add(project_id)
        for hook in hooks:
            if "deployment_events" not in hook.spec.events:
                continue
            known = self._deliveries.known(hook.id, 0)
            for number, at, status in self._deployed.made_changes(project_id):
                event = Event(hook.id, "deployment_events", 0, number, status, at)
                if hook.created_at <= at <= now and event not in known:
                    self._record(hook, event, state)

    def _record(self, hook: Hook, event: Event, state: str) -> None:
        paused = alert_status(hook.failures, hook.disabled_until, event.at) != "executable"
        body = "" if paused or state != "due" else self._body(hook, event)
        kept = "skipped" if paused else state
        broken = self._fault_of(event) if kept == "due" else None
        if broken is None:
            self._insert(event, kept, body)
        else:
            self._insert_broken(hook, event, body, broken)
        if kept == "due" and (broken is None or broken.fault != "out_of_order"):
            self._deliveries.release(hook.id, event.at)

    def _insert(
        self, event: Event, state: str, body: str, broken: DeliveryPattern = _NOTHING
    ) -> None:
        ids = str(uuid4()), str(uuid4())
        fault, late = broken.fault, broken.late
        self._deliveries.insert(event, state, body, *ids, late=late, fault=fault)
        if fault == "twice":
            again = event._replace(retry=self._deliveries.tries())
            self._deliveries.insert(again, state, body, *ids, late=late, fault=fault)

    def _insert_broken(self, hook: Hook, event: Event, body: str, broken: DeliveryPattern) -> None:
        """Record an event with what a fault does to its delivery."""
        state = {"lost": "lost", "out_of_order": "held"}.get(broken.fault or "", "due")
        if broken.fault == "old_payload":
            body = self._body(hook, self._before(event))
        self._insert(event, state, body, broken)

    def _fault_of(self, event: Event) -> DeliveryPattern | None:
        """Find the fault that applies to the delivery of an event, and count it."""
        faults = (*self.faults(), *self._faults_of_scenario(event))
        if not any(fault.delivery for fault in faults):
            return None
        project = self._project_of(event)
        return self.fault_counters().due_for_delivery(
            faults, SENT[event.event], event.status, (project.id, project.path), event.at
        )

    def _project_of(self, event: Event) -> Project:
        """Find the project of the pipeline, or of the deployment that the API has made."""
        if event.pipeline_id:
            number = self._pipelines.timelines.get(event.pipeline_id).record.project_id
        else:
            number = self._deployed.made(event.job_id).project_id
        return self._catalog.project_of_record(number)

    def _faults_of_scenario(self, event: Event) -> Iterable[Fault]:
        if not event.pipeline_id:
            return ()
        return self._pipelines.timelines.get(event.pipeline_id).scenario.faults

    def _before(self, event: Event) -> Event:
        """Move an event back to before its moment, or leave it if there was nothing before."""
        if not event.pipeline_id or event.event == "deployment_events":
            return event
        timeline = self._pipelines.timelines.get(event.pipeline_id)
        earlier = event._replace(at=event.at - 1)
        if event.job_id and timeline.job(event.job_id, earlier.at) is None:
            return event
        return earlier

    def next_due(self) -> Instant | None:
        """Return when the next delivery goes out that a fault has made late."""
        return self._deliveries.next_due(self._clock.now()) if self.active else None

    def _body(self, hook: Hook, event: Event) -> str:
        payload, template = self._payload(hook, event), hook.spec.custom_webhook_template
        return json.dumps(payload) if template is None else render(template, payload)

    def _payload(self, hook: Hook, event: Event) -> dict[str, Any]:
        if event.event == "deployment_events":
            return deployment_payload(self._deployment(hook, event))
        timeline = self._pipelines.timelines.get(event.pipeline_id)
        record = timeline.record
        above = next(self._pipelines.timelines.upstream_of(record), None)
        moment = Moment(
            hook.site or self.site,
            self.declared.user,
            self._catalog.project_of_record(record.project_id),
            record,
            timeline,
            event.at,
            above and (self._catalog.project_of_record(above.project_id), above),
        )
        if event.event == "pipeline_events":
            return pipeline_payload(moment)
        job = timeline.job(event.job_id, event.at)
        assert job is not None
        return job_payload(moment, job)

    def _deployment(self, hook: Hook, event: Event) -> Deployed:
        """See the deployment of an event at its moment."""
        project = self._project_of(event)
        salt = self._deployed.salt(project)
        job_id: int | None = None
        if event.pipeline_id:
            timeline = self._pipelines.timelines.get(event.pipeline_id)
            job = timeline.job(event.job_id, event.at)
            spec = job and self._deployed.environment_of(project, timeline.record, job)
            assert job is not None
            assert spec is not None
            name, tier, url, sha = spec.name, spec.tier, spec.url, timeline.record.sha
            job_id = None if job.is_bridge else job.id
        else:
            made = self._deployed.made(event.job_id)
            said = self._deployed.settings(project, made.environment)
            name, tier, url, sha = made.environment, said.tier, said.external_url, made.sha
        return Deployed(
            hook.site or self.site,
            self.declared.user,
            project,
            event.job_id,
            job_id,
            name,
            tier or tier_of(name),
            slug_of(name, salt),
            url,
            sha,
            event.status,
            event.at,
        )

    # ------------------------------------------------------------------ deliveries

    def due(self, limit: int) -> list[tuple[Hook, Delivery]]:
        """List what is to be delivered now, in the order of time."""
        found = []
        for delivery in self._deliveries.due(self._clock.now(), limit):
            hook = self._table.get(delivery.event.hook_id)
            assert hook is not None
            found.append((hook, delivery))
        return found

    def is_wanted(self, hook: Hook, delivery: Delivery) -> bool:
        """Return whether a delivery is still due; one to a disabled hook is not sent."""
        now_hook, now = self._table.get(hook.id), self._deliveries.get(delivery.id)
        if now_hook is None or now is None or now.state != "due":
            return False
        if self.alert(now_hook) == "executable":
            return True
        self._deliveries.skip(delivery.id)
        return False

    def responded(self, hook: Hook, delivery: Delivery, response: dict[str, Any]) -> None:
        """Record the response to a delivery, and what it means for the hook."""
        current = self._table.get(hook.id)
        if current is None:
            return
        with self._db.transaction():
            self._deliveries.sent(delivery.id, response)
            again = delivery.event.retry > 0  # a test, or one sent again, counts if it is good
            failures = 0 if response["ok"] else current.failures + (not again)
            pause = pause_after(failures)
            until = self._clock.now() + pause if pause else None
            if again and failures:
                until = current.disabled_until
            self._table.count_failures(hook.id, failures, until)

    def skip_due(self, *, but_last: bool) -> None:
        """Leave out what is due, perhaps but for the last event of each pipeline and job."""
        self._deliveries.skip_due(but_last=but_last)

    def deliveries(
        self,
        limit: int,
        hook_id: int | None = None,
        pipeline_id: int | None = None,
        status: str | None = None,
    ) -> list[Delivery]:
        """List the newest deliveries, of all or of those that match, oldest first."""
        return self._deliveries.newest(limit, hook_id, pipeline_id, status)

    def made(self, numbers: Iterable[int]) -> list[Delivery]:
        """Find deliveries by their numbers, except those whose hook was deleted meanwhile."""
        found = map(self._deliveries.get, numbers)
        return [delivery for delivery in found if delivery is not None]

    def sent_to(self, hook: Hook) -> list[Delivery]:
        """List what was sent to a hook, newest first."""
        return self._deliveries.of_hook(hook.id)

    def delivery(self, hook: Hook, number: int) -> Delivery:
        """Find what was sent to a hook; raises NotFound."""
        found = self._deliveries.get(number)
        if found is None or found.event.hook_id != hook.id or found.state != "sent":
            raise NotFound("hook event")
        return found

    def test(self, hook: Hook, project: Project, event: str) -> Delivery:
        """Make a delivery of the newest pipeline, job or deployment, for a test.

        Raises:
            NotFound: the project has none yet.
        """
        if event == "deployment_events":
            return self._test_deployment(hook, project)
        view = next(self._pipelines.every(project.id), None)
        jobs = [] if view is None else [job for job in view.state.jobs if not job.is_bridge]
        if view is None or (event == "job_events" and not jobs):
            raise NotFound("hook test")
        job = jobs[-1].id if event == "job_events" else 0
        told = Event(hook.id, event, view.record.id, job, view.state.status, view.now)
        return self._again(told, self._body(hook, told))

    def _test_deployment(self, hook: Hook, project: Project) -> Delivery:
        found = self._deployed.of(project)
        if not found:
            raise NotFound("hook test of deployments")
        newest, job = found[-1], found[-1].job
        pipeline = 0 if job is None else job.pipeline.record.id
        now = self._clock.now()
        told = Event(hook.id, "deployment_events", pipeline, newest.id, newest.status, now)
        return self._again(told, self._body(hook, told))

    def resend(self, delivery: Delivery) -> Delivery:
        """Make the same delivery once more, with the same Idempotency-Key."""
        return self._again(delivery.event, delivery.body, delivery.key)

    def _again(self, event: Event, body: str, key: str | None = None) -> Delivery:
        event = event._replace(retry=self._deliveries.tries())
        number = self._deliveries.insert(event, "asked", body, key or str(uuid4()), str(uuid4()))
        made = self._deliveries.get(number)
        assert made is not None
        return made


def _events(hook: Hook, timeline: Timeline, change: Change) -> Iterator[Event]:
    """List the events of a change that a hook wants."""
    if change.at < hook.created_at:
        return
    number, wanted = timeline.record.id, hook.spec.events
    if change.job_id is None:
        if "pipeline_events" in wanted:
            yield Event(hook.id, "pipeline_events", number, 0, change.after, change.at)
        return
    job = timeline.job(change.job_id, change.at)
    if job is None:
        return  # a status that was posted, of which GitLab sends no webhook
    if "job_events" in wanted and not job.is_bridge:
        yield Event(hook.id, "job_events", number, job.id, change.after, change.at)
    environment, after = job.spec.environment, change.after
    if environment is not None and environment.action == "start":
        status = deployment_status(after)
        if "deployment_events" in wanted and status in TOLD and after != "canceling":
            yield Event(hook.id, "deployment_events", number, job.id, status, change.at)
