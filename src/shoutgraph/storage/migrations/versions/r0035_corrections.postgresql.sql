-- The guard of transfers that correct the books, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE FUNCTION transfer_adjusted() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM ledger_adjustment WHERE id = NEW.ref AND state <> 'REJECTED') THEN
    RAISE EXCEPTION 'a correction is what two people agreed on' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER transfer_adjusted AFTER INSERT ON transfer DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.kind = 'ledger.adjusted') EXECUTE FUNCTION transfer_adjusted();

CREATE FUNCTION ledger_adjustment_rejected() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM transfer WHERE kind = 'ledger.adjusted' AND ref = NEW.id) THEN
    RAISE EXCEPTION 'a correction is what two people agreed on' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER ledger_adjustment_rejected BEFORE UPDATE OF state ON ledger_adjustment
FOR EACH ROW WHEN (NEW.state = 'REJECTED') EXECUTE FUNCTION ledger_adjustment_rejected();
