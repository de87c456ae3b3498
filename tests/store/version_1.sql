-- The schema of version 1, as the last release with it has made it.
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
    details_json           TEXT NOT NULL DEFAULT '{}',
    definition_json        TEXT NOT NULL DEFAULT '{}',
    source                 TEXT NOT NULL DEFAULT 'runtime',
    file                   TEXT,
    line                   INTEGER
);
CREATE TABLE pipelines (
    id                     INTEGER PRIMARY KEY,
    project_id             INTEGER NOT NULL,
    iid                    INTEGER NOT NULL,
    ref                    TEXT NOT NULL,
    sha                    TEXT NOT NULL,
    status                 TEXT NOT NULL DEFAULT 'running',
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
    status_until           INTEGER
);
CREATE INDEX pipelines_by_status ON pipelines (project_id, status, iid)
    WHERE status_until IS NOT -1;
CREATE INDEX pipelines_by_ref ON pipelines (project_id, ref, iid)
    WHERE status_until IS NOT -1;
CREATE INDEX pipelines_to_refresh ON pipelines (project_id, status_until)
    WHERE status_until >= 0;
CREATE UNIQUE INDEX pipelines_by_iid ON pipelines (project_id, iid);
CREATE UNIQUE INDEX pipelines_by_upstream ON pipelines (upstream_job_id)
    WHERE upstream_job_id IS NOT NULL;
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
