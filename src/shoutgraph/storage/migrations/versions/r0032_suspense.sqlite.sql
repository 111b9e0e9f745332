-- The guards of suspense, for SQLite. A blank line ends each statement.

CREATE TRIGGER suspense_line_new BEFORE INSERT ON suspense_line
WHEN NEW.state <> 'OPEN' OR NEW.revision <> 1
  OR EXISTS (SELECT 1 FROM suspense_line WHERE id = NEW.id OR (instance = NEW.instance AND line_id = NEW.line_id))
BEGIN SELECT RAISE(ABORT, 'a line goes to suspense once, and is open'); END;

CREATE TRIGGER suspense_line_identity BEFORE UPDATE OF
  id, instance, line_id, operation_id, ref, amount_minor, currency, made_at, found_at, opened ON suspense_line
BEGIN SELECT RAISE(ABORT, 'what a provider moved never changes'); END;

CREATE TRIGGER suspense_line_ended BEFORE UPDATE ON suspense_line
WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a line leaves suspense once'); END;

CREATE TRIGGER suspense_line_step BEFORE UPDATE OF
  state, revision, account, reason, proposed_by, proposed_at, decided_by, ended_at, closed ON suspense_line
WHEN OLD.ended_at IS NULL AND NOT (NEW.revision = OLD.revision + 1 AND (
    (OLD.state = 'OPEN' AND NEW.state IN ('PROPOSED', 'CLEARED'))
    OR (OLD.state = 'PROPOSED' AND NEW.state IN ('OPEN', 'CLEARED'))
    OR (OLD.state = 'PROPOSED' AND NEW.state = 'PLACED' AND NEW.account IS OLD.account AND NEW.reason IS OLD.reason
      AND NEW.proposed_by IS OLD.proposed_by AND NEW.proposed_at IS OLD.proposed_at)))
BEGIN SELECT RAISE(ABORT, 'a line takes one step at a time'); END;

CREATE TRIGGER suspense_line_alert BEFORE UPDATE OF alerted_at ON suspense_line
WHEN OLD.alerted_at IS NOT NULL AND NEW.alerted_at IS NOT OLD.alerted_at
BEGIN SELECT RAISE(ABORT, 'people are called once'); END;

CREATE TRIGGER suspense_line_delete BEFORE DELETE ON suspense_line
BEGIN SELECT RAISE(ABORT, 'lines of providers are never deleted'); END;
