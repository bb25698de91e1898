-- Parameters and tags that the script of a stage logged with a library of its own (MLflow).

CREATE TABLE logged (
    run_id TEXT NOT NULL REFERENCES runs (id),
    stage TEXT NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('param', 'tag')),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, stage, what, key)
) STRICT, WITHOUT ROWID;
