-- The guards of briefs, evidence and samples, for PostgreSQL. A blank line ends each statement, so no body has one.

-- cut: what was ticked belongs to one video of one order
CREATE TRIGGER cut_identity BEFORE UPDATE OF video_id, order_id ON cut
FOR EACH ROW WHEN (NEW.video_id <> OLD.video_id OR NEW.order_id <> OLD.order_id)
EXECUTE FUNCTION refuse('ticks stay with their video');

CREATE TRIGGER cut_delete BEFORE DELETE ON cut FOR EACH ROW EXECUTE FUNCTION refuse('ticks are not deleted');

CREATE TRIGGER cut_truncate BEFORE TRUNCATE ON cut EXECUTE FUNCTION refuse('ticks are not deleted');

-- dispute_statement: what a side said stays as it was said, or is erased
CREATE TRIGGER dispute_statement_fixed BEFORE UPDATE ON dispute_statement
FOR EACH ROW EXECUTE FUNCTION refuse('a statement stays as it was said');

CREATE TRIGGER dispute_statement_truncate BEFORE TRUNCATE ON dispute_statement
EXECUTE FUNCTION refuse('a statement stays as it was said');

-- attachment: a file of a side of an order, used once
CREATE FUNCTION attachment_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NOT EXISTS (
      SELECT 1 FROM orders o WHERE o.id = NEW.order_id AND CASE NEW.side WHEN 'FAN' THEN o.fan_id = NEW.uploader_id
        ELSE EXISTS (SELECT 1 FROM creator c WHERE c.id = o.creator_id AND c.user_id = NEW.uploader_id) END) THEN
      RAISE EXCEPTION 'an attachment is by a side of its order' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.id, NEW.order_id, NEW.purpose, NEW.uploader_id, NEW.side, NEW.size_bytes, NEW.size_bytes_max,
      NEW.duration_max_s) IS DISTINCT FROM (OLD.id, OLD.order_id, OLD.purpose, OLD.uploader_id, OLD.side, OLD.size_bytes,
      OLD.size_bytes_max, OLD.duration_max_s) THEN
    RAISE EXCEPTION 'an attachment stays its order''s, with the limits it was opened for' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
    ('UPLOADING', 'CHECKING'), ('UPLOADING', 'REJECTED'), ('CHECKING', 'READY'), ('CHECKING', 'REJECTED'),
    ('READY', 'REJECTED')) THEN
    RAISE EXCEPTION 'an attachment lives as a video does' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state = 'READY' AND NEW.state = 'READY' AND NEW.sha256 IS DISTINCT FROM OLD.sha256 THEN
    RAISE EXCEPTION 'a checked attachment keeps its digest' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.used_revision IS DISTINCT FROM OLD.used_revision AND (OLD.used_revision IS NOT NULL OR OLD.state <> 'READY') THEN
    RAISE EXCEPTION 'an attachment is used once, when it is ready' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER attachment_guard BEFORE INSERT OR UPDATE ON attachment
FOR EACH ROW EXECUTE FUNCTION attachment_guard();

CREATE TRIGGER attachment_delete BEFORE DELETE ON attachment
FOR EACH ROW EXECUTE FUNCTION refuse('an attachment is taken away, not deleted');

CREATE TRIGGER attachment_truncate BEFORE TRUNCATE ON attachment
EXECUTE FUNCTION refuse('an attachment is taken away, not deleted');

-- sample: what shows is a completed order's video that its fan agrees to show; what staff took down stays down
CREATE FUNCTION sample_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.id, NEW.order_id, NEW.creator_id) IS DISTINCT FROM (OLD.id, OLD.order_id, OLD.creator_id) THEN
      RAISE EXCEPTION 'a sample stays its order''s' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state = 'TAKEN_DOWN' AND NEW.state <> OLD.state THEN
      RAISE EXCEPTION 'what was taken down stays down' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  IF NEW.state = 'SHOWN' AND NOT EXISTS (
    SELECT 1 FROM orders o JOIN brief b ON b.order_id = o.id
    WHERE o.id = NEW.order_id AND o.creator_id = NEW.creator_id AND o.passed_video_id = NEW.video_id
      AND o.state = 'COMPLETED' AND b.body::json ->> 'visibility' = 'PUBLIC') THEN
    RAISE EXCEPTION 'a sample is the video of a completed order whose fan agrees' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER sample_guard BEFORE INSERT OR UPDATE ON sample FOR EACH ROW EXECUTE FUNCTION sample_guard();

CREATE TRIGGER sample_delete BEFORE DELETE ON sample
FOR EACH ROW EXECUTE FUNCTION refuse('a sample is taken away, not deleted');

CREATE TRIGGER sample_truncate BEFORE TRUNCATE ON sample
EXECUTE FUNCTION refuse('a sample is taken away, not deleted');

CREATE FUNCTION brief_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM sample WHERE order_id = OLD.order_id AND state = 'SHOWN') THEN
    IF TG_OP = 'DELETE' OR (NEW.body::json ->> 'visibility') IS DISTINCT FROM 'PUBLIC' THEN
      RAISE EXCEPTION 'a sample goes before its fan''s consent' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER brief_guard BEFORE UPDATE OR DELETE ON brief FOR EACH ROW EXECUTE FUNCTION brief_guard();

-- rights
GRANT SELECT ON sample TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON sample TO shoutgraph_app;

GRANT SELECT ON attachment TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON attachment TO shoutgraph_app;

GRANT SELECT ON cut TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON cut TO shoutgraph_app;

GRANT DELETE ON dispute_statement TO shoutgraph_app;
