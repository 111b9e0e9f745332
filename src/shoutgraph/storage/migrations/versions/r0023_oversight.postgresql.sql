-- The guards of the audit trail, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE TRIGGER audit_fixed BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION refuse('the audit trail is append-only');

CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON audit EXECUTE FUNCTION refuse('the audit trail is append-only');

CREATE TRIGGER audit_words_blanked BEFORE UPDATE ON audit_words
FOR EACH ROW WHEN (NEW.words IS NOT NULL OR NEW.audit_id <> OLD.audit_id)
EXECUTE FUNCTION refuse('words of an act are blanked, not changed');

CREATE TRIGGER audit_words_delete BEFORE DELETE ON audit_words
FOR EACH ROW EXECUTE FUNCTION refuse('words of an act are blanked, not changed');

CREATE TRIGGER audit_words_truncate BEFORE TRUNCATE ON audit_words
EXECUTE FUNCTION refuse('words of an act are blanked, not changed');

GRANT SELECT ON audit, audit_words TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON audit TO shoutgraph_app;

GRANT INSERT, UPDATE ON audit_words TO shoutgraph_app;
