-- The guards of suspense, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE FUNCTION suspense_line_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'OPEN' OR NEW.revision <> 1 THEN
      RAISE EXCEPTION 'a line goes to suspense once, and is open' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.id, NEW.instance, NEW.line_id, NEW.operation_id, NEW.ref, NEW.amount_minor, NEW.currency, NEW.made_at,
      NEW.found_at, NEW.opened)
    IS DISTINCT FROM
      (OLD.id, OLD.instance, OLD.line_id, OLD.operation_id, OLD.ref, OLD.amount_minor, OLD.currency, OLD.made_at,
      OLD.found_at, OLD.opened) THEN
    RAISE EXCEPTION 'what a provider moved never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.ended_at IS NOT NULL THEN
    RAISE EXCEPTION 'a line leaves suspense once' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.alerted_at IS NOT NULL AND NEW.alerted_at IS DISTINCT FROM OLD.alerted_at THEN
    RAISE EXCEPTION 'people are called once' USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.state, NEW.revision, NEW.account, NEW.reason, NEW.proposed_by, NEW.proposed_at, NEW.decided_by, NEW.ended_at,
      NEW.closed)
    IS NOT DISTINCT FROM
      (OLD.state, OLD.revision, OLD.account, OLD.reason, OLD.proposed_by, OLD.proposed_at, OLD.decided_by, OLD.ended_at,
      OLD.closed) THEN
    RETURN NEW;
  END IF;
  IF NOT (NEW.revision = OLD.revision + 1 AND (
      (OLD.state = 'OPEN' AND NEW.state IN ('PROPOSED', 'CLEARED'))
      OR (OLD.state = 'PROPOSED' AND NEW.state IN ('OPEN', 'CLEARED'))
      OR (OLD.state = 'PROPOSED' AND NEW.state = 'PLACED'
        AND (NEW.account, NEW.reason, NEW.proposed_by, NEW.proposed_at)
          IS NOT DISTINCT FROM (OLD.account, OLD.reason, OLD.proposed_by, OLD.proposed_at)))) THEN
    RAISE EXCEPTION 'a line takes one step at a time' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER suspense_line_guard BEFORE INSERT OR UPDATE ON suspense_line
FOR EACH ROW EXECUTE FUNCTION suspense_line_guard();

CREATE TRIGGER suspense_line_delete BEFORE DELETE ON suspense_line
FOR EACH ROW EXECUTE FUNCTION refuse('lines of providers are never deleted');

CREATE TRIGGER suspense_line_truncate BEFORE TRUNCATE ON suspense_line
EXECUTE FUNCTION refuse('lines of providers are never deleted');

GRANT SELECT ON suspense_line TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON suspense_line TO shoutgraph_app;
