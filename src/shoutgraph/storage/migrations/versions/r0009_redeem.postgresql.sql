-- The guards of receipts and routed top-ups, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE TRIGGER topup_follows_stays BEFORE UPDATE ON topup
FOR EACH ROW WHEN (NEW.follows IS DISTINCT FROM OLD.follows)
EXECUTE FUNCTION refuse('what was agreed never changes');

CREATE TRIGGER topup_receipt_update BEFORE UPDATE ON topup_receipt
FOR EACH ROW EXECUTE FUNCTION refuse('a receipt is presented as it came');

-- the proof is personal: reports do not see it
GRANT SELECT, INSERT, DELETE ON topup_receipt TO shoutgraph_app;
