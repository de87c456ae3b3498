-- The tables of environments and deployments. Times are ISO 8601 text in UTC, as in schema.sql.
-- What jobs deploy is not stored: it follows from the pipelines.

-- What the API has said of an environment. Its number follows from its name.
CREATE TABLE environments (
    project_id        INTEGER NOT NULL,
    name              TEXT NOT NULL,
    created_at        DATETIME,                         -- by the API; NULL: by a job
    updated_at        DATETIME,
    external_url      TEXT,
    tier              TEXT,
    description       TEXT,
    auto_stop_setting TEXT,
    stops_json        TEXT NOT NULL DEFAULT '[]',       -- [{"at": TIME, "job_id": the job or null}]
    deleted_at        DATETIME,
    PRIMARY KEY (project_id, name)
) WITHOUT ROWID;

-- The deployments that the API has made.
CREATE TABLE deployments (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id   INTEGER NOT NULL,
    environment  TEXT NOT NULL,
    ref          TEXT NOT NULL,
    sha          TEXT NOT NULL,
    tag          INTEGER NOT NULL DEFAULT 0,
    changes_json TEXT NOT NULL                          -- [{"at": TIME, "status": "running"}]
);
CREATE INDEX deployments_by_project ON deployments (project_id);

-- The deployments of jobs that somebody has deleted.
CREATE TABLE deleted_deployments (
    job_id INTEGER PRIMARY KEY
);
