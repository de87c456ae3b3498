-- The tables of webhooks. Times are ISO 8601 text in UTC, as in schema.sql.

CREATE TABLE hooks (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id     INTEGER NOT NULL,
    spec_json      TEXT NOT NULL,
    site           TEXT NOT NULL DEFAULT '',            -- the URL of GitLab, as payloads name it
    created_at     DATETIME NOT NULL,
    declared       INTEGER NOT NULL DEFAULT 0,
    failures       INTEGER NOT NULL DEFAULT 0,          -- in a row
    disabled_until DATETIME
);
CREATE INDEX hooks_by_project ON hooks (project_id);
