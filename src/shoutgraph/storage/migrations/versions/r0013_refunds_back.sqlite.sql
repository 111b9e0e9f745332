-- The guards of money that comes back after a refund, for SQLite. A blank line ends each statement.

-- topup: what came back is a part of what was refunded
CREATE TRIGGER topup_refunds_failed BEFORE UPDATE OF
  refunded_minor, refunds_failed_minor, booked_refunded_minor, booked_refunds_failed_minor ON topup
WHEN NEW.refunds_failed_minor < OLD.refunds_failed_minor
  OR NEW.booked_refunds_failed_minor < OLD.booked_refunds_failed_minor
  OR NEW.refunds_failed_minor > NEW.refunded_minor
  OR NEW.booked_refunds_failed_minor > NEW.booked_refunded_minor
  OR NEW.booked_refunds_failed_minor > NEW.refunds_failed_minor
BEGIN SELECT RAISE(ABORT, 'no more comes back than was refunded'); END;

-- taken_back
CREATE TRIGGER taken_back_new BEFORE INSERT ON taken_back
WHEN EXISTS (SELECT 1 FROM taken_back WHERE ref = NEW.ref)
  OR NOT EXISTS (
    SELECT 1 FROM transfer WHERE kind IN ('topup.refund_succeeded', 'dispute.lost') AND ref = NEW.ref)
BEGIN SELECT RAISE(ABORT, 'what was taken back is in the books'); END;

CREATE TRIGGER taken_back_identity BEFORE UPDATE OF
  ref, topup_id, number, minor, coins, book_units, taken, order_coins, owed_coins, at ON taken_back
BEGIN SELECT RAISE(ABORT, 'what was taken back never changes'); END;

CREATE TRIGGER taken_back_returned BEFORE UPDATE OF back_minor, back_coins, back_book_units ON taken_back
WHEN NEW.back_minor < OLD.back_minor OR NEW.back_coins < OLD.back_coins OR NEW.back_book_units < OLD.back_book_units
  OR (NEW.back_minor > OLD.back_minor AND NOT EXISTS (
    SELECT 1 FROM transfer WHERE kind = 'topup.refund_reversed' AND ref = NEW.ref || ':' || NEW.back_minor))
BEGIN SELECT RAISE(ABORT, 'what came back is in the books'); END;

CREATE TRIGGER taken_back_delete BEFORE DELETE ON taken_back
BEGIN SELECT RAISE(ABORT, 'what was taken back is never deleted'); END;

-- refund
CREATE TRIGGER refund_new BEFORE INSERT ON refund
WHEN NEW.state <> 'REQUESTED' OR EXISTS (SELECT 1 FROM refund WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a refund is requested once'); END;

CREATE TRIGGER refund_set_aside BEFORE INSERT ON refund
WHEN NEW.coins > 0 AND NOT EXISTS (
  SELECT 1 FROM transfer WHERE kind = 'topup.refund_requested' AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the coins of a refund are set aside first'); END;

CREATE TRIGGER refund_identity BEFORE UPDATE OF
  id, topup_id, user_id, instance, minor, coins, book_units, currency, taken, reason, requested_by, created_at ON refund
WHEN NEW.id <> OLD.id OR NEW.topup_id <> OLD.topup_id OR NEW.user_id <> OLD.user_id OR NEW.instance <> OLD.instance
  OR NEW.minor <> OLD.minor OR NEW.coins <> OLD.coins OR NEW.book_units <> OLD.book_units
  OR NEW.currency <> OLD.currency OR NEW.taken <> OLD.taken OR NEW.reason <> OLD.reason
  OR NEW.requested_by <> OLD.requested_by OR NEW.created_at <> OLD.created_at
BEGIN SELECT RAISE(ABORT, 'what was asked for never changes'); END;

-- a refund that was done has one way on: its money came back
CREATE TRIGGER refund_forward BEFORE UPDATE OF state, attempts ON refund
WHEN NEW.attempts < OLD.attempts OR (NEW.state <> OLD.state AND (
  OLD.state IN ('FAILED', 'DENIED', 'REVERSED') OR (OLD.state = 'SUCCEEDED' AND NEW.state <> 'REVERSED')
  OR NEW.state = 'REQUESTED' OR (NEW.state = 'HELD' AND OLD.state <> 'REQUESTED')))
BEGIN SELECT RAISE(ABORT, 'a refund only goes forward'); END;

-- what a provider is asked for, with what it gave back already, is never more than it has and what came back to it
CREATE TRIGGER refund_not_too_much BEFORE UPDATE OF state ON refund
WHEN NEW.state IN ('SUBMITTING', 'PENDING', 'UNKNOWN', 'SUCCEEDED', 'REVERSED') AND OLD.state IN ('REQUESTED', 'HELD')
  AND NOT EXISTS (
    SELECT 1 FROM topup WHERE topup.id = NEW.topup_id AND topup.credited = 1
      AND topup.settled_minor + topup.refunds_failed_minor >= NEW.minor + (
        SELECT coalesce(sum(other.minor), 0) FROM refund other WHERE other.topup_id = NEW.topup_id
          AND other.id <> NEW.id
          AND other.state IN ('SUBMITTING', 'PENDING', 'UNKNOWN', 'SUCCEEDED', 'REVERSED')))
BEGIN SELECT RAISE(ABORT, 'no more is refunded than was paid'); END;

CREATE TRIGGER refund_booked BEFORE UPDATE OF state ON refund
WHEN NEW.state = 'SUCCEEDED' AND OLD.state <> 'SUCCEEDED' AND NEW.coins > 0 AND NOT EXISTS (
  SELECT 1 FROM transfer WHERE kind IN ('topup.refund_succeeded', 'topup.refund_failed') AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a refund that ended is in the books'); END;

CREATE TRIGGER refund_reversed BEFORE UPDATE OF state ON refund
WHEN NEW.state = 'REVERSED' AND OLD.state <> 'REVERSED' AND NOT EXISTS (
  SELECT 1 FROM transfer WHERE kind = 'topup.refund_reversed' AND ref = NEW.id || ':' || NEW.minor)
BEGIN SELECT RAISE(ABORT, 'a refund whose money came back is in the books'); END;

CREATE TRIGGER refund_given_back BEFORE UPDATE OF state ON refund
WHEN NEW.state IN ('FAILED', 'DENIED') AND OLD.state <> NEW.state AND NEW.coins > 0 AND NOT EXISTS (
  SELECT 1 FROM transfer WHERE kind = 'topup.refund_failed' AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a refund that ended is in the books'); END;

CREATE TRIGGER refund_delete BEFORE DELETE ON refund
BEGIN SELECT RAISE(ABORT, 'refunds are never deleted'); END;
