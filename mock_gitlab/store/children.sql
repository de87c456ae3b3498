-- Whether there are child pipelines decides whether lists must skip them.
CREATE INDEX child_pipelines ON pipelines (id) WHERE source = 'parent_pipeline';
