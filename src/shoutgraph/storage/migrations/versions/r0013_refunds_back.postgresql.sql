-- The guards of money that comes back after a refund, for PostgreSQL. A blank line ends each statement, so no body has one.

-- topup: what came back is a part of what was refunded
CREATE FUNCTION topup_refunds_failed() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.refunds_failed_minor < OLD.refunds_failed_minor
    OR NEW.booked_refunds_failed_minor < OLD.booked_refunds_failed_minor
    OR NEW.refunds_failed_minor > NEW.refunded_minor
    OR NEW.booked_refunds_failed_minor > NEW.booked_refunded_minor
    OR NEW.booked_refunds_failed_minor > NEW.refunds_failed_minor THEN
    RAISE EXCEPTION 'no more comes back than was refunded' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER topup_refunds_failed BEFORE UPDATE OF
  refunded_minor, refunds_failed_minor, booked_refunded_minor, booked_refunds_failed_minor ON topup
FOR EACH ROW EXECUTE FUNCTION topup_refunds_failed();

-- taken_back
CREATE TRIGGER taken_back_identity BEFORE UPDATE OF
  ref, topup_id, number, minor, coins, book_units, taken, order_coins, owed_coins, at ON taken_back
FOR EACH ROW EXECUTE FUNCTION refuse('what was taken back never changes');

CREATE TRIGGER taken_back_returned BEFORE UPDATE ON taken_back
FOR EACH ROW WHEN (NEW.back_minor < OLD.back_minor OR NEW.back_coins < OLD.back_coins
  OR NEW.back_book_units < OLD.back_book_units)
EXECUTE FUNCTION refuse('what came back is in the books');

-- Checked at COMMIT: the transfers of a batch of commands are written at its end.
CREATE FUNCTION taken_back_in_books() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM transfer WHERE kind IN ('topup.refund_succeeded', 'dispute.lost') AND ref = NEW.ref) THEN
    RAISE EXCEPTION 'what was taken back is in the books' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.back_minor > 0 AND NOT EXISTS (
    SELECT 1 FROM transfer WHERE kind = 'topup.refund_reversed' AND ref = NEW.ref || ':' || NEW.back_minor) THEN
    RAISE EXCEPTION 'what came back is in the books' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER taken_back_booked AFTER INSERT OR UPDATE ON taken_back DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION taken_back_in_books();

CREATE TRIGGER taken_back_delete BEFORE DELETE ON taken_back
FOR EACH ROW EXECUTE FUNCTION refuse('what was taken back is never deleted');

CREATE TRIGGER taken_back_truncate BEFORE TRUNCATE ON taken_back
EXECUTE FUNCTION refuse('what was taken back is never deleted');

-- refund: one that was done has one way on, its money came back; and that is money to give back again
CREATE OR REPLACE FUNCTION refund_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.topup_id, NEW.user_id, NEW.instance, NEW.minor, NEW.coins, NEW.book_units, NEW.currency, NEW.taken,
      NEW.reason, NEW.requested_by, NEW.created_at)
    IS DISTINCT FROM
      (OLD.id, OLD.topup_id, OLD.user_id, OLD.instance, OLD.minor, OLD.coins, OLD.book_units, OLD.currency, OLD.taken,
      OLD.reason, OLD.requested_by, OLD.created_at) THEN
    RAISE EXCEPTION 'what was asked for never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts < OLD.attempts OR (NEW.state <> OLD.state AND (
    OLD.state IN ('FAILED', 'DENIED', 'REVERSED') OR (OLD.state = 'SUCCEEDED' AND NEW.state <> 'REVERSED')
    OR NEW.state = 'REQUESTED' OR (NEW.state = 'HELD' AND OLD.state <> 'REQUESTED'))) THEN
    RAISE EXCEPTION 'a refund only goes forward' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state IN ('SUBMITTING', 'PENDING', 'UNKNOWN', 'SUCCEEDED', 'REVERSED')
    AND OLD.state IN ('REQUESTED', 'HELD') THEN
    PERFORM 1 FROM topup WHERE id = NEW.topup_id FOR NO KEY UPDATE;
    IF NOT EXISTS (
      SELECT 1 FROM topup t WHERE t.id = NEW.topup_id AND t.credited = 1
        AND t.settled_minor + t.refunds_failed_minor >= NEW.minor + (
          SELECT coalesce(sum(other.minor), 0) FROM refund other WHERE other.topup_id = NEW.topup_id
            AND other.id <> NEW.id
            AND other.state IN ('SUBMITTING', 'PENDING', 'UNKNOWN', 'SUCCEEDED', 'REVERSED'))) THEN
      RAISE EXCEPTION 'no more is refunded than was paid' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION refund_in_books() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.state = 'REVERSED' AND NOT EXISTS (
    SELECT 1 FROM transfer WHERE kind = 'topup.refund_reversed' AND ref = NEW.id || ':' || NEW.minor) THEN
    RAISE EXCEPTION 'a refund whose money came back is in the books' USING ERRCODE = 'check_violation';
  END IF;
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

-- rights
GRANT SELECT ON taken_back TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON taken_back TO shoutgraph_app;
