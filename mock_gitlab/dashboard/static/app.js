// Load, follow, and draw. All state is here; nothing is shown that the mock has not said.

import { Client, Refused } from "./api.js";
import { h, show } from "./dom.js";
import { drawLines } from "./lines.js";
import { ended, nextInstant, placeOf, previousInstant, readVariables } from "./timeline.js";
import * as views from "./views.js";

const ROOT = new URL(document.documentElement.dataset.root, location.href).pathname.replace(/\/$/, "");
const PAGE = 100; // rows that a list shows, and that "Show more" adds
const MOST = 1000;
const QUIET_MS = 150; // events that come at once are one
const AGAIN_MS = 1000;
const byId = (id) => document.getElementById(id);

const client = new Client(ROOT);
const state = {
  root: ROOT,
  tab: "pipelines",
  clock: { now: new Date().toISOString(), frozen: true, speed: 1 },
  heard: Date.now(),
  listed: PAGE,
  pipelines: [],
  requests: [],
  rules: [],
  faults: [],
  scenarios: [],
  /** What the scenarios whose rows are open will do, by number; a text says why it cannot be shown. */
  previews: {},
  deliveries: [],
  config: null,
  sandboxes: [],
  project: null,
  selected: null,
  pipeline: null,
  job: null,
  trace: null,
  artifacts: [],
  /** The time of the world's clock, in milliseconds. */
  now() {
    const read = Date.parse(this.clock.now);
    return this.clock.frozen ? read : read + (Date.now() - this.heard) * this.clock.speed;
  },
};

// ------------------------------------------------------------------ loading

const loaders = {
  async clock() {
    takeClock(await client.get("/_mock/clock"));
  },
  async pipelines() {
    state.pipelines = await client.get(`/_mock/pipelines?limit=${state.listed}`);
    await loadPipeline();
  },
  async requests() {
    if (state.tab === "requests") state.requests = await client.get(`/_mock/requests?limit=${state.listed}`);
  },
  async declared() {
    if (state.tab === "rules") [state.rules, state.faults] = await Promise.all([client.get("/_mock/rules"), client.get("/_mock/faults")]);
    if (state.tab === "scenarios") {
      state.previews = {};
      state.scenarios = await client.get("/_mock/scenarios");
    }
  },
  async deliveries() {
    if (state.tab === "webhooks") state.deliveries = (await client.get(`/_mock/deliveries?limit=${state.listed}`)).reverse();
  },
  async configuration() {
    state.config = await client.get("/_mock/config");
  },
  async sandboxes() {
    state.sandboxes = (await client.get("/_mock/sandboxes")).map((each) => each.name);
    drawWorlds();
  },
};

function takeClock(clock) {
  state.clock = { now: clock.now, frozen: clock.frozen, speed: clock.speed ?? 1 };
  state.heard = Date.now();
}

async function loadPipeline() {
  if (state.selected === null) return;
  try {
    state.pipeline = await client.get(`/_mock/pipelines/${state.selected}`);
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
    state.pipeline = state.selected = null;
  }
  await loadTrace();
}

async function loadTrace() {
  if (state.job === null || !state.pipeline) return;
  try {
    const job = await client.get(`/_mock/jobs/${state.job}`);
    state.trace = job.trace || null;
    state.artifacts = job.artifacts;
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
    state.job = state.trace = null;
  }
}

/** Load what has changed, and draw. */
async function load(changed) {
  const wanted = changed.includes("clock") && !changed.includes("pipelines") ? [...changed, "pipelines"] : changed;
  try {
    for (const kind of wanted) await loaders[kind]?.();
    say("");
    draw();
  } catch (error) {
    complain(error);
  }
}

let pending = new Set();
let timer = null;

/** Load soon what has changed; what comes meanwhile is loaded with it. */
function loadSoon(changed) {
  for (const kind of changed) pending.add(kind);
  timer ??= setTimeout(() => {
    const wanted = [...pending];
    pending = new Set();
    timer = null;
    load(wanted);
  }, QUIET_MS);
}

// ------------------------------------------------------------------ drawing

function draw() {
  show(byId("clock"), views.clock(state, act));
  show(byId("strip"), views.strip(state, act));
  show(byId("tabs"), views.tabs(state));
  show(byId("rows"), views.rows(state, act));
  drawDetail();
  show(byId("mistakes"), views.mistakes(state));
  byId("trigger").hidden = state.tab !== "pipelines";
  document.title = state.pipeline ? `#${state.pipeline.id} ${state.pipeline.status} - mock_gitlab` : "mock_gitlab";
  wakeAtNextChange();
}

function drawDetail() {
  show(byId("detail"), views.detail(state, act));
  const graph = byId("detail").querySelector(".graph");
  if (graph) drawLines(graph);
}

function drawWorlds() {
  const here = ROOT.match(/\/sandbox\/([^/]+)$/)?.[1];
  const current = here ? decodeURIComponent(here) : "";
  const names = ["", ...new Set([...state.sandboxes, ...(current ? [current] : [])])];
  show(byId("world"), names.map((name) => h("option", { value: name, selected: name === current }, name || "default")));
}

function say(text) {
  byId("message").textContent = text;
}

function complain(error) {
  if (error instanceof Refused && error.status === 401) {
    byId("login").hidden = false;
    byId("token").focus();
    say("The mock wants its token.");
  } else say(error.message);
}

let alarm = null;

