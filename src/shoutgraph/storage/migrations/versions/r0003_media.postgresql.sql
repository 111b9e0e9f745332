-- The guards of videos, for PostgreSQL. A blank line ends each statement, so no body has one.
-- What was delivered is what was checked: the digest of a checked video stays.
CREATE FUNCTION video_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.order_id, NEW.creator_id, NEW.size_bytes, NEW.size_bytes_max, NEW.duration_max_s)
    IS DISTINCT FROM
      (OLD.id, OLD.order_id, OLD.creator_id, OLD.size_bytes, OLD.size_bytes_max, OLD.duration_max_s) THEN
    RAISE EXCEPTION 'a video stays its order''s, with the limits it was opened for' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.sha256 IS NOT NULL AND NEW.sha256 IS DISTINCT FROM OLD.sha256 THEN
    RAISE EXCEPTION 'a checked video keeps its digest' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state <> OLD.state AND OLD.state || ' ' || NEW.state NOT IN
    ('UPLOADING CHECKING', 'UPLOADING REJECTED', 'CHECKING READY', 'CHECKING REJECTED', 'READY REJECTED') THEN
    RAISE EXCEPTION 'a video goes from UPLOADING to CHECKING to READY, and to REJECTED from each'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER video_guard BEFORE UPDATE ON video FOR EACH ROW EXECUTE FUNCTION video_guard();

CREATE TRIGGER video_truncate BEFORE TRUNCATE ON video
EXECUTE FUNCTION refuse('a video stays its order''s, with the limits it was opened for');

-- rights
GRANT SELECT ON video TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON video TO shoutgraph_app;
