-- How many uploads a project has open is counted when another begins.
CREATE INDEX upload_project ON upload (project_id, updated_at);
