-- The guards of money, for PostgreSQL. A blank line ends each statement, so no body has one.

-- topup
CREATE FUNCTION topup_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.credited <> 0 OR NEW.settled_minor <> 0 OR NEW.reversed_minor <> 0 THEN
    RAISE EXCEPTION 'a top-up is opened once, unpaid' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER topup_new BEFORE INSERT ON topup FOR EACH ROW EXECUTE FUNCTION topup_new();

-- what was agreed stays, money facts are cumulative, and a credit is for ever
CREATE FUNCTION topup_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.user_id, NEW.instance, NEW.package_id, NEW.coins, NEW.bonus_coins, NEW.price_minor, NEW.currency,
      NEW.book_units, NEW.country, NEW.platform, NEW.payload, NEW.created_at, NEW.first_sent_at)
    IS DISTINCT FROM
      (OLD.id, OLD.user_id, OLD.instance, OLD.package_id, OLD.coins, OLD.bonus_coins, OLD.price_minor, OLD.currency,
      OLD.book_units, OLD.country, OLD.platform, OLD.payload, OLD.created_at, OLD.first_sent_at) THEN
    RAISE EXCEPTION 'what was agreed never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.settled_minor < OLD.settled_minor OR NEW.refunded_minor < OLD.refunded_minor
    OR NEW.disputed_minor < OLD.disputed_minor OR NEW.won_minor < OLD.won_minor OR NEW.lost_minor < OLD.lost_minor THEN
    RAISE EXCEPTION 'totals only grow' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.credited < OLD.credited THEN
    RAISE EXCEPTION 'a credit is never forgotten' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.ref IS NOT NULL AND NEW.ref IS DISTINCT FROM OLD.ref THEN
    RAISE EXCEPTION 'a provider names a payment once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER topup_guard BEFORE UPDATE ON topup FOR EACH ROW EXECUTE FUNCTION topup_guard();

-- Checked at COMMIT: the transfers of a batch of commands are written at its end.
CREATE FUNCTION topup_credit_posted() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'topup.succeeded' AND ref = NEW.id) THEN
    RAISE EXCEPTION 'a credited top-up is in the books' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER topup_credit_posted AFTER UPDATE ON topup DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.credited = 1 AND OLD.credited = 0) EXECUTE FUNCTION topup_credit_posted();

CREATE TRIGGER topup_delete BEFORE DELETE ON topup
FOR EACH ROW EXECUTE FUNCTION refuse('top-ups are never deleted');

CREATE TRIGGER topup_truncate BEFORE TRUNCATE ON topup EXECUTE FUNCTION refuse('top-ups are never deleted');

-- topup_dispute
CREATE TRIGGER topup_dispute_decided BEFORE UPDATE ON topup_dispute
FOR EACH ROW WHEN (OLD.decided_at IS NOT NULL) EXECUTE FUNCTION refuse('a dispute is decided once');

CREATE TRIGGER topup_dispute_delete BEFORE DELETE ON topup_dispute
FOR EACH ROW EXECUTE FUNCTION refuse('disputes are never deleted');

CREATE TRIGGER topup_dispute_truncate BEFORE TRUNCATE ON topup_dispute
EXECUTE FUNCTION refuse('disputes are never deleted');

-- earning
CREATE TRIGGER earning_identity BEFORE UPDATE OF
  id, creator_id, kind, subject_id, coins, fee_coins, earned_at, matures_at ON earning
FOR EACH ROW EXECUTE FUNCTION refuse('an earning stays what it is');

CREATE TRIGGER earning_delete BEFORE DELETE ON earning
FOR EACH ROW EXECUTE FUNCTION refuse('earnings are never deleted');

CREATE TRIGGER earning_truncate BEFORE TRUNCATE ON earning EXECUTE FUNCTION refuse('earnings are never deleted');

-- payout
CREATE TRIGGER payout_new BEFORE INSERT ON payout
FOR EACH ROW WHEN (NEW.state <> 'REQUESTED') EXECUTE FUNCTION refuse('a payout is requested once');

-- what was asked for stays, and money that came back or never left is not sent again
CREATE FUNCTION payout_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.creator_id, NEW.recipient_id, NEW.instance, NEW.coins, NEW.amount_minor, NEW.currency, NEW.key,
      NEW.created_at)
    IS DISTINCT FROM
      (OLD.id, OLD.creator_id, OLD.recipient_id, OLD.instance, OLD.coins, OLD.amount_minor, OLD.currency, OLD.key,
      OLD.created_at) THEN
    RAISE EXCEPTION 'what was asked for never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state <> OLD.state
    AND (OLD.state IN ('DENIED', 'RETURNED', 'REJECTED', 'NOT_EXECUTED', 'CANCELLED')
      OR (OLD.state = 'PAID' AND NEW.state <> 'RETURNED')) THEN
    RAISE EXCEPTION 'a payout that ended stays ended' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER payout_guard BEFORE UPDATE ON payout FOR EACH ROW EXECUTE FUNCTION payout_guard();

CREATE TRIGGER payout_delete BEFORE DELETE ON payout
FOR EACH ROW EXECUTE FUNCTION refuse('payouts are never deleted');

CREATE TRIGGER payout_truncate BEFORE TRUNCATE ON payout EXECUTE FUNCTION refuse('payouts are never deleted');

-- payout_part
CREATE TRIGGER payout_part_fixed BEFORE UPDATE OR DELETE ON payout_part
FOR EACH ROW EXECUTE FUNCTION refuse('what a payout is made of never changes');

CREATE TRIGGER payout_part_truncate BEFORE TRUNCATE ON payout_part
EXECUTE FUNCTION refuse('what a payout is made of never changes');

-- rights
GRANT SELECT ON topup, topup_dispute, wallet_lock, earning, payout_recipient, payout_batch, payout, payout_part, notice,
  notice_seen
TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON topup, topup_dispute, earning, payout_batch, payout TO shoutgraph_app;

GRANT INSERT ON payout_recipient, payout_part TO shoutgraph_app;

GRANT INSERT, DELETE ON wallet_lock, notice_seen TO shoutgraph_app;

GRANT INSERT, UPDATE, DELETE ON notice TO shoutgraph_app;

GRANT USAGE ON SEQUENCE notice_id_seq TO shoutgraph_app;
