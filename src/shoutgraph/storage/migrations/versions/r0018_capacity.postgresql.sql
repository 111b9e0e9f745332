-- The guards of lines, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE FUNCTION waitlist_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM creator WHERE id = NEW.creator_id AND user_id = NEW.fan_id)
    OR NOT EXISTS (SELECT 1 FROM offer WHERE id = NEW.offer_id AND creator_id = NEW.creator_id) THEN
    RAISE EXCEPTION 'a fan waits once, for an offer of somebody else' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER waitlist_new BEFORE INSERT ON waitlist_entry FOR EACH ROW EXECUTE FUNCTION waitlist_new();

CREATE FUNCTION waitlist_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.creator_id, NEW.offer_id, NEW.fan_id, NEW.number, NEW.joined_at)
    IS DISTINCT FROM (OLD.id, OLD.creator_id, OLD.offer_id, OLD.fan_id, OLD.number, OLD.joined_at) THEN
    RAISE EXCEPTION 'a place in a line stays whose it is' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.revision <> OLD.revision + 1 OR OLD.state NOT IN ('WAITING', 'OFFERED')
    OR (OLD.state = 'WAITING' AND NEW.state IN ('WAITING', 'DECLINED', 'LAPSED')) THEN
    RAISE EXCEPTION 'who waits moves on, step by step, and does not come back' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.order_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM orders WHERE id = NEW.order_id AND fan_id = NEW.fan_id AND creator_id = NEW.creator_id) THEN
    RAISE EXCEPTION 'who waited orders for themselves, where they waited' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER waitlist_guard BEFORE UPDATE ON waitlist_entry FOR EACH ROW EXECUTE FUNCTION waitlist_guard();

CREATE TRIGGER waitlist_delete BEFORE DELETE ON waitlist_entry
FOR EACH ROW EXECUTE FUNCTION refuse('who waited is not forgotten');

CREATE TRIGGER waitlist_truncate BEFORE TRUNCATE ON waitlist_entry EXECUTE FUNCTION refuse('who waited is not forgotten');

-- rights
GRANT SELECT ON waitlist_entry TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON waitlist_entry TO shoutgraph_app;
