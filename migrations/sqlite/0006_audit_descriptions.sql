-- What the audit log says in words, and whether it was done or only tried.

ALTER TABLE audit_log ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN succeeded BOOLEAN NOT NULL DEFAULT TRUE;
