-- The guards of epochs, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE FUNCTION epoch_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.number <= coalesce((SELECT max(number) FROM epoch), 0)
    OR NEW.after_seq < coalesce((SELECT max(after_seq) FROM epoch), 0)
    OR NOT EXISTS (
      SELECT 1 FROM (SELECT seq, hash, at FROM event UNION ALL SELECT 0, decode(repeat('00', 32), 'hex'), 0) e
        WHERE e.seq = NEW.after_seq AND e.hash = NEW.after_hash AND e.at = NEW.after_at) THEN
    RAISE EXCEPTION 'an epoch follows the one before it, at a line of the journal' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER epoch_new BEFORE INSERT ON epoch FOR EACH ROW EXECUTE FUNCTION epoch_guard();

CREATE TRIGGER epoch_fixed BEFORE UPDATE OR DELETE ON epoch
FOR EACH ROW EXECUTE FUNCTION refuse('epochs are append-only');

CREATE TRIGGER epoch_truncate BEFORE TRUNCATE ON epoch EXECUTE FUNCTION refuse('epochs are append-only');

GRANT SELECT ON epoch, stray TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON epoch TO shoutgraph_app;

GRANT INSERT, UPDATE ON stray TO shoutgraph_app;
