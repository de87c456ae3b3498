// What the live page computes, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  courses, duration, nextInstant, percent, placeOf, previousInstant, readVariables, shown, spanOf, splitAt, stages, timelineOf,
} from "../../mock_gitlab/dashboard/static/timeline.js";
import { pieces } from "../../mock_gitlab/dashboard/static/trace.js";

const at = (second) => new Date(second * 1000).toISOString();
const TIMELINE = [
  { at: at(0), job_id: 1, name: "build", before: null, after: "running" },
  { at: at(0), job_id: null, name: "pipeline", before: null, after: "running" },
  { at: at(20), job_id: 1, name: "build", before: "running", after: "success" },
  { at: at(20), job_id: null, name: "pipeline", before: "running", after: "success" },
];

test("a job's changes are its segments", () => {
  assert.deepEqual(courses(TIMELINE)[0], {
    id: 1,
    name: "build",
    segments: [
      { status: "running", from: 0, to: 20_000 },
      { status: "success", from: 20_000, to: null },
    ],
  });
});

test("the preview of a scenario is a time line from 0 on", () => {
  const preview = {
    pipeline: [{ at: 0, status: "running" }, { at: 1.5, status: "success" }],
    changes: [{ at: 0, job: "build", status: "running" }],
  };
  assert.deepEqual(courses(timelineOf(preview)), [
    { id: null, name: "pipeline", segments: [{ status: "running", from: 0, to: 1500 }, { status: "success", from: 1500, to: null }] },
    { id: "build", name: "build", segments: [{ status: "running", from: 0, to: null }] },
  ]);
});

test("a segment is parted by now", () => {
  const segment = { status: "running", from: 0, to: 20_000 };
  assert.deepEqual(splitAt(segment, 5000, 20_000), {
    past: { status: "running", from: 0, to: 5000 },
    future: { status: "running", from: 5000, to: 20_000 },
  });
  assert.equal(splitAt(segment, 0, 20_000).past, null);
  assert.equal(splitAt(segment, 30_000, 20_000).future, null);
});

test("the span holds every change, and is never empty", () => {
  assert.deepEqual(spanOf(TIMELINE, 5000), { begin: 0, end: 20_000 });
  assert.deepEqual(spanOf([], 5000), { begin: 5000, end: 6000 });
  assert.equal(percent(5000, { begin: 0, end: 20_000 }), 25);
  assert.equal(percent(99_000, { begin: 0, end: 20_000 }), 100);
});

test("one goes from change to change", () => {
  assert.equal(nextInstant(TIMELINE, 0), 20_000);
  assert.equal(nextInstant(TIMELINE, 20_000), null);
  assert.equal(previousInstant(TIMELINE, 20_000), 0);
});

test("retried attempts are not among the stages", () => {
  const jobs = [
    { name: "a", stage: "build", retried: true },
    { name: "a", stage: "build", retried: false },
    { name: "b", stage: "test", retried: false },
  ];
  assert.deepEqual(stages(jobs).map((each) => [each.name, each.jobs.length]), [["build", 1], ["test", 1]]);
});

test("a failure that is allowed is a warning", () => {
  assert.equal(shown({ status: "failed", allow_failure: true }), "warning");
  assert.equal(shown({ status: "failed", allow_failure: false }), "failed");
});

test("durations are written as people do", () => {
  assert.deepEqual([900, 59_000, 60_000, 95_000, 3_600_000, 5_400_000].map(duration), ["1s", "59s", "1m", "1m 35s", "1h", "1h 30m"]);
});

test("variables are read from a line", () => {
  assert.deepEqual(readVariables(`A=1 B="two words" C='x' D=`), { A: "1", B: "two words", C: "x", D: "" });
});

test("an address names a pipeline, a job or a project", () => {
  assert.deepEqual(placeOf("/group/app/-/pipelines/12", ""), { project: "group/app", kind: "pipelines", number: 12 });
  assert.deepEqual(placeOf("/sandbox/a/g/s/app/-/jobs/7", "/sandbox/a"), { project: "g/s/app", kind: "jobs", number: 7 });
  assert.deepEqual(placeOf("/group/app", ""), { project: "group/app", kind: null, number: null });
  assert.deepEqual(placeOf("/_mock/", ""), { project: null, kind: null, number: null });
  assert.deepEqual(placeOf("/", ""), { project: null, kind: null, number: null });
});

test("colours of a log become classes, and control sequences are left out", () => {
  assert.deepEqual(pieces("\x1b[31;1mbad\x1b[0m ok\x1b[K\r\nsection_start:1:x[collapsed=true]\r\x1b[0Knext"), [
    { text: "bad", classes: "bold c-red" },
    { text: " ok", classes: "" },
    { text: "\r\n", classes: "" },
    { text: "next", classes: "" },
  ]);
});
