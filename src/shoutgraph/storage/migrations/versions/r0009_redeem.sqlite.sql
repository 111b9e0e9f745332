-- The guards of receipts and routed top-ups, for SQLite. A blank line ends each statement.

CREATE TRIGGER package_product BEFORE UPDATE OF product ON coin_package
BEGIN SELECT RAISE(ABORT, 'a price never changes: store a new version'); END;

CREATE TRIGGER topup_follows_stays BEFORE UPDATE OF follows ON topup
WHEN NEW.follows IS NOT OLD.follows
BEGIN SELECT RAISE(ABORT, 'what was agreed never changes'); END;

CREATE TRIGGER topup_receipt_update BEFORE UPDATE ON topup_receipt
BEGIN SELECT RAISE(ABORT, 'a receipt is presented as it came'); END;
