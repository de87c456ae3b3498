// Draw what is known. Each function takes the state, and returns elements.

import { h, icon } from "./dom.js";
import { WORDS, courses, duration, ended, instants, percent, shown, spanOf, splitAt, stages, timelineOf } from "./timeline.js";
import { pieces } from "./trace.js";

function time(instant, locale = true) {
  const at = new Date(instant);
  const iso = at.toISOString();
  return h("time", { datetime: iso, title: iso }, locale ? at.toLocaleTimeString() : iso.replace("T", " ").replace(".000Z", "Z"));
}

function status(value, key) {
  return h("span", { class: `status s-${value}`, "data-key": key }, icon(value), WORDS[value] ?? value);
}

function button(label, key, click, attributes = {}) {
  return h("button", { type: "button", "data-key": key, click, ...attributes }, label);
}

// ------------------------------------------------------------------ the clock

/** Show the clock of the world, and what moves it. */
export function clock(state, act) {
  const now = state.now();
  const moves = [
    ["+1 s", "1s"],
    ["+1 m", "1m"],
    ["+5 m", "5m"],
  ];
  return [
    h("span", { class: "state" }, state.clock.frozen ? "❚❚ frozen" : "▶ running"),
    h("strong", { id: "now" }, time(now, false)),
    button(state.clock.frozen ? "Run" : "Freeze", "freeze", () => act.freeze(!state.clock.frozen)),
    moves.map(([label, by]) => button(label, `move ${by}`, () => act.advance(by))),
    button("Next change", "next", act.next),
    button("Start", "start", act.start, { title: "Back to the first moment of this pipeline", disabled: !state.pipeline }),
  ];
}

/** Show the time line of the pipeline: a slider that sets the clock. */
export function strip(state, act) {
  if (!state.pipeline) return [];
  const now = state.now();
  const span = spanOf(state.pipeline.timeline, now);
  const marks = instants(state.pipeline.timeline);
  const slide = (event) => act.setClock(Number(event.target.value));
  const step = (event) => {
    if (event.key === "ArrowRight") act.jump(1);
    else if (event.key === "ArrowLeft") act.jump(-1);
    else return;
    event.preventDefault();
  };
  const label = "The clock on the time line of this pipeline; left and right go from change to change";
  return [
    h("span", {}, time(span.begin)),
    h(
      "div",
      { class: "slider" },
      h("div", { class: "marks", "aria-hidden": "true" }, marks.map((at) => h("i", { style: { left: `${percent(at, span)}%` } }))),
      h("input", {
        type: "range",
        "data-key": "slider",
        min: span.begin,
        max: span.end,
        step: 1,
        value: Math.min(Math.max(now, span.begin), span.end),
        "aria-label": label,
        "aria-valuetext": new Date(now).toISOString(),
        input: slide,
        keydown: step,
      }),
    ),
    h("span", {}, time(span.end)),
    h("span", { class: "coming" }, coming(marks.filter((at) => at > now), now)),
  ];
}

function coming(future, now) {
  if (!future.length) return "nothing more changes by itself";
  const changes = future.length === 1 ? "1 more change" : `${future.length} more changes`;
  return `${changes}, the next in ${duration(future[0] - now)}`;
}

// ------------------------------------------------------------------ lists

/** Show the tabs. */
export function tabs(state) {
  const names = { pipelines: "Pipelines", requests: "Requests", rules: "Rules, faults", scenarios: "Scenarios", webhooks: "Webhooks" };
  return Object.entries(names).map(([name, label]) =>
    h("a", { href: `#/${name}`, "data-key": `tab ${name}`, "aria-current": state.tab === name ? "page" : null }, label),
  );
}

/** Show the list of the tab. */
export function rows(state, act) {
  return { pipelines, requests, rules, scenarios, webhooks }[state.tab](state, act);
}

