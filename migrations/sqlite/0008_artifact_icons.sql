-- Whose icon a digest is: few artifacts have one of their own, and anybody may ask.
CREATE INDEX artifact_icon ON artifact (icon) WHERE icon <> '' AND deleted_at IS NULL;
