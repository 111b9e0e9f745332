-- The guards of the audit trail, for SQLite. A blank line ends each statement.

CREATE TRIGGER audit_new BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_words_new BEFORE INSERT ON audit_words
WHEN EXISTS (SELECT 1 FROM audit_words WHERE audit_id = NEW.audit_id)
BEGIN SELECT RAISE(ABORT, 'words of an act are blanked, not changed'); END;

CREATE TRIGGER audit_words_blanked BEFORE UPDATE ON audit_words
WHEN NEW.words IS NOT NULL OR NEW.audit_id <> OLD.audit_id
BEGIN SELECT RAISE(ABORT, 'words of an act are blanked, not changed'); END;

CREATE TRIGGER audit_words_delete BEFORE DELETE ON audit_words
BEGIN SELECT RAISE(ABORT, 'words of an act are blanked, not changed'); END;