function pipelines(state, act) {
  const listed = state.pipelines.filter((each) => !state.project || each.project === state.project);
  const filter = state.project
    ? h("p", {}, `Of ${state.project} alone. `, button("Show all", "all projects", () => act.filter(null)))
    : null;
  if (!listed.length) return [filter, empty(state)];
  return [
    filter,
    h(
      "ul",
      { class: "rows", "data-scroll": "pipelines" },
      listed.map((each) =>
        h(
          "li",
          {},
          h(
            "a",
            { href: `#/pipelines/${each.id}`, "data-key": `pipeline ${each.id}`, "aria-current": state.selected === each.id ? "true" : null },
            status(each.status),
            h("b", {}, `#${each.id}`),
            h("span", { class: "ref" }, each.ref),
            h("span", { class: "project" }, each.project),
            time(each.created_at),
          ),
        ),
      ),
    ),
    state.pipelines.length === state.listed ? button("Show more", "more", act.more) : null,
  ];
}

function empty(state) {
  const line = `curl -X POST -H "PRIVATE-TOKEN: $TOKEN" "${location.origin}${state.root}/api/v4/projects/group%2Fapp/pipeline?ref=main"`;
  return h("div", { class: "empty" }, h("p", {}, "No pipeline yet. Trigger one with the form above, or with:"), h("pre", {}, line));
}

function requests(state, act) {
  if (!state.requests.length) return h("p", { class: "empty" }, "No program has asked anything yet.");
  const list = h(
    "ul",
    { class: "rows log", "data-scroll": "requests" },
    state.requests.map((each) =>
      h(
        "li",
        {},
        h(
          "details",
          { "data-key": `request ${each.id}` },
          h(
            "summary",
            { "data-key": `request row ${each.id}` },
            time(each.at),
            h("b", { class: each.status >= 400 || each.status === null ? "bad" : "good" }, each.status ?? each.outcome),
            h("span", { class: "method" }, each.method),
            h("span", { class: "path" }, each.path),
            each.operation === null ? h("em", {}, "no such endpoint") : null,
            each.fault ? h("em", {}, `fault ${each.fault}`) : null,
          ),
          facts(each),
        ),
      ),
    ),
  );
  return [list, state.requests.length === state.listed ? button("Show more", "more", act.more) : null];
}

function facts(value) {
  const known = Object.entries(value).filter(([, each]) => each !== null && each !== "");
  return h(
    "dl",
    {},
    known.map(([name, each]) => [h("dt", {}, name), h("dd", {}, typeof each === "object" ? JSON.stringify(each, null, 1) : `${each}`)]),
  );
}

function rules(state, act) {
  const row = (each, kind, count) =>
    h(
      "li",
      { class: "switched" },
      h(
        "details",
        { "data-key": `${kind} ${each.key}` },
        h("summary", { "data-key": `${kind} row ${each.key}` }, h("b", {}, each.place || each.key), h("span", {}, each.enabled ? count : "switched off")),
        facts(each),
      ),
      button(each.enabled ? "Switch off" : "Switch on", `switch ${kind} ${each.key}`, () => act.switchOne(kind, each), {
        "aria-label": `${each.enabled ? "Switch off" : "Switch on"} ${each.place || each.key}`,
      }),
    );
  const list = (all, kind, count) => h("ul", { class: "rows" }, all.map((each) => row(each, kind, count(each))));
  return [
    h("h2", {}, "Rules"),
    state.rules.length ? list(state.rules, "rules", (each) => `matched ${each.matches}`) : h("p", {}, "None: the default scenario is chosen."),
    h("h2", {}, "Faults"),
    state.faults.length ? list(state.faults, "faults", (each) => `matched ${each.matched}, applied ${each.applied}`) : h("p", {}, "None."),
  ];
}

function webhooks(state, act) {
  if (!state.deliveries.length) return h("p", { class: "empty" }, "No webhook has been sent.");
  const list = h(
    "ul",
    { class: "rows log", "data-scroll": "webhooks" },
    state.deliveries.map((each) =>
      h(
        "li",
        {},
        h(
          "details",
          { "data-key": `delivery ${each.id}` },
          h(
            "summary",
            { "data-key": `delivery row ${each.id}` },
            time(each.at),
            h("b", { class: Number(each.response_status) < 400 ? "good" : "bad" }, each.response_status ?? each.state),
            h("span", {}, each.event),
            h("span", { class: "project" }, `#${each.pipeline_id}${each.payload?.build_name ? ` ${each.payload.build_name}` : ""}`),
            status(each.status),
          ),
          facts(each),
        ),
      ),
    ),
  );
  return [list, state.deliveries.length === state.listed ? button("Show more", "more", act.more) : null];
}

