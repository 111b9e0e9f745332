-- The guards of what is given back and written off, for SQLite. A blank line ends each statement.

-- adjustment
CREATE TRIGGER adjustment_new BEFORE INSERT ON adjustment
WHEN EXISTS (SELECT 1 FROM adjustment WHERE id = NEW.id)
  OR (NEW.state = 'PROPOSED' AND EXISTS (
    SELECT 1 FROM adjustment WHERE order_id = NEW.order_id AND state = 'PROPOSED'))
BEGIN SELECT RAISE(ABORT, 'an adjustment is made once, and one is proposed at a time'); END;

CREATE TRIGGER adjustment_of_order BEFORE INSERT ON adjustment
WHEN NOT EXISTS (
  SELECT 1 FROM orders WHERE id = NEW.order_id AND fan_id = NEW.fan_id AND creator_id = NEW.creator_id
    AND state IN ('COMPLETED', 'SPLIT'))
BEGIN SELECT RAISE(ABORT, 'an adjustment is of an order between these two that ended with a video'); END;

CREATE TRIGGER adjustment_refunded BEFORE INSERT ON adjustment
WHEN NEW.state = 'DONE' AND NOT EXISTS (
  SELECT 1 FROM transfer WHERE kind = CASE NEW.kind WHEN 'REFUND' THEN 'order.refunded' ELSE 'goodwill' END
    AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'what is given back is in the books'); END;

CREATE TRIGGER adjustment_given BEFORE UPDATE OF state ON adjustment
WHEN NEW.state = 'DONE' AND OLD.state <> 'DONE'
  AND NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'goodwill' AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'what is given back is in the books'); END;

CREATE TRIGGER adjustment_identity BEFORE UPDATE OF
  id, order_id, fan_id, creator_id, kind, reason, coins, proposed_by, proposed_at, creator_coins, fee_coins ON adjustment
BEGIN SELECT RAISE(ABORT, 'what was proposed never changes'); END;

CREATE TRIGGER adjustment_once BEFORE UPDATE OF state, paid_coins, promo_coins, decided_by, decided_at ON adjustment
WHEN OLD.state <> 'PROPOSED'
BEGIN SELECT RAISE(ABORT, 'an adjustment is decided once'); END;

CREATE TRIGGER adjustment_words BEFORE UPDATE OF note ON adjustment
WHEN NEW.note IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'words are blanked, not changed'); END;

CREATE TRIGGER adjustment_delete BEFORE DELETE ON adjustment
BEGIN SELECT RAISE(ABORT, 'adjustments are never deleted'); END;

-- write-off
CREATE TRIGGER write_off_new BEFORE INSERT ON write_off
WHEN EXISTS (SELECT 1 FROM write_off WHERE id = NEW.id)
  OR (NEW.state = 'PROPOSED' AND EXISTS (
    SELECT 1 FROM write_off WHERE user_id = NEW.user_id AND state = 'PROPOSED'))
BEGIN SELECT RAISE(ABORT, 'a write-off is made once, and one is proposed at a time'); END;

CREATE TRIGGER write_off_done BEFORE INSERT ON write_off
WHEN NEW.state = 'DONE' AND NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'debt.written_off' AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'what is written off is in the books'); END;

CREATE TRIGGER write_off_booked BEFORE UPDATE OF state ON write_off
WHEN NEW.state = 'DONE' AND NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'debt.written_off' AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'what is written off is in the books'); END;

CREATE TRIGGER write_off_identity BEFORE UPDATE OF id, user_id, coins, proposed_by, proposed_at ON write_off
BEGIN SELECT RAISE(ABORT, 'what was proposed never changes'); END;

CREATE TRIGGER write_off_once BEFORE UPDATE OF state, decided_by, decided_at ON write_off
WHEN OLD.state <> 'PROPOSED'
BEGIN SELECT RAISE(ABORT, 'a write-off is decided once'); END;

CREATE TRIGGER write_off_words BEFORE UPDATE OF evidence ON write_off
WHEN NEW.evidence IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'words are blanked, not changed'); END;

CREATE TRIGGER write_off_delete BEFORE DELETE ON write_off
BEGIN SELECT RAISE(ABORT, 'write-offs are never deleted'); END;

-- withdrawals
CREATE TRIGGER refund_withdrawal BEFORE UPDATE OF bonus, withdrawal ON refund
WHEN NEW.bonus <> OLD.bonus OR NEW.withdrawal <> OLD.withdrawal
BEGIN SELECT RAISE(ABORT, 'what was asked for never changes'); END;

CREATE TRIGGER topup_waiver_new BEFORE INSERT ON topup_waiver
WHEN EXISTS (SELECT 1 FROM topup_waiver WHERE topup_id = NEW.topup_id)
  OR NOT EXISTS (SELECT 1 FROM topup WHERE id = NEW.topup_id AND user_id = NEW.user_id)
BEGIN SELECT RAISE(ABORT, 'a buyer consents once, for their own purchase'); END;

CREATE TRIGGER topup_waiver_update BEFORE UPDATE ON topup_waiver
BEGIN SELECT RAISE(ABORT, 'consents never change'); END;

CREATE TRIGGER topup_waiver_delete BEFORE DELETE ON topup_waiver
BEGIN SELECT RAISE(ABORT, 'consents never change'); END;
