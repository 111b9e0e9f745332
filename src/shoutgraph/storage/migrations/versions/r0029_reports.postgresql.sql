-- What is removed upon a report comes back by an appeal alone, for PostgreSQL. A blank line ends each statement, so no
-- body has one.

CREATE OR REPLACE FUNCTION video_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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
    ('UPLOADING CHECKING', 'UPLOADING REJECTED', 'CHECKING READY', 'CHECKING REJECTED', 'READY REJECTED')
    AND NOT (OLD.state = 'REJECTED' AND NEW.state = 'READY' AND OLD.rejection_code = 'TAKEN_DOWN' AND OLD.stored = 1
      AND EXISTS (SELECT 1 FROM report WHERE subject_id = OLD.id AND state IN ('APPEALED', 'FINAL'))) THEN
    RAISE EXCEPTION 'a video goes from UPLOADING to CHECKING to READY, and to REJECTED from each'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION attachment_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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
    ('READY', 'REJECTED'))
    AND NOT (OLD.state = 'REJECTED' AND NEW.state = 'READY' AND OLD.rejection_code = 'TAKEN_DOWN' AND OLD.stored = 1
      AND EXISTS (SELECT 1 FROM report WHERE subject_id = OLD.id AND state IN ('APPEALED', 'FINAL'))) THEN
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

CREATE OR REPLACE FUNCTION sample_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.id, NEW.order_id, NEW.creator_id) IS DISTINCT FROM (OLD.id, OLD.order_id, OLD.creator_id) THEN
      RAISE EXCEPTION 'a sample stays its order''s' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state = 'TAKEN_DOWN' AND NEW.state <> OLD.state
      AND NOT EXISTS (SELECT 1 FROM report WHERE subject_id = OLD.id AND state IN ('APPEALED', 'FINAL')) THEN
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

CREATE OR REPLACE FUNCTION gift_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  words text[] := '{thanked_at,thanks,message,live_session,hidden}';
BEGIN
  IF to_jsonb(NEW) - words <> to_jsonb(OLD) - words
    OR (NEW.message IS DISTINCT FROM OLD.message AND NEW.message IS NOT NULL)
    OR (NEW.live_session IS DISTINCT FROM OLD.live_session AND NEW.live_session IS NOT NULL) THEN
    RAISE EXCEPTION 'what was given never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.hidden <> OLD.hidden AND NOT EXISTS (SELECT 1 FROM report WHERE subject_id = OLD.id
    AND (NEW.hidden = 1 OR state IN ('APPEALED', 'FINAL'))) THEN
    RAISE EXCEPTION 'a message is hidden upon a report, and shown by its appeal' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.thanked_at IS NOT NULL AND (NEW.thanked_at IS DISTINCT FROM OLD.thanked_at
    OR (NEW.thanks IS DISTINCT FROM OLD.thanks AND NEW.thanks IS NOT NULL)) THEN
    RAISE EXCEPTION 'a giver is thanked once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

GRANT UPDATE (hidden) ON gift TO shoutgraph_app;
