-- The guards of what is given back and written off, for PostgreSQL. A blank line ends each statement, so no body has one.

-- adjustment
CREATE FUNCTION adjustment_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM orders WHERE id = NEW.order_id AND fan_id = NEW.fan_id AND creator_id = NEW.creator_id
      AND state IN ('COMPLETED', 'SPLIT')) THEN
    RAISE EXCEPTION 'an adjustment is of an order between these two that ended with a video'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER adjustment_new BEFORE INSERT ON adjustment FOR EACH ROW EXECUTE FUNCTION adjustment_new();

CREATE FUNCTION adjustment_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.order_id, NEW.fan_id, NEW.creator_id, NEW.kind, NEW.reason, NEW.coins, NEW.proposed_by,
      NEW.proposed_at, NEW.creator_coins, NEW.fee_coins)
    IS DISTINCT FROM
      (OLD.id, OLD.order_id, OLD.fan_id, OLD.creator_id, OLD.kind, OLD.reason, OLD.coins, OLD.proposed_by,
      OLD.proposed_at, OLD.creator_coins, OLD.fee_coins) THEN
    RAISE EXCEPTION 'what was proposed never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state <> 'PROPOSED' AND (NEW.state, NEW.paid_coins, NEW.promo_coins, NEW.decided_by, NEW.decided_at)
    IS DISTINCT FROM (OLD.state, OLD.paid_coins, OLD.promo_coins, OLD.decided_by, OLD.decided_at) THEN
    RAISE EXCEPTION 'an adjustment is decided once' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.note IS DISTINCT FROM OLD.note AND NEW.note IS NOT NULL THEN
    RAISE EXCEPTION 'words are blanked, not changed' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER adjustment_guard BEFORE UPDATE ON adjustment FOR EACH ROW EXECUTE FUNCTION adjustment_guard();

-- Checked at COMMIT: the transfers of a batch of commands are written at its end.
CREATE FUNCTION adjustment_in_books() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.state = 'DONE' AND NOT EXISTS (SELECT 1 FROM transfer WHERE ref = NEW.id
      AND kind = CASE NEW.kind WHEN 'REFUND' THEN 'order.refunded' ELSE 'goodwill' END) THEN
    RAISE EXCEPTION 'what is given back is in the books' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER adjustment_refunded AFTER INSERT ON adjustment DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION adjustment_in_books();

CREATE CONSTRAINT TRIGGER adjustment_given AFTER UPDATE ON adjustment DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION adjustment_in_books();

CREATE TRIGGER adjustment_delete BEFORE DELETE ON adjustment
FOR EACH ROW EXECUTE FUNCTION refuse('adjustments are never deleted');

CREATE TRIGGER adjustment_truncate BEFORE TRUNCATE ON adjustment EXECUTE FUNCTION refuse('adjustments are never deleted');

-- write-off
CREATE FUNCTION write_off_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.user_id, NEW.coins, NEW.proposed_by, NEW.proposed_at)
    IS DISTINCT FROM (OLD.id, OLD.user_id, OLD.coins, OLD.proposed_by, OLD.proposed_at) THEN
    RAISE EXCEPTION 'what was proposed never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state <> 'PROPOSED' AND (NEW.state, NEW.decided_by, NEW.decided_at)
    IS DISTINCT FROM (OLD.state, OLD.decided_by, OLD.decided_at) THEN
    RAISE EXCEPTION 'a write-off is decided once' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.evidence IS DISTINCT FROM OLD.evidence AND NEW.evidence IS NOT NULL THEN
    RAISE EXCEPTION 'words are blanked, not changed' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER write_off_guard BEFORE UPDATE ON write_off FOR EACH ROW EXECUTE FUNCTION write_off_guard();

CREATE FUNCTION write_off_in_books() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.state = 'DONE' AND NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'debt.written_off' AND ref = NEW.id) THEN
    RAISE EXCEPTION 'what is written off is in the books' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER write_off_done AFTER INSERT ON write_off DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION write_off_in_books();

CREATE CONSTRAINT TRIGGER write_off_booked AFTER UPDATE ON write_off DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION write_off_in_books();

CREATE TRIGGER write_off_delete BEFORE DELETE ON write_off
FOR EACH ROW EXECUTE FUNCTION refuse('write-offs are never deleted');

CREATE TRIGGER write_off_truncate BEFORE TRUNCATE ON write_off EXECUTE FUNCTION refuse('write-offs are never deleted');

-- withdrawals
CREATE TRIGGER refund_withdrawal BEFORE UPDATE ON refund
FOR EACH ROW WHEN (NEW.bonus <> OLD.bonus OR NEW.withdrawal <> OLD.withdrawal)
EXECUTE FUNCTION refuse('what was asked for never changes');

CREATE FUNCTION topup_waiver_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM topup WHERE id = NEW.topup_id AND user_id = NEW.user_id) THEN
    RAISE EXCEPTION 'a buyer consents once, for their own purchase' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER topup_waiver_new BEFORE INSERT ON topup_waiver FOR EACH ROW EXECUTE FUNCTION topup_waiver_new();

CREATE TRIGGER topup_waiver_fixed BEFORE UPDATE OR DELETE ON topup_waiver
FOR EACH ROW EXECUTE FUNCTION refuse('consents never change');

CREATE TRIGGER topup_waiver_truncate BEFORE TRUNCATE ON topup_waiver EXECUTE FUNCTION refuse('consents never change');

-- rights
GRANT SELECT ON adjustment, write_off, topup_waiver TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON topup_waiver TO shoutgraph_app;

GRANT INSERT, UPDATE ON adjustment, write_off TO shoutgraph_app;
