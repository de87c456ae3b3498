// What a pipeline did and will do, computed from what /_mock says of it. Nothing here touches the page.

export const WORDS = {
  success: "Passed",
  failed: "Failed",
  running: "Running",
  pending: "Pending",
  created: "Created",
  manual: "Manual",
  scheduled: "Delayed",
  skipped: "Skipped",
  canceled: "Canceled",
  canceling: "Canceling",
  preparing: "Preparing",
  waiting_for_resource: "Waiting for resource",
  waiting_for_callback: "Waiting for callback",
  warning: "Passed with warnings",
};

const ENDED = new Set(["success", "failed", "canceled", "skipped"]);

/** Whether a status is an end. */
export function ended(status) {
  return ENDED.has(status);
}

/** List the instants at which something changes, in milliseconds, in order and once each. */
export function instants(timeline) {
  return [...new Set(timeline.map((change) => Date.parse(change.at)))].sort((a, b) => a - b);
}

/** Return the next instant after `now`, or null. */
export function nextInstant(timeline, now) {
  return instants(timeline).find((each) => each > now) ?? null;
}

/** Return the last instant before `now`, or null. */
export function previousInstant(timeline, now) {
  return instants(timeline).findLast((each) => each < now) ?? null;
}

/** Return where the time line begins and ends: all changes, and now, if it lies after them. */
export function spanOf(timeline, now) {
  const all = instants(timeline);
  if (!all.length) return { begin: now, end: now + 1000 };
  const begin = all[0];
  const end = Math.max(all.at(-1), Math.min(now, all.at(-1) + 60_000), begin + 1000);
  return { begin, end };
}

/** Return where an instant stands in a span, in percent. */
export function percent(instant, span) {
  const share = (instant - span.begin) / (span.end - span.begin);
  return Math.round(Math.min(1, Math.max(0, share)) * 10_000) / 100;
}

/**
 * Group the changes by job: `[{id, name, segments: [{status, from, to}]}]`, in the order in which
 * they begin. `to` is null for what does not change any more. The pipeline itself has the id null.
 */
export function courses(timeline) {
  const found = new Map();
  for (const change of timeline) {
    const at = Date.parse(change.at);
    const course = found.get(change.job_id) ?? { id: change.job_id, name: change.name, segments: [] };
    const last = course.segments.at(-1);
    if (last) last.to = at;
    course.segments.push({ status: change.after, from: at, to: null });
    found.set(change.job_id, course);
  }
  return [...found.values()];
}

/** Turn the preview of a scenario into a time line that begins at 0. */
export function timelineOf(preview) {
  const at = (seconds) => new Date(seconds * 1000).toISOString();
  return [
    ...preview.pipeline.map((each) => ({ at: at(each.at), job_id: null, name: "pipeline", after: each.status })),
    ...preview.changes.map((each) => ({ at: at(each.at), job_id: each.job, name: each.job, after: each.status })),
  ];
}

/** Split a segment at `now` into what is past and what is to come; either may be null. */
export function splitAt(segment, now, end) {
  const to = segment.to ?? end;
  const past = segment.from < now ? { ...segment, to: Math.min(to, now) } : null;
  const future = to > now ? { ...segment, from: Math.max(segment.from, now), to } : null;
  return { past, future };
}

/** Group the newest attempts of jobs by stage, in the order in which the stages come. */
export function stages(jobs) {
  const found = new Map();
  for (const job of jobs) {
    if (job.retried) continue;
    if (!found.has(job.stage)) found.set(job.stage, []);
    found.get(job.stage).push(job);
  }
  return [...found].map(([name, members]) => ({ name, jobs: members }));
}

/** Return the status to show of a job: a failure that is allowed is a warning. */
export function shown(job) {
  return job.status === "failed" && job.allow_failure ? "warning" : job.status;
}

/** Write a duration in milliseconds as people do. */
export function duration(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60 ? ` ${seconds % 60}s` : "";
  if (minutes < 60) return `${minutes}m${rest}`;
  return `${Math.floor(minutes / 60)}h${minutes % 60 ? ` ${minutes % 60}m` : ""}`;
}

/** Read the pairs KEY=value of a line; blanks part them, quotes keep blanks. */
export function readVariables(line) {
  const found = {};
  for (const [, key, double, single, plain] of line.matchAll(/([\w.-]+)=(?:"([^"]*)"|'([^']*)'|(\S*))/g)) {
    found[key] = double ?? single ?? plain;
  }
  return found;
}

/** Read from an address what to show: a pipeline, a job or a project of it. */
export function placeOf(path, root) {
  const rest = decodeURIComponent(path.slice(root.length)).replace(/\/+$/, "");
  const match = rest.match(/^\/(.+?)\/-\/(pipelines|jobs)(?:\/(\d+))?(?:\/.*)?$/);
  if (match) return { project: match[1], kind: match[2], number: match[3] ? Number(match[3]) : null };
  const project = rest.match(/^\/([^_/][^/]*\/.+?)(?:\/-\/.*)?$/);
  return { project: project ? project[1] : null, kind: null, number: null };
}
