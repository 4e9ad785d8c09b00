-- Children of indexes that were stored without them, until they are pushed. JSON texts: platform, urls, annotations.
CREATE TABLE awaited_child (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    parent_id     BIGINT NOT NULL REFERENCES artifact (id),
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    digest        TEXT NOT NULL,
    platform      TEXT,
    urls          TEXT,
    annotations   TEXT
);
CREATE UNIQUE INDEX awaited_child_pair ON awaited_child (parent_id, digest);
CREATE INDEX awaited_child_digest ON awaited_child (repository_id, digest);