/** With a running clock, load again at the next change, and each second while others run. */
function wakeAtNextChange() {
  clearTimeout(alarm);
  if (state.clock.frozen) return;
  const next = state.pipeline ? nextInstant(state.pipeline.timeline, state.now()) : null;
  const others = state.pipelines.some((each) => each.id !== state.selected && !ended(each.status));
  const waits = [next === null ? Infinity : (next - state.now()) / state.clock.speed, others ? AGAIN_MS : Infinity];
  const wait = Math.min(...waits);
  if (wait < 2 ** 31) alarm = setTimeout(() => load(["clock", "pipelines"]), Math.max(wait, QUIET_MS));
}

/** Let a running clock be seen: what is drawn is what the mock has said of this moment. */
function tick() {
  if (!state.clock.frozen && !document.hidden && document.activeElement?.dataset.key !== "slider") {
    show(byId("clock"), views.clock(state, act));
    if (state.pipeline) {
      show(byId("strip"), views.strip(state, act));
      drawDetail();
    }
  }
}

// ------------------------------------------------------------------ doing

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    complain(error);
  }
}

let setting = null;

const act = {
  freeze: (frozen) => attempt(async () => move("POST", `/_mock/clock/${frozen ? "freeze" : "resume"}`)),
  advance: (by) => attempt(async () => move("POST", "/_mock/clock/advance", { duration: by })),
  next: () => attempt(async () => move("POST", "/_mock/clock/next", {})),
  start: () => attempt(async () => move("PUT", "/_mock/clock", { now: state.pipeline.created_at, frozen: true })),
  jump: (direction) => {
    const now = state.now();
    const to = direction > 0 ? nextInstant(state.pipeline.timeline, now) : previousInstant(state.pipeline.timeline, now);
    if (to !== null) act.setClock(to);
  },
  /** Set the clock; while one move is under way, only the last of the others counts. */
  setClock: (instant) => {
    const running = setting !== null;
    setting = instant;
    if (running) return;
    attempt(async () => {
      try {
        while (setting !== null) {
          const to = setting;
          await move("PUT", "/_mock/clock", { now: new Date(to).toISOString(), frozen: true });
          if (setting === to) setting = null;
        }
      } finally {
        setting = null;
      }
    });
  },
  act: (action, job) => attempt(async () => {
    state.pipeline = await client.ask("POST", `/_mock/pipelines/${state.selected}/actions`, job === undefined ? { action } : { action, job });
    draw();
  }),
  chooseJob: (job) => attempt(async () => {
    state.job = job;
    state.trace = null;
    await loadTrace();
    draw();
  }),
  more: () => {
    state.listed = Math.min(state.listed + PAGE, MOST);
    load(["pipelines", "requests", "deliveries"]);
  },
  switchOne: (kind, each) => attempt(async () => {
    await client.ask("PATCH", `/_mock/${kind}?key=${encodeURIComponent(each.key)}`, { enabled: !each.enabled });
    await load(["declared"]);
  }),
  preview: (number) => attempt(async () => {
    if (number in state.previews) return;
    try {
      state.previews[number] = await client.get(`/_mock/scenarios/${number}/preview`);
    } catch (error) {
      if (!(error instanceof Refused && error.status === 422)) throw error;
      state.previews[number] = error.message;
    }
    draw();
  }),
  filter: (project) => {
    state.project = project;
    draw();
  },
};

async function move(method, path, body) {
  takeClock(await client.ask(method, path, body));
  await load(["pipelines"]);
}

// ------------------------------------------------------------------ where we are

/** Take the tab and the pipeline from the fragment of the address. */
function takeFragment() {
  const [, tab, number] = location.hash.match(/^#\/(pipelines|requests|rules|scenarios|webhooks)(?:\/(\d+))?$/) ?? [];
  if (tab) state.tab = tab;
  if (number) {
    state.selected = Number(number);
    state.job = state.trace = null;
  }
}

async function route() {
  takeFragment();
  await load(["clock", "pipelines", "requests", "declared", "deliveries"]);
}

/** Begin at what the address names: a web_url of a pipeline, a job or a project. */
async function begin() {
  const place = placeOf(location.pathname, ROOT);
  state.project = place.project;
  if (place.kind === "pipelines" && place.number) state.selected = place.number;
  if (place.kind === "jobs" && place.number) {
    await attempt(async () => {
      const job = await client.get(`/_mock/jobs/${place.number}`);
      state.selected = job.pipeline_id;
      state.job = job.id;
    });
  }
  takeFragment();
  await load(["clock", "configuration", "sandboxes", "pipelines", "requests", "declared", "deliveries"]);
}

async function follow() {
  for (;;) {
    try {
      await client.follow(loadSoon);
      say("The connection is lost; trying again.");
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return; // the login begins anew
      say("The mock does not answer; trying again.");
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  client.login(byId("token").value);
  byId("login").hidden = true;
  begin().then(follow);
});

byId("trigger").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  attempt(async () => {
    const variables = Object.entries(readVariables(form.get("variables"))).map(([key, value]) => ({ key, value }));
    const body = { ref: form.get("ref"), variables };
    if (form.get("scenario")) body.scenario_id = Number(form.get("scenario"));
    const made = await client.ask("POST", `/api/v4/projects/${encodeURIComponent(form.get("project"))}/pipeline`, body);
    location.hash = `#/pipelines/${made.id}`;
  });
});

byId("world").addEventListener("change", (event) => {
  const base = ROOT.replace(/\/sandbox\/[^/]+$/, "");
  location.href = event.target.value ? `${base}/sandbox/${encodeURIComponent(event.target.value)}/_mock/` : `${base}/_mock/`;
});

addEventListener("hashchange", route);
setInterval(tick, 500);
drawWorlds();
draw();
begin().then(() => (byId("login").hidden ? follow() : null));
