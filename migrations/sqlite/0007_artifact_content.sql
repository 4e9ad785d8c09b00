-- What the bytes of all manifests are summed up from, without reading the artifacts themselves.
CREATE INDEX artifact_content ON artifact (digest, manifest_size) WHERE deleted_at IS NULL;
