-- The table of posted statuses. Times are ISO 8601 text in UTC, as in schema.sql.
-- Statuses that a scenario declares are not stored: they follow from the scenario.

-- One row for each call that posts a status. What is NULL stays as earlier calls have left it.
CREATE TABLE posted_statuses (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    pipeline_id    INTEGER NOT NULL,
    number         INTEGER NOT NULL,                    -- of the status in its pipeline, from 0
    name           TEXT NOT NULL,
    at             DATETIME NOT NULL,
    state          TEXT NOT NULL,
    target_url     TEXT,
    description    TEXT,
    coverage       REAL,
    actions_before INTEGER NOT NULL                     -- the actions recorded before the call
);
CREATE INDEX posted_statuses_by_pipeline ON posted_statuses (pipeline_id);

CREATE TRIGGER delete_posted_statuses AFTER DELETE ON pipelines BEGIN
    DELETE FROM posted_statuses WHERE pipeline_id = old.id;
END;
