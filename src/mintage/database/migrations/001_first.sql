-- Runs and their values (tracking), and the audit log's tables.

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    commit_id TEXT,
    started TEXT NOT NULL,
    finished TEXT,
    record TEXT,
    actor TEXT
) STRICT;

CREATE INDEX runs_by_start ON runs (started);

CREATE TABLE params (
    run_id TEXT NOT NULL REFERENCES runs (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;

-- value is NULL for a metric that is not a number: SQLite has no NaN.
CREATE TABLE metrics (
    run_id TEXT NOT NULL REFERENCES runs (id),
    stage TEXT NOT NULL,
    key TEXT NOT NULL,
    step INTEGER NOT NULL,
    value REAL,
    at TEXT NOT NULL
) STRICT;

CREATE INDEX metrics_by_run ON metrics (run_id, key, step);

CREATE TABLE artifacts (
    run_id TEXT NOT NULL REFERENCES runs (id),
    stage TEXT NOT NULL,
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (run_id, stage, path)
) STRICT, WITHOUT ROWID;

-- The audit log. Its rows are added, never changed: see docs/spec/audit-log.md.

CREATE TABLE audit_entry (
    seq INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    leaf BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT;

CREATE TABLE audit_node (
    level INTEGER NOT NULL CHECK (level > 0),
    idx INTEGER NOT NULL CHECK (idx >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_checkpoint (
    size INTEGER PRIMARY KEY CHECK (size >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    note TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

-- The INSERT triggers stand against INSERT OR REPLACE, which deletes without asking the DELETE triggers.

CREATE TRIGGER audit_entry_append BEFORE INSERT ON audit_entry
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq) + 1, 0) FROM audit_entry)
BEGIN SELECT RAISE(ABORT, 'audit entries are only appended, one after the other'); END;

CREATE TRIGGER audit_entry_update BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;

CREATE TRIGGER audit_entry_delete BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit entries are never deleted'); END;

CREATE TRIGGER audit_node_append BEFORE INSERT ON audit_node
WHEN EXISTS (SELECT 1 FROM audit_node WHERE level = NEW.level AND idx = NEW.idx)
BEGIN SELECT RAISE(ABORT, 'audit nodes are never changed'); END;

CREATE TRIGGER audit_node_update BEFORE UPDATE ON audit_node
BEGIN SELECT RAISE(ABORT, 'audit nodes are never changed'); END;

CREATE TRIGGER audit_node_delete BEFORE DELETE ON audit_node
BEGIN SELECT RAISE(ABORT, 'audit nodes are never deleted'); END;

CREATE TRIGGER audit_checkpoint_append BEFORE INSERT ON audit_checkpoint
WHEN EXISTS (SELECT 1 FROM audit_checkpoint WHERE size >= NEW.size)
BEGIN SELECT RAISE(ABORT, 'audit checkpoints only grow'); END;

CREATE TRIGGER audit_checkpoint_update BEFORE UPDATE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'audit checkpoints are never changed'); END;

CREATE TRIGGER audit_checkpoint_delete BEFORE DELETE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'audit checkpoints are never deleted'); END;
