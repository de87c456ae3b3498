-- The whole schema. Moments are milliseconds since the Unix epoch, in UTC.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE scenarios (
    scenario_id            INTEGER PRIMARY KEY,
    name                   TEXT NOT NULL,
    terminal_after_seconds NUMERIC,
    terminal_status        TEXT NOT NULL DEFAULT 'success',
    never_complete         INTEGER NOT NULL DEFAULT 0,
    details_json           TEXT NOT NULL DEFAULT '{}',  -- what has no column of its own
    definition_json        TEXT NOT NULL DEFAULT '{}',  -- the fields as somebody wrote them
    source                 TEXT NOT NULL DEFAULT 'runtime',  -- builtin, file or runtime
    file                   TEXT,
    line                   INTEGER
);

-- scenario_id refers, but is not enforced: a pipeline outlives its scenario, and follows it again
-- when a file brings the number back.
CREATE TABLE pipelines (
    id                     INTEGER PRIMARY KEY,
    project_id             INTEGER NOT NULL,
    iid                    INTEGER NOT NULL,
    ref                    TEXT NOT NULL,
    sha                    TEXT NOT NULL,
    status                 TEXT NOT NULL DEFAULT 'running',  -- as last computed, see status_until
    source                 TEXT NOT NULL DEFAULT 'trigger',
    tag                    INTEGER NOT NULL DEFAULT 0,
    name                   TEXT,
    variables_json         TEXT NOT NULL DEFAULT '[]',
    scenario_id            INTEGER REFERENCES scenarios (scenario_id),
    terminal_after_seconds NUMERIC,
    terminal_status        TEXT,
    actions_json           TEXT NOT NULL DEFAULT '[]',
    polls                  INTEGER NOT NULL DEFAULT 0,
    polled_at              INTEGER,
    renamed_at             INTEGER,
    matched_json           TEXT,
    upstream_job_id        INTEGER,
    created_at             INTEGER NOT NULL,
    updated_at             INTEGER NOT NULL,
    -- status and updated_at hold before this moment; NULL: for good; -1: new, see below
    status_until           INTEGER
);

-- A trigger pays for every index it has to change, so a new row is entered into these later, with
-- others, or when somebody asks for what they find.
CREATE INDEX pipelines_by_status ON pipelines (project_id, status, iid)
    WHERE status_until IS NOT -1;
CREATE INDEX pipelines_by_ref ON pipelines (project_id, ref, iid)
    WHERE status_until IS NOT -1;
CREATE INDEX pipelines_to_refresh ON pipelines (project_id, status_until)
    WHERE status_until >= 0;
-- After the others: where several serve, SQLite takes the last, and this one follows the rows.
CREATE UNIQUE INDEX pipelines_by_iid ON pipelines (project_id, iid);
CREATE UNIQUE INDEX pipelines_by_upstream ON pipelines (upstream_job_id)
    WHERE upstream_job_id IS NOT NULL;

-- No number is given twice, even when the newest pipeline was deleted: the highest that any deleted
-- one had, the iid in its project and, under project 0, the id.
CREATE TABLE last_iids (
    project_id INTEGER PRIMARY KEY,
    iid        INTEGER NOT NULL
);
CREATE TRIGGER keep_last_iid AFTER DELETE ON pipelines BEGIN
    INSERT INTO last_iids (project_id, iid) VALUES (old.project_id, old.iid), (0, old.id)
    ON CONFLICT (project_id) DO UPDATE SET iid = max(iid, excluded.iid);
END;

CREATE TABLE projects (
    id   INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE
);

CREATE TABLE trigger_tokens (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  INTEGER NOT NULL,
    token       TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    last_used   INTEGER,
    expires_at  INTEGER,
    declared    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX trigger_tokens_by_project ON trigger_tokens (project_id);
