-- The guards of closures, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE TRIGGER closure_identity BEFORE UPDATE OF
  id, user_id, forfeit_promo, shop, requested_at, revocable_until ON closure
FOR EACH ROW EXECUTE FUNCTION refuse('a closure stays what was asked for');

CREATE TRIGGER closure_forward BEFORE UPDATE ON closure
FOR EACH ROW WHEN (NEW.revision <> OLD.revision + 1 OR OLD.state = 'CANCELLED'
  OR (OLD.state = 'CLOSED' AND NEW.state <> 'CLOSED')
  OR (OLD.begun_at IS NOT NULL AND (NEW.begun_at IS NULL OR NEW.begun_at <> OLD.begun_at)))
EXECUTE FUNCTION refuse('a closure only goes on');

CREATE FUNCTION closure_settled() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM closure_step WHERE closure_id = NEW.id AND state IN ('WAITING', 'BLOCKED')) THEN
    RAISE EXCEPTION 'an account is closed when every step is settled' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER closure_settled BEFORE UPDATE OF state ON closure
FOR EACH ROW WHEN (OLD.state <> 'CLOSED' AND NEW.state = 'CLOSED') EXECUTE FUNCTION closure_settled();

CREATE TRIGGER closure_delete BEFORE DELETE ON closure
FOR EACH ROW EXECUTE FUNCTION refuse('closures are never deleted');

CREATE TRIGGER closure_truncate BEFORE TRUNCATE ON closure EXECUTE FUNCTION refuse('closures are never deleted');

CREATE TRIGGER closure_step_identity BEFORE UPDATE OF closure_id, step ON closure_step
FOR EACH ROW EXECUTE FUNCTION refuse('a step of a closure stays what it is');

CREATE TRIGGER closure_step_forward BEFORE UPDATE ON closure_step
FOR EACH ROW WHEN (NEW.since < OLD.since) EXECUTE FUNCTION refuse('a step of a closure only goes on');

CREATE TRIGGER closure_step_delete BEFORE DELETE ON closure_step
FOR EACH ROW EXECUTE FUNCTION refuse('closures are never deleted');

CREATE TRIGGER closure_step_truncate BEFORE TRUNCATE ON closure_step
EXECUTE FUNCTION refuse('closures are never deleted');

CREATE FUNCTION user_closed() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM closure WHERE user_id = NEW.id AND begun_at IS NOT NULL) THEN
    RAISE EXCEPTION 'a closed account stays closed' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER user_closed BEFORE UPDATE OF closed_at ON users
FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL AND NEW.closed_at IS NULL) EXECUTE FUNCTION user_closed();

GRANT SELECT ON closure, closure_step TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON closure, closure_step TO shoutgraph_app;
