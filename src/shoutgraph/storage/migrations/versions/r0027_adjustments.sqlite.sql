-- The guards of corrections of the books, for SQLite. A blank line ends each statement.

CREATE TRIGGER ledger_adjustment_new BEFORE INSERT ON ledger_adjustment
WHEN NEW.state <> 'PROPOSED' OR EXISTS (SELECT 1 FROM ledger_adjustment WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a correction is proposed once, and first'); END;

CREATE TRIGGER ledger_adjustment_identity BEFORE UPDATE OF
  id, reason, case_reference, par_units, leg_count, proposed_by, proposed_at ON ledger_adjustment
BEGIN SELECT RAISE(ABORT, 'what was proposed never changes'); END;

CREATE TRIGGER ledger_adjustment_once BEFORE UPDATE OF state, decided_by, decided_at, booked ON ledger_adjustment
WHEN OLD.state <> 'PROPOSED'
BEGIN SELECT RAISE(ABORT, 'a correction is decided once'); END;

CREATE TRIGGER ledger_adjustment_balanced BEFORE UPDATE OF state ON ledger_adjustment
WHEN NEW.state = 'DONE' AND NOT (
  SELECT count(*) = NEW.leg_count
    AND coalesce(sum((debit LIKE 'user:%') * amount - (credit LIKE 'user:%') * amount), 0) * NEW.par_units
      = coalesce(sum((debit LIKE 'recv:users:%') * amount - (credit LIKE 'recv:users:%') * amount), 0)
  FROM ledger_adjustment_leg WHERE adjustment_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a correction keeps debts at par'); END;

CREATE TRIGGER ledger_adjustment_delete BEFORE DELETE ON ledger_adjustment
BEGIN SELECT RAISE(ABORT, 'corrections are never deleted'); END;

CREATE TRIGGER ledger_adjustment_leg_new BEFORE INSERT ON ledger_adjustment_leg
WHEN NOT EXISTS (
    SELECT 1 FROM ledger_adjustment WHERE id = NEW.adjustment_id AND state = 'PROPOSED' AND NEW.place < leg_count)
  OR EXISTS (SELECT 1 FROM ledger_adjustment_leg WHERE adjustment_id = NEW.adjustment_id AND place = NEW.place)
BEGIN SELECT RAISE(ABORT, 'legs belong to what was proposed'); END;

CREATE TRIGGER ledger_adjustment_leg_update BEFORE UPDATE ON ledger_adjustment_leg
BEGIN SELECT RAISE(ABORT, 'legs never change'); END;

CREATE TRIGGER ledger_adjustment_leg_delete BEFORE DELETE ON ledger_adjustment_leg
BEGIN SELECT RAISE(ABORT, 'legs never change'); END;
