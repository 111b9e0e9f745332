-- The guards of prices, for SQLite. A blank line ends each statement.

-- what a top-up was agreed under
CREATE TRIGGER topup_agreed BEFORE UPDATE OF
  price_id, rate_version, spread_bps, promotion_id, discount_minor, bonus_s ON topup
WHEN NEW.price_id IS NOT OLD.price_id OR NEW.rate_version IS NOT OLD.rate_version OR NEW.spread_bps <> OLD.spread_bps
  OR NEW.promotion_id IS NOT OLD.promotion_id OR NEW.discount_minor <> OLD.discount_minor OR NEW.bonus_s IS NOT OLD.bonus_s
BEGIN SELECT RAISE(ABORT, 'what was agreed never changes'); END;

-- price lists
CREATE TRIGGER price_list_new BEFORE INSERT ON price_list
WHEN EXISTS (SELECT 1 FROM price_list WHERE version >= NEW.version)
BEGIN SELECT RAISE(ABORT, 'a price list follows the newest one'); END;

CREATE TRIGGER price_list_identity BEFORE UPDATE OF
  version, effective_from, published_at, published_by, reason, packages_count, units_count, warnings, body ON price_list
BEGIN SELECT RAISE(ABORT, 'a price list never changes: publish a new version'); END;

CREATE TRIGGER price_list_decided_once BEFORE UPDATE OF state, decided_at ON price_list
WHEN OLD.state <> 'SCHEDULED'
BEGIN SELECT RAISE(ABORT, 'a price list takes effect or is withdrawn once'); END;

CREATE TRIGGER price_list_ended_once BEFORE UPDATE OF ended_at ON price_list
WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a price list ends once'); END;

CREATE TRIGGER price_list_delete BEFORE DELETE ON price_list
BEGIN SELECT RAISE(ABORT, 'price lists are never deleted'); END;