function scenarios(state, act) {
  return h(
    "ul",
    { class: "rows", "data-scroll": "scenarios" },
    state.scenarios.map((each) =>
      h(
        "li",
        {},
        h(
          "details",
          { "data-key": `scenario ${each.scenario_id}`, toggle: (event) => event.target.open && act.preview(each.scenario_id) },
          h(
            "summary",
            { "data-key": `scenario row ${each.scenario_id}` },
            h("b", {}, each.scenario_id),
            h("span", {}, each.name),
            h("span", { class: "project" }, each.file ? `${each.file}:${each.line}` : each.source),
          ),
          preview(state.previews[each.scenario_id]),
          facts(each),
        ),
      ),
    ),
  );
}

// ------------------------------------------------------------------ one pipeline

/** Show a pipeline: what it is, its stages, its bars over time, and why it got its scenario. */
export function detail(state, act) {
  const pipeline = state.pipeline;
  if (!pipeline) return h("p", { class: "empty" }, "Choose a pipeline to see its jobs over time.");
  const now = state.now();
  return [
    h("h2", {}, status(pipeline.status), ` #${pipeline.id} `, h("span", { class: "ref" }, pipeline.ref)),
    h("p", { class: "about" }, `${pipeline.project}, ${pipeline.source}, ${pipeline.sha.slice(0, 8)}, created `, time(pipeline.created_at)),
    h("p", { class: "buttons" }, button("Retry", "retry", () => act.act("retry")), button("Cancel", "cancel", () => act.act("cancel"))),
    bars(pipeline, now),
    graph(pipeline, act, state),
    trace(state, act),
    report(pipeline),
    why(pipeline),
    variables(pipeline),
  ];
}

function graph(pipeline, act, state) {
  if (!pipeline.jobs.length) return null;
  return h(
    "div",
    { class: "graph", role: "list", "aria-label": "Stages" },
    stages(pipeline.jobs).map((stage) =>
      h(
        "div",
        { class: "stage", role: "listitem" },
        h("h3", {}, stage.name),
        stage.jobs.map((job) => jobCard(job, act, state)),
      ),
    ),
  );
}

function jobStatus(job) {
  if (shown(job) !== "warning") return status(job.status);
  return h("span", { class: "status s-warning" }, icon("warning"), "Failed, allowed");
}

function jobCard(job, act, state) {
  const needs = job.needs?.length ? h("span", { class: "needs" }, `needs ${job.needs.join(", ")}`) : null;
  const reason = job.status === "failed" && job.failure_reason ? h("span", { class: "needs" }, job.failure_reason) : null;
  const actions = job.permitted.map((name) => button(name, `${name} ${job.id}`, () => act.act(name, job.id), { "aria-label": `${name} ${job.name}` }));
  const downstream = job.downstream ? h("a", { href: `#/pipelines/${job.downstream}` }, `pipeline #${job.downstream}`) : null;
  return h(
    "div",
    { class: "job", "data-name": job.name, "data-needs": JSON.stringify(job.needs ?? []) },
    button([jobStatus(job), " ", job.name], `job ${job.id}`, () => act.chooseJob(job.id), { "aria-pressed": state.job === job.id ? "true" : "false", class: "name" }),
    needs,
    reason,
    downstream,
    h("span", { class: "buttons" }, actions),
  );
}

/** Show what a scenario will do, or why that cannot be shown. */
function preview(found) {
  if (found === undefined) return null;
  if (typeof found === "string") return h("p", {}, found);
  const end = found.ends_at === null ? `never ends by itself: ${found.status}` : `${found.status} after ${duration(found.ends_at * 1000)}`;
  return [h("p", {}, end), bars({ timeline: timelineOf(found) }, 0, "From its creation on.")];
}

