-- The guards of refunds and of what people settle, for SQLite. A blank line ends each statement.

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

CREATE TRIGGER refund_forward BEFORE UPDATE OF state, attempts ON refund
WHEN NEW.attempts < OLD.attempts OR (NEW.state <> OLD.state AND (
  OLD.state IN ('SUCCEEDED', 'FAILED', 'DENIED') OR NEW.state = 'REQUESTED'
  OR (NEW.state = 'HELD' AND OLD.state <> 'REQUESTED')))
BEGIN SELECT RAISE(ABORT, 'a refund only goes forward'); END;

-- what a provider is asked for, with what it gave back already, is never more than it has
CREATE TRIGGER refund_not_too_much BEFORE UPDATE OF state ON refund
WHEN NEW.state IN ('SUBMITTING', 'PENDING', 'UNKNOWN', 'SUCCEEDED') AND OLD.state IN ('REQUESTED', 'HELD')
  AND NOT EXISTS (
    SELECT 1 FROM topup WHERE topup.id = NEW.topup_id AND topup.credited = 1 AND topup.settled_minor >= NEW.minor + (
      SELECT coalesce(sum(other.minor), 0) FROM refund other WHERE other.topup_id = NEW.topup_id AND other.id <> NEW.id
        AND other.state IN ('SUBMITTING', 'PENDING', 'UNKNOWN', 'SUCCEEDED')))
BEGIN SELECT RAISE(ABORT, 'no more is refunded than was paid'); END;

CREATE TRIGGER refund_booked BEFORE UPDATE OF state ON refund
WHEN NEW.state = 'SUCCEEDED' AND OLD.state <> 'SUCCEEDED' AND NEW.coins > 0 AND NOT EXISTS (
  SELECT 1 FROM transfer WHERE kind IN ('topup.refund_succeeded', 'topup.refund_failed') AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a refund that ended is in the books'); END;

CREATE TRIGGER refund_given_back BEFORE UPDATE OF state ON refund
WHEN NEW.state IN ('FAILED', 'DENIED') AND OLD.state <> NEW.state AND NEW.coins > 0 AND NOT EXISTS (
  SELECT 1 FROM transfer WHERE kind = 'topup.refund_failed' AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a refund that ended is in the books'); END;

CREATE TRIGGER refund_delete BEFORE DELETE ON refund
BEGIN SELECT RAISE(ABORT, 'refunds are never deleted'); END;

-- resolution
CREATE TRIGGER resolution_new BEFORE INSERT ON resolution
WHEN EXISTS (SELECT 1 FROM resolution WHERE id = NEW.id)
  OR (NEW.state = 'PROPOSED' AND EXISTS (
    SELECT 1 FROM resolution WHERE kind = NEW.kind AND subject_id = NEW.subject_id AND state = 'PROPOSED'))
BEGIN SELECT RAISE(ABORT, 'a resolution is proposed once'); END;

CREATE TRIGGER resolution_identity BEFORE UPDATE OF
  id, kind, subject_id, subject_revision, verdict, evidence, proposed_by, proposed_at ON resolution
BEGIN SELECT RAISE(ABORT, 'what was proposed never changes'); END;

CREATE TRIGGER resolution_once BEFORE UPDATE ON resolution
WHEN OLD.state <> 'PROPOSED'
BEGIN SELECT RAISE(ABORT, 'a resolution is decided once'); END;

CREATE TRIGGER resolution_delete BEFORE DELETE ON resolution
BEGIN SELECT RAISE(ABORT, 'resolutions are never deleted'); END;
