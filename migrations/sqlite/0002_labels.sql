-- Labels, and the artifacts that carry them.

-- scope: g, everybody's (project_id 0), or p, of one project.
CREATE TABLE label (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    color       TEXT NOT NULL DEFAULT '',
    scope       TEXT NOT NULL,
    project_id  BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX label_name ON label (scope, project_id, name);

CREATE TABLE artifact_label (
    artifact_id BIGINT NOT NULL REFERENCES artifact (id),
    label_id    BIGINT NOT NULL REFERENCES label (id),
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (artifact_id, label_id)
) WITHOUT ROWID;
CREATE INDEX artifact_label_label ON artifact_label (label_id);
