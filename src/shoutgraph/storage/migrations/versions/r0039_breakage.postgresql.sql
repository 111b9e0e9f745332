-- The guards of coins that lapse, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE FUNCTION dormancy_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - '{state,cause,ended_at}'::text[] <> to_jsonb(OLD) - '{state,cause,ended_at}'::text[] THEN
    RAISE EXCEPTION 'what a notice says never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state <> 'NOTICED' THEN
    RAISE EXCEPTION 'a notice ends once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER dormancy_guard BEFORE UPDATE ON dormancy
FOR EACH ROW EXECUTE FUNCTION dormancy_guard();

CREATE TRIGGER dormancy_delete BEFORE DELETE ON dormancy
FOR EACH ROW EXECUTE FUNCTION refuse('notices are never deleted');

CREATE TRIGGER dormancy_truncate BEFORE TRUNCATE ON dormancy
EXECUTE FUNCTION refuse('notices are never deleted');

CREATE FUNCTION lapse_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.returned IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM dormancy d JOIN lot l ON l.id = NEW.lot_id JOIN account a ON a.id = l.account_id
        WHERE d.id = NEW.dormancy_id AND (d.state = 'NOTICED' OR (d.state = 'LAPSED' AND NEW.at <= d.ended_at))
          AND d.user_id = NEW.user_id AND d.outcome = NEW.outcome
          AND d.lapses_at <= NEW.at AND l.user_id = NEW.user_id AND l.granted_at <= d.noticed_at AND a.asset = 'COIN'
          AND a.wallet = 1) THEN
      RAISE EXCEPTION 'a lot lapses once, as its owner was told' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF to_jsonb(NEW) - '{returned,returned_at,fresh_lot_id}'::text[]
      <> to_jsonb(OLD) - '{returned,returned_at,fresh_lot_id}'::text[] THEN
    RAISE EXCEPTION 'what lapsed never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.returned IS NOT NULL OR NEW.returned IS NULL THEN
    RAISE EXCEPTION 'what lapsed comes back once, to its owner' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER lapse_guard BEFORE INSERT OR UPDATE ON lapse
FOR EACH ROW EXECUTE FUNCTION lapse_guard();

-- Checked at COMMIT: the transfers of a batch of commands are written at its end.
CREATE FUNCTION lapse_moved() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
      SELECT 1 FROM transfer t JOIN lot_move m ON m.transfer_id = t.id
      WHERE t.kind = 'breakage' AND t.ref = NEW.lot_id AND m.lot_id = NEW.lot_id AND m.coins = -NEW.coins) THEN
    RAISE EXCEPTION 'what lapses is what the lot gave' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.returned IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM transfer t JOIN lot_move m ON m.transfer_id = t.id JOIN lot l ON l.id = m.lot_id
      WHERE t.kind = 'breakage.returned' AND t.ref = NEW.lot_id AND m.lot_id = NEW.fresh_lot_id
        AND m.coins = NEW.coins AND l.user_id = NEW.user_id) THEN
    RAISE EXCEPTION 'what lapsed comes back once, to its owner' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER lapse_moved AFTER INSERT OR UPDATE ON lapse DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION lapse_moved();

CREATE TRIGGER lapse_delete BEFORE DELETE ON lapse
FOR EACH ROW EXECUTE FUNCTION refuse('what lapsed is never deleted');

CREATE TRIGGER lapse_truncate BEFORE TRUNCATE ON lapse
EXECUTE FUNCTION refuse('what lapsed is never deleted');

-- Nobody but this trigger writes what lapsed in all; at COMMIT, since everybody shares these rows.
CREATE FUNCTION lapse_counted() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO lapse_total AS t (outcome, lots, coins, returned_coins) VALUES (NEW.outcome, 1, NEW.coins, 0)
    ON CONFLICT (outcome) DO UPDATE SET lots = t.lots + 1, coins = t.coins + excluded.coins;
  ELSE
    UPDATE lapse_total SET returned_coins = returned_coins + NEW.coins WHERE outcome = NEW.outcome;
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER lapse_counted AFTER INSERT OR UPDATE ON lapse DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION lapse_counted();

CREATE FUNCTION lapse_total_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.outcome <> OLD.outcome OR NEW.lots NOT BETWEEN OLD.lots AND OLD.lots + 1
      OR (NEW.lots > OLD.lots) <> (NEW.coins > OLD.coins) OR NEW.coins < OLD.coins
      OR (NEW.lots > OLD.lots) <> (NEW.returned_coins = OLD.returned_coins)
      OR NEW.returned_coins < OLD.returned_coins THEN
    RAISE EXCEPTION 'what lapsed in all only grows, lot by lot' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER lapse_total_guard BEFORE UPDATE ON lapse_total FOR EACH ROW EXECUTE FUNCTION lapse_total_guard();

CREATE TRIGGER lapse_total_delete BEFORE DELETE ON lapse_total
FOR EACH ROW EXECUTE FUNCTION refuse('what lapsed in all only grows, lot by lot');

CREATE TRIGGER lapse_total_truncate BEFORE TRUNCATE ON lapse_total
EXECUTE FUNCTION refuse('what lapsed in all only grows, lot by lot');

CREATE FUNCTION transfer_breakage() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM lot WHERE id = NEW.ref) THEN
    RAISE EXCEPTION 'what lapses is of a lot' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER transfer_breakage AFTER INSERT ON transfer DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.kind = 'breakage' OR NEW.kind = 'breakage.returned') EXECUTE FUNCTION transfer_breakage();

CREATE TRIGGER dormancy_day_fixed BEFORE UPDATE OR DELETE ON dormancy_day
FOR EACH ROW EXECUTE FUNCTION refuse('a day of looking is kept once');

CREATE TRIGGER dormancy_day_truncate BEFORE TRUNCATE ON dormancy_day
EXECUTE FUNCTION refuse('a day of looking is kept once');

GRANT SELECT ON dormancy, lapse, lapse_total, dormancy_day TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON dormancy, lapse TO shoutgraph_app;

GRANT INSERT ON dormancy_day TO shoutgraph_app;
