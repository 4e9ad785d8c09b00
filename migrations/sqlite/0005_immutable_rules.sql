-- Rules that make tags immutable.

-- rule: a JSON object of its selectors, in one spelling, so that equal rules are equal texts.
CREATE TABLE immutable_rule (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL REFERENCES project (id),
    rule       TEXT NOT NULL,
    disabled   BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX immutable_rule_project ON immutable_rule (project_id);
