-- The guards of closures, for SQLite. A blank line ends each statement, so no body has one.

CREATE TRIGGER closure_new BEFORE INSERT ON closure WHEN EXISTS (SELECT 1 FROM closure WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a closure is asked for once'); END;

CREATE TRIGGER closure_identity BEFORE UPDATE OF
  id, user_id, forfeit_promo, shop, requested_at, revocable_until ON closure
BEGIN SELECT RAISE(ABORT, 'a closure stays what was asked for'); END;

CREATE TRIGGER closure_forward BEFORE UPDATE ON closure
WHEN NEW.revision <> OLD.revision + 1 OR OLD.state = 'CANCELLED'
  OR (OLD.state = 'CLOSED' AND NEW.state <> 'CLOSED')
  OR (OLD.begun_at IS NOT NULL AND NEW.begun_at IS NOT OLD.begun_at)
BEGIN SELECT RAISE(ABORT, 'a closure only goes on'); END;

CREATE TRIGGER closure_settled BEFORE UPDATE OF state ON closure
WHEN OLD.state <> 'CLOSED' AND NEW.state = 'CLOSED'
  AND EXISTS (SELECT 1 FROM closure_step WHERE closure_id = NEW.id AND state IN ('WAITING', 'BLOCKED'))
BEGIN SELECT RAISE(ABORT, 'an account is closed when every step is settled'); END;

CREATE TRIGGER closure_delete BEFORE DELETE ON closure
BEGIN SELECT RAISE(ABORT, 'closures are never deleted'); END;

CREATE TRIGGER closure_step_new BEFORE INSERT ON closure_step
WHEN EXISTS (SELECT 1 FROM closure_step WHERE closure_id = NEW.closure_id AND step = NEW.step)
BEGIN SELECT RAISE(ABORT, 'a step of a closure is written once'); END;

CREATE TRIGGER closure_step_identity BEFORE UPDATE OF closure_id, step ON closure_step
BEGIN SELECT RAISE(ABORT, 'a step of a closure stays what it is'); END;

CREATE TRIGGER closure_step_forward BEFORE UPDATE ON closure_step WHEN NEW.since < OLD.since
BEGIN SELECT RAISE(ABORT, 'a step of a closure only goes on'); END;

CREATE TRIGGER closure_step_delete BEFORE DELETE ON closure_step
BEGIN SELECT RAISE(ABORT, 'closures are never deleted'); END;

CREATE TRIGGER user_closed BEFORE UPDATE OF closed_at ON users
WHEN OLD.closed_at IS NOT NULL AND NEW.closed_at IS NULL
  AND EXISTS (SELECT 1 FROM closure WHERE user_id = NEW.id AND begun_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'a closed account stays closed'); END;
