-- The table of what is delivered to webhooks. Times are ISO 8601 text in UTC, as in schema.sql.

-- An event is owed to a hook from the moment that it is recorded until a response is.
CREATE TABLE hook_deliveries (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    hook_id       INTEGER NOT NULL,
    event         TEXT NOT NULL,                        -- pipeline_events, job_events, ...
    pipeline_id   INTEGER NOT NULL,
    job_id        INTEGER NOT NULL,                     -- 0: of the pipeline itself
    status        TEXT NOT NULL,
    at            DATETIME NOT NULL,
    try           INTEGER NOT NULL DEFAULT 0,           -- above 0: a test, or sent again
    state         TEXT NOT NULL,                        -- due, held, sent, skipped or lost
    body          TEXT NOT NULL,
    key           TEXT NOT NULL,                        -- Idempotency-Key
    event_uuid    TEXT NOT NULL,
    response_json TEXT,
    due_at        DATETIME NOT NULL,                    -- later than "at" if a fault makes it late
    fault         TEXT,                                 -- what a fault has done to it
    UNIQUE (hook_id, event, pipeline_id, job_id, at, status, try)
);
CREATE INDEX hook_deliveries_due ON hook_deliveries (state) WHERE state = 'due';
