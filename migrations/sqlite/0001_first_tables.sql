-- The first tables: accounts, projects, the registry's content, and what is recorded about it.
-- Instants are microseconds since the epoch. Deletion is a state with a time (deleted_at); uniqueness is over what is alive.

CREATE TABLE instance_secret (
    name        TEXT PRIMARY KEY,
    value       BLOB NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE user_account (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    username    TEXT NOT NULL,
    email       TEXT,
    realname    TEXT NOT NULL DEFAULT '',
    comment     TEXT NOT NULL DEFAULT '',
    is_admin    BOOLEAN NOT NULL DEFAULT FALSE,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    deleted_at  BIGINT
);
CREATE UNIQUE INDEX user_account_username ON user_account (username) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX user_account_email ON user_account (email) WHERE deleted_at IS NULL AND email IS NOT NULL;

-- Who somebody is to a source of identities: (source, subject). Local accounts have source 'local', their user name as subject, and a password hash.
CREATE TABLE identity (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id     BIGINT NOT NULL REFERENCES user_account (id),
    source      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    secret_hash TEXT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX identity_subject ON identity (source, subject);
CREATE INDEX identity_user ON identity (user_id);

CREATE TABLE session (
    token_hash  BLOB PRIMARY KEY,
    user_id     BIGINT NOT NULL REFERENCES user_account (id),
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX session_account ON session (user_id);
CREATE INDEX session_expiry ON session (expires_at);

CREATE TABLE user_group (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    kind        BIGINT NOT NULL,
    ldap_dn     TEXT NOT NULL DEFAULT '',
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX user_group_name ON user_group (name);

-- metadata is a JSON object of strings (Harbor's project metadata); is_public repeats its key `public` for look-ups.
CREATE TABLE project (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    owner_id    BIGINT NOT NULL REFERENCES user_account (id),
    registry_id BIGINT,
    is_public   BOOLEAN NOT NULL DEFAULT FALSE,
    metadata    TEXT NOT NULL DEFAULT '{}',
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    deleted_at  BIGINT
);
CREATE UNIQUE INDEX project_name ON project (name) WHERE deleted_at IS NULL;
CREATE INDEX project_owner ON project (owner_id);
CREATE INDEX project_public ON project (is_public, name) WHERE deleted_at IS NULL;

-- project_id 0 is the list of the whole system. items is a JSON array of CVE ids.
CREATE TABLE cve_allowlist (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  BIGINT NOT NULL UNIQUE,
    expires_at  BIGINT,
    items       TEXT NOT NULL DEFAULT '[]',
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

-- hard: bytes, -1 without limit. used: bytes of the project's distinct contents, kept as contents come and go.
CREATE TABLE quota (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  BIGINT NOT NULL UNIQUE REFERENCES project (id),
    hard        BIGINT NOT NULL,
    used        BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE TABLE project_member (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  BIGINT NOT NULL REFERENCES project (id),
    entity_type TEXT NOT NULL,
    entity_id   BIGINT NOT NULL,
    role        BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX project_member_entity ON project_member (project_id, entity_type, entity_id);
CREATE INDEX project_member_of ON project_member (entity_type, entity_id, project_id);

-- project_id 0: a robot of the system. permissions is a JSON array of grants. expires_at: unix seconds, -1 never.
CREATE TABLE robot (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id   BIGINT NOT NULL DEFAULT 0,
    name         TEXT NOT NULL,
    description  TEXT NOT NULL DEFAULT '',
    secret_hash  TEXT NOT NULL,
    duration     BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    is_disabled  BOOLEAN NOT NULL DEFAULT FALSE,
    is_visible   BOOLEAN NOT NULL DEFAULT TRUE,
    creator_kind TEXT NOT NULL,
    creator_id   BIGINT NOT NULL,
    permissions  TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX robot_name ON robot (project_id, name);

-- name is the repository's path inside its project. A repository is published by its first manifest; uploads alone do not show it.
CREATE TABLE repository (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id   BIGINT NOT NULL REFERENCES project (id),
    name         TEXT NOT NULL,
    description  TEXT NOT NULL DEFAULT '',
    pull_count   BIGINT NOT NULL DEFAULT 0,
    is_published BOOLEAN NOT NULL DEFAULT FALSE,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    deleted_at   BIGINT
);
CREATE UNIQUE INDEX repository_name ON repository (project_id, name) WHERE deleted_at IS NULL;
CREATE INDEX repository_recent ON repository (project_id, created_at DESC, id DESC) WHERE deleted_at IS NULL AND is_published;

CREATE TABLE blob (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    digest      TEXT NOT NULL UNIQUE,
    size        BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE repository_blob (
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    blob_id       BIGINT NOT NULL REFERENCES blob (id),
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (repository_id, blob_id)
) WITHOUT ROWID;
CREATE INDEX repository_blob_blob ON repository_blob (blob_id);

-- Every distinct content (blob or manifest) of a project, once: what its quota counts.
CREATE TABLE project_content (
    project_id  BIGINT NOT NULL REFERENCES project (id),
    digest      TEXT NOT NULL,
    size        BIGINT NOT NULL,
    PRIMARY KEY (project_id, digest)
) WITHOUT ROWID;

CREATE TABLE upload (
    id            TEXT PRIMARY KEY,
    project_id    BIGINT NOT NULL REFERENCES project (id),
    repository    TEXT NOT NULL,
    received      BIGINT NOT NULL DEFAULT 0,
    state         BLOB NOT NULL,
    version       BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX upload_age ON upload (updated_at);

-- One manifest in one repository. kind is Harbor's type (IMAGE, CHART, ...). size: manifest, config and layers together. JSON texts: annotations, extra_attrs.
CREATE TABLE artifact (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id          BIGINT NOT NULL REFERENCES project (id),
    repository_id       BIGINT NOT NULL REFERENCES repository (id),
    digest              TEXT NOT NULL,
    kind                TEXT NOT NULL,
    media_type          TEXT NOT NULL,
    manifest_media_type TEXT NOT NULL,
    artifact_type       TEXT NOT NULL DEFAULT '',
    size                BIGINT NOT NULL,
    manifest_size       BIGINT NOT NULL,
    icon                TEXT NOT NULL DEFAULT '',
    annotations         TEXT,
    extra_attrs         TEXT,
    subject_digest      TEXT,
    referrer_type       TEXT,
    pushed_at           BIGINT NOT NULL,
    pulled_at           BIGINT,
    deleted_at          BIGINT
);
CREATE UNIQUE INDEX artifact_digest ON artifact (repository_id, digest) WHERE deleted_at IS NULL;
CREATE INDEX artifact_recent ON artifact (repository_id, pushed_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX artifact_project ON artifact (project_id, digest) WHERE deleted_at IS NULL;
CREATE INDEX artifact_subject ON artifact (repository_id, subject_digest) WHERE deleted_at IS NULL AND subject_digest IS NOT NULL;

-- The exact bytes of a manifest, apart from the columns that lists read.
CREATE TABLE manifest (
    artifact_id BIGINT PRIMARY KEY REFERENCES artifact (id),
    content     BLOB NOT NULL
);

CREATE TABLE artifact_blob (
    artifact_id BIGINT NOT NULL REFERENCES artifact (id),
    blob_id     BIGINT NOT NULL REFERENCES blob (id),
    PRIMARY KEY (artifact_id, blob_id)
) WITHOUT ROWID;
CREATE INDEX artifact_blob_blob ON artifact_blob (blob_id);

-- An index and its children, in order. JSON texts: platform, urls, annotations.
CREATE TABLE artifact_reference (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    parent_id    BIGINT NOT NULL REFERENCES artifact (id),
    child_id     BIGINT NOT NULL REFERENCES artifact (id),
    child_digest TEXT NOT NULL,
    platform     TEXT,
    urls         TEXT,
    annotations  TEXT
);
CREATE UNIQUE INDEX artifact_reference_pair ON artifact_reference (parent_id, child_id);
CREATE INDEX artifact_reference_child ON artifact_reference (child_id);

-- subject_id is empty while the subject has not been pushed.
CREATE TABLE accessory (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    artifact_id    BIGINT NOT NULL UNIQUE REFERENCES artifact (id),
    repository_id  BIGINT NOT NULL REFERENCES repository (id),
    subject_id     BIGINT REFERENCES artifact (id),
    subject_digest TEXT NOT NULL,
    kind           TEXT NOT NULL,
    created_at     BIGINT NOT NULL
);
CREATE INDEX accessory_subject ON accessory (subject_id);
CREATE INDEX accessory_waiting ON accessory (repository_id, subject_digest);

CREATE TABLE tag (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    artifact_id   BIGINT NOT NULL REFERENCES artifact (id),
    name          TEXT NOT NULL,
    pushed_at     BIGINT NOT NULL,
    pulled_at     BIGINT,
    deleted_at    BIGINT
);
CREATE UNIQUE INDEX tag_name ON tag (repository_id, name) WHERE deleted_at IS NULL;
CREATE INDEX tag_artifact ON tag (artifact_id) WHERE deleted_at IS NULL;

CREATE TABLE audit_log (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    BIGINT NOT NULL DEFAULT 0,
    operation     TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource      TEXT NOT NULL,
    username      TEXT NOT NULL,
    op_time       BIGINT NOT NULL
);
CREATE INDEX audit_log_recent ON audit_log (op_time DESC, id DESC);
CREATE INDEX audit_log_project ON audit_log (project_id, op_time DESC, id DESC);
