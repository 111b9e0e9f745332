-- The guard of transfers that correct the books, for SQLite. A blank line ends each statement.

CREATE TRIGGER transfer_adjusted BEFORE INSERT ON transfer
WHEN NEW.kind = 'ledger.adjusted'
  AND NOT EXISTS (SELECT 1 FROM ledger_adjustment WHERE id = NEW.ref AND state <> 'REJECTED')
BEGIN SELECT RAISE(ABORT, 'a correction is what two people agreed on'); END;

CREATE TRIGGER ledger_adjustment_rejected BEFORE UPDATE OF state ON ledger_adjustment
WHEN NEW.state = 'REJECTED' AND EXISTS (SELECT 1 FROM transfer WHERE kind = 'ledger.adjusted' AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a correction is what two people agreed on'); END;
