-- Settings that administrators changed at run time: a key of the configuration API and its value as JSON. What is not here has the value that
-- the server was started with.
CREATE TABLE setting (
    name        TEXT PRIMARY KEY,
    value       TEXT NOT NULL,
    updated_at  BIGINT NOT NULL
) WITHOUT ROWID;
