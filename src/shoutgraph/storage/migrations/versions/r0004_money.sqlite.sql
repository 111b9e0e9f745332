-- The guards of money, for SQLite. A blank line ends each statement.

-- topup
CREATE TRIGGER topup_new BEFORE INSERT ON topup
WHEN NEW.credited <> 0 OR NEW.settled_minor <> 0 OR NEW.reversed_minor <> 0
  OR EXISTS (SELECT 1 FROM topup WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a top-up is opened once, unpaid'); END;

CREATE TRIGGER topup_identity BEFORE UPDATE OF
  id, user_id, instance, package_id, coins, bonus_coins, price_minor, currency, book_units, country, platform, payload,
  created_at, first_sent_at ON topup
WHEN NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id OR NEW.instance <> OLD.instance
  OR NEW.package_id IS NOT OLD.package_id OR NEW.coins <> OLD.coins OR NEW.bonus_coins <> OLD.bonus_coins
  OR NEW.price_minor <> OLD.price_minor OR NEW.currency <> OLD.currency OR NEW.book_units <> OLD.book_units
  OR NEW.country <> OLD.country OR NEW.platform <> OLD.platform OR NEW.payload <> OLD.payload
  OR NEW.created_at <> OLD.created_at OR NEW.first_sent_at <> OLD.first_sent_at
BEGIN SELECT RAISE(ABORT, 'what was agreed never changes'); END;

-- money facts are cumulative
CREATE TRIGGER topup_totals BEFORE UPDATE OF
  settled_minor, refunded_minor, disputed_minor, won_minor, lost_minor ON topup
WHEN NEW.settled_minor < OLD.settled_minor OR NEW.refunded_minor < OLD.refunded_minor
  OR NEW.disputed_minor < OLD.disputed_minor OR NEW.won_minor < OLD.won_minor OR NEW.lost_minor < OLD.lost_minor
BEGIN SELECT RAISE(ABORT, 'totals only grow'); END;

-- a credit is in the books, once and for ever
CREATE TRIGGER topup_credit_stays BEFORE UPDATE OF credited ON topup
WHEN NEW.credited < OLD.credited
BEGIN SELECT RAISE(ABORT, 'a credit is never forgotten'); END;

CREATE TRIGGER topup_credit_posted BEFORE UPDATE OF credited ON topup
WHEN NEW.credited = 1 AND NOT EXISTS (
  SELECT 1 FROM transfer WHERE kind = 'topup.succeeded' AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a credited top-up is in the books'); END;

CREATE TRIGGER topup_ref_stays BEFORE UPDATE OF ref ON topup
WHEN OLD.ref IS NOT NULL AND NEW.ref IS NOT OLD.ref
BEGIN SELECT RAISE(ABORT, 'a provider names a payment once'); END;

CREATE TRIGGER topup_delete BEFORE DELETE ON topup
BEGIN SELECT RAISE(ABORT, 'top-ups are never deleted'); END;

-- topup_dispute
CREATE TRIGGER topup_dispute_new BEFORE INSERT ON topup_dispute
WHEN EXISTS (SELECT 1 FROM topup_dispute WHERE ref = NEW.ref)
BEGIN SELECT RAISE(ABORT, 'a dispute is opened once'); END;

CREATE TRIGGER topup_dispute_decided BEFORE UPDATE ON topup_dispute
WHEN OLD.decided_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a dispute is decided once'); END;

CREATE TRIGGER topup_dispute_delete BEFORE DELETE ON topup_dispute
BEGIN SELECT RAISE(ABORT, 'disputes are never deleted'); END;

-- earning
CREATE TRIGGER earning_new BEFORE INSERT ON earning
WHEN EXISTS (SELECT 1 FROM earning WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an earning is made once'); END;

CREATE TRIGGER earning_identity BEFORE UPDATE OF
  id, creator_id, kind, subject_id, coins, fee_coins, earned_at, matures_at ON earning
BEGIN SELECT RAISE(ABORT, 'an earning stays what it is'); END;

CREATE TRIGGER earning_delete BEFORE DELETE ON earning
BEGIN SELECT RAISE(ABORT, 'earnings are never deleted'); END;

-- payout
CREATE TRIGGER payout_new BEFORE INSERT ON payout
WHEN NEW.state <> 'REQUESTED' OR EXISTS (SELECT 1 FROM payout WHERE id = NEW.id OR key = NEW.key)
BEGIN SELECT RAISE(ABORT, 'a payout is requested once'); END;

CREATE TRIGGER payout_identity BEFORE UPDATE OF
  id, creator_id, recipient_id, instance, coins, amount_minor, currency, key, created_at ON payout
WHEN NEW.id <> OLD.id OR NEW.creator_id <> OLD.creator_id OR NEW.recipient_id <> OLD.recipient_id
  OR NEW.instance <> OLD.instance OR NEW.coins <> OLD.coins OR NEW.amount_minor <> OLD.amount_minor
  OR NEW.currency <> OLD.currency OR NEW.key <> OLD.key OR NEW.created_at <> OLD.created_at
BEGIN SELECT RAISE(ABORT, 'what was asked for never changes'); END;

-- money that came back or never left is not sent again
CREATE TRIGGER payout_ended BEFORE UPDATE OF state ON payout
WHEN NEW.state <> OLD.state
  AND (OLD.state IN ('DENIED', 'RETURNED', 'REJECTED', 'NOT_EXECUTED', 'CANCELLED')
    OR (OLD.state = 'PAID' AND NEW.state <> 'RETURNED'))
BEGIN SELECT RAISE(ABORT, 'a payout that ended stays ended'); END;

CREATE TRIGGER payout_delete BEFORE DELETE ON payout
BEGIN SELECT RAISE(ABORT, 'payouts are never deleted'); END;

-- payout_part
CREATE TRIGGER payout_part_update BEFORE UPDATE ON payout_part
BEGIN SELECT RAISE(ABORT, 'what a payout is made of never changes'); END;

CREATE TRIGGER payout_part_delete BEFORE DELETE ON payout_part
BEGIN SELECT RAISE(ABORT, 'what a payout is made of never changes'); END;
