-- The guards of people's own limits, for PostgreSQL. A blank line ends each statement, so no body has one.

-- what somebody set to guard themselves is made longer, never shorter
CREATE FUNCTION spending_guard_lasts() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF OLD.excluded_until > coalesce(NEW.excluded_until, 0) OR OLD.paused_until > coalesce(NEW.paused_until, 0) THEN
    RAISE EXCEPTION 'a pause is made longer, never shorter' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.user_id <> OLD.user_id OR NEW.revision <= OLD.revision THEN
    RAISE EXCEPTION 'a guard goes on by revisions, and stays whose it is' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER spending_guard_lasts BEFORE UPDATE ON spending_guard
FOR EACH ROW EXECUTE FUNCTION spending_guard_lasts();

CREATE TRIGGER spending_guard_delete BEFORE DELETE ON spending_guard
FOR EACH ROW EXECUTE FUNCTION refuse('a guard is never deleted');

CREATE TRIGGER spending_guard_truncate BEFORE TRUNCATE ON spending_guard
EXECUTE FUNCTION refuse('a guard is never deleted');

-- rights: a date of birth can be erased
GRANT SELECT ON spending_guard, birth TO shoutgraph_app;

GRANT SELECT ON spending_guard TO shoutgraph_report;

GRANT INSERT, UPDATE ON spending_guard, birth TO shoutgraph_app;

GRANT DELETE ON birth TO shoutgraph_app;
