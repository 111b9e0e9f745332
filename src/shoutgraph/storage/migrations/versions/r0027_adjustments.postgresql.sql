-- The guards of corrections of the books, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE FUNCTION ledger_adjustment_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  legs bigint; owed numeric; carried numeric;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'PROPOSED' THEN
      RAISE EXCEPTION 'a correction is proposed once, and first' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.id, NEW.reason, NEW.case_reference, NEW.par_units, NEW.leg_count, NEW.proposed_by, NEW.proposed_at)
    IS DISTINCT FROM
      (OLD.id, OLD.reason, OLD.case_reference, OLD.par_units, OLD.leg_count, OLD.proposed_by, OLD.proposed_at) THEN
    RAISE EXCEPTION 'what was proposed never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state <> 'PROPOSED' THEN
    RAISE EXCEPTION 'a correction is decided once' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state = 'DONE' THEN
    SELECT count(*),
      coalesce(sum(CASE WHEN debit LIKE 'user:%' THEN amount ELSE 0 END
        - CASE WHEN credit LIKE 'user:%' THEN amount ELSE 0 END), 0),
      coalesce(sum(CASE WHEN debit LIKE 'recv:users:%' THEN amount ELSE 0 END
        - CASE WHEN credit LIKE 'recv:users:%' THEN amount ELSE 0 END), 0)
    INTO legs, owed, carried FROM ledger_adjustment_leg WHERE adjustment_id = NEW.id;
    IF legs <> NEW.leg_count OR owed * NEW.par_units <> carried THEN
      RAISE EXCEPTION 'a correction keeps debts at par' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER ledger_adjustment_guard BEFORE INSERT OR UPDATE ON ledger_adjustment
FOR EACH ROW EXECUTE FUNCTION ledger_adjustment_guard();

CREATE TRIGGER ledger_adjustment_delete BEFORE DELETE ON ledger_adjustment
FOR EACH ROW EXECUTE FUNCTION refuse('corrections are never deleted');

CREATE TRIGGER ledger_adjustment_truncate BEFORE TRUNCATE ON ledger_adjustment
EXECUTE FUNCTION refuse('corrections are never deleted');

CREATE FUNCTION ledger_adjustment_leg_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM ledger_adjustment
      WHERE id = NEW.adjustment_id AND state = 'PROPOSED' AND NEW.place < leg_count) THEN
    RAISE EXCEPTION 'legs belong to what was proposed' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER ledger_adjustment_leg_new BEFORE INSERT ON ledger_adjustment_leg
FOR EACH ROW EXECUTE FUNCTION ledger_adjustment_leg_new();

CREATE TRIGGER ledger_adjustment_leg_fixed BEFORE UPDATE OR DELETE ON ledger_adjustment_leg
FOR EACH ROW EXECUTE FUNCTION refuse('legs never change');

CREATE TRIGGER ledger_adjustment_leg_truncate BEFORE TRUNCATE ON ledger_adjustment_leg
EXECUTE FUNCTION refuse('legs never change');

GRANT SELECT ON ledger_adjustment, ledger_adjustment_leg TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON ledger_adjustment TO shoutgraph_app;

GRANT INSERT ON ledger_adjustment_leg TO shoutgraph_app;
