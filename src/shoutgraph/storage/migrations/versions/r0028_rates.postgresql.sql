-- The guards of rates, for PostgreSQL. A blank line ends each statement, so no body has one.

-- of two versions the newer one holds, so a version takes its turn, and none takes effect before it is published
CREATE FUNCTION fx_rate_next() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.effective_from < NEW.created_at OR NEW.version <> 1 + coalesce((
      SELECT max(version) FROM fx_rate WHERE currency = NEW.currency AND book_currency = NEW.book_currency), 0) THEN
    RAISE EXCEPTION 'a rate follows the newest one, and takes effect now or later' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER fx_rate_next BEFORE INSERT ON fx_rate FOR EACH ROW EXECUTE FUNCTION fx_rate_next();

-- what was held is valued once a day, in the books
CREATE TRIGGER fx_revaluation_fixed BEFORE UPDATE OR DELETE ON fx_revaluation
FOR EACH ROW EXECUTE FUNCTION refuse('what was valued never changes');

CREATE TRIGGER fx_revaluation_truncate BEFORE TRUNCATE ON fx_revaluation
EXECUTE FUNCTION refuse('what was valued never changes');

-- rights
GRANT SELECT ON fx_revaluation TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON fx_revaluation TO shoutgraph_app;
