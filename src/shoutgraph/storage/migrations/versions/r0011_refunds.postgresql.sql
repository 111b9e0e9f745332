-- The guards of refunds and of what people settle, for PostgreSQL. A blank line ends each statement, so no body has one.

-- refund
CREATE TRIGGER refund_new BEFORE INSERT ON refund
FOR EACH ROW WHEN (NEW.state <> 'REQUESTED') EXECUTE FUNCTION refuse('a refund is requested once');

-- what was asked for stays, a refund only goes forward, and no more is asked for than the provider has
CREATE FUNCTION refund_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.topup_id, NEW.user_id, NEW.instance, NEW.minor, NEW.coins, NEW.book_units, NEW.currency, NEW.taken,
      NEW.reason, NEW.requested_by, NEW.created_at)
    IS DISTINCT FROM
      (OLD.id, OLD.topup_id, OLD.user_id, OLD.instance, OLD.minor, OLD.coins, OLD.book_units, OLD.currency, OLD.taken,
      OLD.reason, OLD.requested_by, OLD.created_at) THEN
    RAISE EXCEPTION 'what was asked for never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts < OLD.attempts OR (NEW.state <> OLD.state AND (
    OLD.state IN ('SUCCEEDED', 'FAILED', 'DENIED') OR NEW.state = 'REQUESTED'
    OR (NEW.state = 'HELD' AND OLD.state <> 'REQUESTED'))) THEN
    RAISE EXCEPTION 'a refund only goes forward' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state IN ('SUBMITTING', 'PENDING', 'UNKNOWN', 'SUCCEEDED') AND OLD.state IN ('REQUESTED', 'HELD') THEN
    PERFORM 1 FROM topup WHERE id = NEW.topup_id FOR NO KEY UPDATE;
    IF NOT EXISTS (
      SELECT 1 FROM topup t WHERE t.id = NEW.topup_id AND t.credited = 1 AND t.settled_minor >= NEW.minor + (
        SELECT coalesce(sum(other.minor), 0) FROM refund other WHERE other.topup_id = NEW.topup_id
          AND other.id <> NEW.id AND other.state IN ('SUBMITTING', 'PENDING', 'UNKNOWN', 'SUCCEEDED'))) THEN
      RAISE EXCEPTION 'no more is refunded than was paid' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER refund_guard BEFORE UPDATE ON refund FOR EACH ROW EXECUTE FUNCTION refund_guard();

-- Checked at COMMIT: the transfers of a batch of commands are written at its end.
CREATE FUNCTION refund_in_books() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.coins = 0 THEN
    RETURN NULL;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'topup.refund_requested' AND ref = NEW.id) THEN
    RAISE EXCEPTION 'the coins of a refund are set aside first' USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.state = 'SUCCEEDED' AND NOT EXISTS (
      SELECT 1 FROM transfer WHERE kind IN ('topup.refund_succeeded', 'topup.refund_failed') AND ref = NEW.id))
    OR (NEW.state IN ('FAILED', 'DENIED') AND NOT EXISTS (
      SELECT 1 FROM transfer WHERE kind = 'topup.refund_failed' AND ref = NEW.id)) THEN
    RAISE EXCEPTION 'a refund that ended is in the books' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER refund_set_aside AFTER INSERT ON refund DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION refund_in_books();

CREATE CONSTRAINT TRIGGER refund_booked AFTER UPDATE ON refund DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION refund_in_books();

CREATE TRIGGER refund_delete BEFORE DELETE ON refund
FOR EACH ROW EXECUTE FUNCTION refuse('refunds are never deleted');

CREATE TRIGGER refund_truncate BEFORE TRUNCATE ON refund EXECUTE FUNCTION refuse('refunds are never deleted');

-- resolution
CREATE TRIGGER resolution_identity BEFORE UPDATE OF
  id, kind, subject_id, subject_revision, verdict, evidence, proposed_by, proposed_at ON resolution
FOR EACH ROW EXECUTE FUNCTION refuse('what was proposed never changes');

CREATE TRIGGER resolution_once BEFORE UPDATE ON resolution
FOR EACH ROW WHEN (OLD.state <> 'PROPOSED') EXECUTE FUNCTION refuse('a resolution is decided once');

CREATE TRIGGER resolution_delete BEFORE DELETE ON resolution
FOR EACH ROW EXECUTE FUNCTION refuse('resolutions are never deleted');

CREATE TRIGGER resolution_truncate BEFORE TRUNCATE ON resolution
EXECUTE FUNCTION refuse('resolutions are never deleted');

-- rights
GRANT SELECT ON refund, resolution, news_cursor, sweep, money_total TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON refund, resolution, news_cursor, sweep, money_total TO shoutgraph_app;