function bars(pipeline, now, caption = "Over time: solid is past, striped is to come.") {
  const span = spanOf(pipeline.timeline, now);
  const all = courses(pipeline.timeline);
  const line = h("i", { class: "now", style: { left: `${percent(now, span)}%` } });
  return h(
    "figure",
    { class: "bars" },
    h("figcaption", {}, caption),
    [...all.filter((each) => each.id === null), ...all.filter((each) => each.id !== null)].map((course) =>
      h("div", { class: "bar" }, h("span", { class: "label", title: course.name }, course.name), h("div", { class: "track" }, segmentsOf(course, span, now), line.cloneNode())),
    ),
  );
}

function segmentsOf(course, span, now) {
  return course.segments.flatMap((segment) => {
    const { past, future } = splitAt(segment, now, span.end);
    const over = ended(segment.status) && segment.from <= now; // it will stay as it is
    return [part(past, span, "past"), over ? null : part(future, span, "future")];
  });
}

function part(segment, span, when) {
  if (!segment) return null;
  const left = percent(segment.from, span);
  const width = percent(segment.to, span) - left;
  const word = `${WORDS[segment.status] ?? segment.status}: ${duration(segment.to - segment.from)}`;
  return h("b", { class: `${when} s-${segment.status}`, title: word, style: { left: `${left}%`, width: `${width}%` } });
}

function trace(state, act) {
  const job = state.pipeline.jobs.find((each) => each.id === state.job);
  if (!job) return null;
  const log = state.trace === null ? h("p", {}, "No log yet.") : h("pre", { class: "trace", "data-scroll": "trace", tabindex: "0" }, pieces(state.trace).map((piece) => h("span", { class: piece.classes }, piece.text)));
  return h(
    "section",
    { "aria-label": `Log of ${job.name}` },
    h("h3", {}, `Log of ${job.name} `, button("Close", "close log", () => act.chooseJob(null))),
    log,
    artifacts(state.artifacts),
  );
}

function artifacts(found) {
  if (!found.length) return null;
  return [h("h3", {}, "Artifacts"), h("ul", {}, found.map((each) => h("li", {}, `${each.path}, ${each.size} bytes`)))];
}

function report(pipeline) {
  const summary = pipeline.test_report;
  if (!summary) return null;
  const { total, success, failed, error, skipped } = summary;
  return h("section", {}, h("h3", {}, "Test report"), h("p", {}, `${total} tests: ${success} passed, ${failed} failed, ${error} errors, ${skipped} skipped`));
}

function why(pipeline) {
  const choice = pipeline.matched;
  if (!choice) return null;
  const by = {
    request: "named by the request",
    rule: `by the rule at ${choice.rule}`,
    default: "the default: no rule matches",
  }[choice.by];
  const passed = choice.passed ?? [];
  return h(
    "section",
    { class: "why" },
    h("h3", {}, "Why this scenario"),
    h("p", {}, `Scenario ${pipeline.scenario_id ?? "of the request's own values"}, ${by}.`),
    passed.length
      ? h("details", { "data-key": "passed" }, h("summary", { "data-key": "passed row" }, `${passed.length} rules were passed over`), h("ul", {}, passed.map((each) => h("li", {}, `${each.rule ?? each.place}: ${each.because}`))))
      : null,
  );
}

function variables(pipeline) {
  const all = Object.entries(pipeline.variables);
  if (!all.length) return null;
  return h("section", {}, h("h3", {}, "Variables"), h("table", {}, h("tbody", {}, all.map(([key, value]) => h("tr", {}, h("th", { scope: "row" }, key), h("td", {}, value))))));
}

// ------------------------------------------------------------------ the files

/** Show the mistakes of the files until they are mended. */
export function mistakes(state) {
  const found = state.config?.errors ?? [];
  if (!found.length) return [];
  return [
    h("b", {}, "⚠ The files have mistakes. What was loaded "),
    time(state.config.loaded_at),
    h("b", {}, " stays in force."),
    h("ul", {}, found.slice(0, 20).map((each) => h("li", {}, `${each.file}:${each.line}:${each.column}: ${each.where ? `${each.where}: ` : ""}${each.what}`))),
  ];
}
