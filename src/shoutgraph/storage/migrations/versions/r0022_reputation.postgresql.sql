-- The guards of reputations and of delivered videos, for PostgreSQL. A blank line ends each statement, so no body has one.

-- how far the journal is counted
CREATE FUNCTION fold_on() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.seq > (SELECT coalesce(max(seq), 0) FROM event)
    OR (TG_OP = 'UPDATE' AND (NEW.name <> OLD.name OR NEW.seq < OLD.seq)) THEN
    RAISE EXCEPTION 'a fold counts lines that there are, each once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER fold_on BEFORE INSERT OR UPDATE ON fold FOR EACH ROW EXECUTE FUNCTION fold_on();

CREATE TRIGGER fold_delete BEFORE DELETE ON fold
FOR EACH ROW EXECUTE FUNCTION refuse('a fold counts lines that there are, each once');

CREATE TRIGGER fold_truncate BEFORE TRUNCATE ON fold
EXECUTE FUNCTION refuse('a fold counts lines that there are, each once');

-- a creator's days
CREATE TRIGGER reputation_day_identity BEFORE UPDATE OF creator_id, day ON reputation_day
FOR EACH ROW WHEN ((NEW.creator_id, NEW.day) IS DISTINCT FROM (OLD.creator_id, OLD.day))
EXECUTE FUNCTION refuse('a day stays the day of its creator');

CREATE TRIGGER reputation_day_truncate BEFORE TRUNCATE ON reputation_day
EXECUTE FUNCTION refuse('a day stays the day of its creator');

-- what a window comes to is the sum of its days
CREATE FUNCTION reputation_sum() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (TG_OP = 'UPDATE' AND NEW.creator_id <> OLD.creator_id) OR NOT EXISTS (
    SELECT 1 FROM reputation_day WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until
    HAVING (coalesce(sum(accepted), 0), coalesce(sum(declined), 0), coalesce(sum(unanswered), 0), coalesce(sum(waited_s), 0), coalesce(sum(delivered), 0), coalesce(sum(late), 0), coalesce(sum(overdue), 0), coalesce(sum(withdrawn), 0), coalesce(sum(refused), 0), coalesce(sum(redone), 0), coalesce(sum(completed), 0), coalesce(sum(refunded), 0))
      = (NEW.accepted, NEW.declined, NEW.unanswered, NEW.waited_s, NEW.delivered, NEW.late, NEW.overdue, NEW.withdrawn, NEW.refused, NEW.redone, NEW.completed, NEW.refunded)) THEN
    RAISE EXCEPTION 'a reputation is the sum of its days' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER reputation_sum BEFORE INSERT OR UPDATE ON reputation FOR EACH ROW EXECUTE FUNCTION reputation_sum();

CREATE TRIGGER reputation_delete BEFORE DELETE ON reputation
FOR EACH ROW EXECUTE FUNCTION refuse('a reputation is the sum of its days');

CREATE TRIGGER reputation_truncate BEFORE TRUNCATE ON reputation
EXECUTE FUNCTION refuse('a reputation is the sum of its days');

-- what lists sort and filter by is what the reputation says
CREATE FUNCTION creator_judged() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.response_sort_s, NEW.badges) IS DISTINCT FROM (OLD.response_sort_s, OLD.badges) AND NOT EXISTS (
    SELECT 1 FROM reputation
    WHERE creator_id = OLD.id AND response_sort_s = NEW.response_sort_s AND badges = NEW.badges) THEN
    RAISE EXCEPTION 'what a creator is known for is their reputation' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER creator_judged BEFORE UPDATE OF response_sort_s, badges ON creator
FOR EACH ROW EXECUTE FUNCTION creator_judged();

-- a delivered video stays what it is; its copy is made once, or never
CREATE FUNCTION delivered_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM video WHERE id = NEW.video_id AND creator_id = NEW.creator_id AND sha256 = NEW.sha256
      AND duration_ms = NEW.duration_ms) THEN
    RAISE EXCEPTION 'a delivered video is what was measured' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER delivered_new BEFORE INSERT ON delivered_video FOR EACH ROW EXECUTE FUNCTION delivered_new();

CREATE FUNCTION delivered_facts() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.video_id, NEW.manifest_id, NEW.creator_id, NEW.sha256, NEW.duration_ms, NEW.day)
    IS DISTINCT FROM (OLD.video_id, OLD.manifest_id, OLD.creator_id, OLD.sha256, OLD.duration_ms, OLD.day)
    OR (OLD.mark <> 'WAITING' AND (NEW.mark, NEW.marked_sha256, NEW.marked_bytes)
      IS DISTINCT FROM (OLD.mark, OLD.marked_sha256, OLD.marked_bytes)) THEN
    RAISE EXCEPTION 'a delivered video stays what it is' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER delivered_facts BEFORE UPDATE ON delivered_video FOR EACH ROW EXECUTE FUNCTION delivered_facts();

CREATE TRIGGER delivered_delete BEFORE DELETE ON delivered_video
FOR EACH ROW EXECUTE FUNCTION refuse('a delivered video stays what it is');

CREATE TRIGGER delivered_truncate BEFORE TRUNCATE ON delivered_video
EXECUTE FUNCTION refuse('a delivered video stays what it is');

-- rights: a rebuild puts other days in the place of all that are there
GRANT SELECT ON fold, reputation_day, reputation, delivered_video TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON fold, reputation, delivered_video TO shoutgraph_app;

GRANT INSERT, UPDATE, DELETE ON reputation_day TO shoutgraph_app;
