-- What the audit log says in words, and whether it was done or only tried.

ALTER TABLE audit_log ADD COLUMN description TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN succeeded BOOLEAN NOT NULL DEFAULT TRUE;

-- Lists sort by these as the other engine does: byte by byte.
ALTER TABLE audit_log ALTER COLUMN operation TYPE TEXT COLLATE "C";
ALTER TABLE audit_log ALTER COLUMN resource_type TYPE TEXT COLLATE "C";
ALTER TABLE audit_log ALTER COLUMN resource TYPE TEXT COLLATE "C";
ALTER TABLE audit_log ALTER COLUMN username TYPE TEXT COLLATE "C";
