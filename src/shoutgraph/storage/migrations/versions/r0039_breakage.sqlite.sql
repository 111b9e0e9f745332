-- The guards of coins that lapse, for SQLite. A blank line ends each statement.

CREATE TRIGGER dormancy_new BEFORE INSERT ON dormancy
WHEN EXISTS (SELECT 1 FROM dormancy WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a notice is given once'); END;

CREATE TRIGGER dormancy_identity BEFORE UPDATE OF
  id, user_id, country, outcome, months, notice_days, policy_version, inactive_since, noticed_at, lapses_at, coins
ON dormancy
BEGIN SELECT RAISE(ABORT, 'what a notice says never changes'); END;

CREATE TRIGGER dormancy_ends BEFORE UPDATE OF state, cause, ended_at ON dormancy
WHEN OLD.state <> 'NOTICED'
BEGIN SELECT RAISE(ABORT, 'a notice ends once'); END;

CREATE TRIGGER dormancy_delete BEFORE DELETE ON dormancy
BEGIN SELECT RAISE(ABORT, 'notices are never deleted'); END;

CREATE TRIGGER lapse_new BEFORE INSERT ON lapse
WHEN NEW.returned IS NOT NULL OR EXISTS (SELECT 1 FROM lapse WHERE lot_id = NEW.lot_id)
  OR NOT EXISTS (
    SELECT 1 FROM dormancy d JOIN lot l ON l.id = NEW.lot_id JOIN account a ON a.id = l.account_id
    WHERE d.id = NEW.dormancy_id AND (d.state = 'NOTICED' OR (d.state = 'LAPSED' AND NEW.at <= d.ended_at))
      AND d.user_id = NEW.user_id AND d.outcome = NEW.outcome
      AND d.lapses_at <= NEW.at AND l.user_id = NEW.user_id AND l.granted_at <= d.noticed_at AND a.asset = 'COIN'
      AND a.wallet = 1)
BEGIN SELECT RAISE(ABORT, 'a lot lapses once, as its owner was told'); END;

CREATE TRIGGER lapse_moved BEFORE INSERT ON lapse
WHEN NOT EXISTS (
  SELECT 1 FROM transfer t JOIN lot_move m ON m.transfer_id = t.id
  WHERE t.kind = 'breakage' AND t.ref = NEW.lot_id AND m.lot_id = NEW.lot_id AND m.coins = -NEW.coins)
BEGIN SELECT RAISE(ABORT, 'what lapses is what the lot gave'); END;

CREATE TRIGGER lapse_identity BEFORE UPDATE OF lot_id, dormancy_id, user_id, outcome, coins, at, booked ON lapse
BEGIN SELECT RAISE(ABORT, 'what lapsed never changes'); END;

CREATE TRIGGER lapse_back BEFORE UPDATE OF returned, returned_at, fresh_lot_id ON lapse
WHEN OLD.returned IS NOT NULL OR NEW.returned IS NULL OR NOT EXISTS (
  SELECT 1 FROM transfer t JOIN lot_move m ON m.transfer_id = t.id JOIN lot l ON l.id = m.lot_id
  WHERE t.kind = 'breakage.returned' AND t.ref = NEW.lot_id AND m.lot_id = NEW.fresh_lot_id
    AND m.coins = NEW.coins AND l.user_id = NEW.user_id)
BEGIN SELECT RAISE(ABORT, 'what lapsed comes back once, to its owner'); END;

CREATE TRIGGER lapse_delete BEFORE DELETE ON lapse
BEGIN SELECT RAISE(ABORT, 'what lapsed is never deleted'); END;

-- Nobody but these two writes what lapsed in all.
CREATE TRIGGER lapse_counted AFTER INSERT ON lapse
BEGIN
  INSERT INTO lapse_total (outcome, lots, coins, returned_coins) VALUES (NEW.outcome, 1, NEW.coins, 0)
  ON CONFLICT (outcome) DO UPDATE SET lots = lots + 1, coins = coins + excluded.coins;
END;

CREATE TRIGGER lapse_back_counted AFTER UPDATE OF returned ON lapse
BEGIN
  UPDATE lapse_total SET returned_coins = returned_coins + NEW.coins WHERE outcome = NEW.outcome;
END;

CREATE TRIGGER lapse_total_grows BEFORE UPDATE ON lapse_total
WHEN NEW.outcome <> OLD.outcome OR NEW.lots NOT BETWEEN OLD.lots AND OLD.lots + 1
  OR (NEW.lots > OLD.lots) <> (NEW.coins > OLD.coins) OR NEW.coins < OLD.coins
  OR (NEW.lots > OLD.lots) <> (NEW.returned_coins = OLD.returned_coins) OR NEW.returned_coins < OLD.returned_coins
BEGIN SELECT RAISE(ABORT, 'what lapsed in all only grows, lot by lot'); END;

CREATE TRIGGER lapse_total_delete BEFORE DELETE ON lapse_total
BEGIN SELECT RAISE(ABORT, 'what lapsed in all only grows, lot by lot'); END;

CREATE TRIGGER transfer_breakage BEFORE INSERT ON transfer
WHEN NEW.kind IN ('breakage', 'breakage.returned') AND NOT EXISTS (SELECT 1 FROM lot WHERE id = NEW.ref)
BEGIN SELECT RAISE(ABORT, 'what lapses is of a lot'); END;

CREATE TRIGGER dormancy_day_update BEFORE UPDATE ON dormancy_day
BEGIN SELECT RAISE(ABORT, 'a day of looking is kept once'); END;

CREATE TRIGGER dormancy_day_delete BEFORE DELETE ON dormancy_day
BEGIN SELECT RAISE(ABORT, 'a day of looking is kept once'); END;
