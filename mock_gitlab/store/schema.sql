-- The whole schema. Times are ISO 8601 text in UTC: 2026-01-31T12:00:00.000Z.
-- A time in seconds that is no whole number has its milliseconds in the column *_fraction beside it.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE scenarios (
    scenario_id             INTEGER PRIMARY KEY,
    name                    TEXT NOT NULL,
    terminal_after_seconds  INTEGER,
    terminal_status         TEXT DEFAULT 'success',
    never_complete          INTEGER DEFAULT 0,
    terminal_after_fraction INTEGER NOT NULL DEFAULT 0,       -- milliseconds
    details_json            TEXT NOT NULL DEFAULT '{}',       -- jobs and all else that is declared
    definition_json         TEXT NOT NULL DEFAULT '{}',       -- the fields as somebody wrote them
    source                  TEXT NOT NULL DEFAULT 'runtime',  -- builtin, file or runtime
    file                    TEXT,
    line                    INTEGER
);

-- The foreign key is not enforced: a pipeline outlives its scenario, and follows it again when a
-- file brings the number back.
CREATE TABLE pipelines (
    id                      INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id              INTEGER NOT NULL,
    ref                     TEXT NOT NULL,
    sha                     TEXT NOT NULL,
    status                  TEXT DEFAULT 'running',           -- a copy for lists, see status_until
    variables_json          TEXT,                             -- {"KEY": "value"}
    scenario_id             INTEGER REFERENCES scenarios (scenario_id),
    terminal_after_seconds  INTEGER,                          -- what the trigger asked for
    terminal_status         TEXT,                             -- what the trigger asked for
    created_at              DATETIME,
    updated_at              DATETIME,                         -- a copy for lists, like status
    iid                     INTEGER NOT NULL,
    source                  TEXT NOT NULL DEFAULT 'trigger',
    tag                     INTEGER NOT NULL DEFAULT 0,
    name                    TEXT,
    variable_details_json   TEXT,                             -- {"KEY": ["file", false]}: type, raw
    terminal_after_fraction INTEGER NOT NULL DEFAULT 0,       -- milliseconds
    actions_json            TEXT NOT NULL DEFAULT '[]',       -- cancel, retry, play, ...
    polls                   INTEGER NOT NULL DEFAULT 0,       -- counted if the scenario asks for it
    polled_at               DATETIME,
    renamed_at              DATETIME,
    chosen_by               TEXT,                             -- request, rule or default
    rule                    TEXT,                             -- where the rule that matched stands
    rule_key                TEXT,
    rule_set_id             INTEGER REFERENCES rule_sets (id),
    rule_variables          INTEGER NOT NULL DEFAULT 0,       -- how many of the last variables it added
    inputs_json             TEXT,
    upstream_job_id         INTEGER,                          -- the bridge that started it
    -- status and updated_at are right before this time; NULL: for good
    status_until            DATETIME DEFAULT '1970-01-01T00:00:00.000Z',
    listed                  INTEGER NOT NULL DEFAULT 0,       -- 1: the indices below know it
    declared                TEXT                              -- what names it in the files
);

-- A trigger pays for every index that it has to change, so a new row enters these later, together
-- with others, or when somebody asks for what they find.
CREATE INDEX pipelines_by_status ON pipelines (project_id, status, iid) WHERE listed;
CREATE INDEX pipelines_by_ref ON pipelines (project_id, ref, iid) WHERE listed;
CREATE INDEX pipelines_to_refresh ON pipelines (project_id, status_until)
    WHERE listed AND status_until IS NOT NULL;
-- After the others: where several serve, SQLite takes the last, and this one follows the rows.
CREATE UNIQUE INDEX pipelines_by_iid ON pipelines (project_id, iid);
CREATE UNIQUE INDEX pipelines_by_declaration ON pipelines (declared) WHERE declared IS NOT NULL;
CREATE UNIQUE INDEX pipelines_by_upstream ON pipelines (upstream_job_id)
    WHERE upstream_job_id IS NOT NULL;

-- The highest iid that a deleted pipeline of a project had: no number is given twice.
CREATE TABLE last_iids (
    project_id INTEGER PRIMARY KEY,
    iid        INTEGER NOT NULL
);
CREATE TRIGGER keep_last_iid AFTER DELETE ON pipelines BEGIN
    INSERT INTO last_iids (project_id, iid) VALUES (old.project_id, old.iid)
    ON CONFLICT (project_id) DO UPDATE SET iid = max(iid, excluded.iid);
END;

-- The rules that were in force when pipelines were created, to explain their choice later.
CREATE TABLE rule_sets (
    id         INTEGER PRIMARY KEY,
    rules_json TEXT NOT NULL
);

CREATE TABLE projects (
    id   INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE
);

CREATE TABLE trigger_tokens (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  INTEGER NOT NULL,
    token       TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    created_at  DATETIME NOT NULL,
    updated_at  DATETIME NOT NULL,
    last_used   DATETIME,
    expires_at  DATETIME,
    declared    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX trigger_tokens_by_project ON trigger_tokens (project_id);
