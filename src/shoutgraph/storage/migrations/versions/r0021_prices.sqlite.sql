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

-- promotions: what they give never changes, and uses are counted as they are stored, within the limits
CREATE TRIGGER promotion_new BEFORE INSERT ON promotion
WHEN EXISTS (SELECT 1 FROM promotion WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a promotion is made once'); END;

CREATE TRIGGER promotion_identity BEFORE UPDATE OF id, label, kind, amount, starts_at, ends_at, amount_max, uses_max,
  code_uses_max, user_uses_max, countries, first_only, coins_min, life_s, created_by, reason, created_at ON promotion
BEGIN SELECT RAISE(ABORT, 'what a promotion gives never changes'); END;

CREATE TRIGGER promotion_ended_once BEFORE UPDATE OF ended_at ON promotion WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a promotion ends once'); END;

CREATE TRIGGER promotion_delete BEFORE DELETE ON promotion
BEGIN SELECT RAISE(ABORT, 'promotions are never deleted'); END;

CREATE TRIGGER promo_code_identity BEFORE UPDATE OF id, promotion_id, digest, hint ON promo_code
BEGIN SELECT RAISE(ABORT, 'a code never changes'); END;

CREATE TRIGGER promo_code_delete BEFORE DELETE ON promo_code
BEGIN SELECT RAISE(ABORT, 'codes are never deleted'); END;

CREATE TRIGGER promo_use_new BEFORE INSERT ON promo_use
WHEN EXISTS (SELECT 1 FROM promo_use WHERE id = NEW.id) OR NOT EXISTS (
  SELECT 1 FROM promotion p JOIN promo_code c ON c.promotion_id = p.id
   WHERE p.id = NEW.promotion_id AND c.id = NEW.code_id AND NEW.slot <= p.user_uses_max)
BEGIN SELECT RAISE(ABORT, 'a code is used within its limits'); END;

CREATE TRIGGER promo_use_limits BEFORE INSERT ON promo_use
WHEN NEW.state <> 'RETURNED' AND EXISTS (
  SELECT 1 FROM promotion p JOIN promo_code c ON c.promotion_id = p.id
   WHERE p.id = NEW.promotion_id AND c.id = NEW.code_id AND (p.uses >= p.uses_max OR c.uses >= p.code_uses_max))
BEGIN SELECT RAISE(ABORT, 'a code is used within its limits'); END;

CREATE TRIGGER promo_use_granted BEFORE INSERT ON promo_use
WHEN NEW.topup_id IS NULL AND NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'promo.granted' AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'granted coins are in the books'); END;

CREATE TRIGGER promo_use_counted AFTER INSERT ON promo_use WHEN NEW.state <> 'RETURNED'
BEGIN
  UPDATE promotion SET uses = uses + 1 WHERE id = NEW.promotion_id;
  UPDATE promo_code SET uses = uses + 1 WHERE id = NEW.code_id;
END;

CREATE TRIGGER promo_use_recounted AFTER UPDATE OF state ON promo_use
WHEN (NEW.state = 'RETURNED') <> (OLD.state = 'RETURNED')
BEGIN
  UPDATE promotion SET uses = uses + iif(NEW.state = 'RETURNED', -1, 1) WHERE id = NEW.promotion_id;
  UPDATE promo_code SET uses = uses + iif(NEW.state = 'RETURNED', -1, 1) WHERE id = NEW.code_id;
END;

CREATE TRIGGER promo_use_identity BEFORE UPDATE OF
  id, promotion_id, code_id, user_id, coins, discount_minor, at, expires_at ON promo_use
BEGIN SELECT RAISE(ABORT, 'what was used never changes'); END;

CREATE TRIGGER promo_use_slot_stays BEFORE UPDATE OF slot ON promo_use
WHEN NEW.slot <> OLD.slot AND OLD.state <> 'RETURNED'
BEGIN SELECT RAISE(ABORT, 'what was used never changes'); END;

CREATE TRIGGER promo_use_delete BEFORE DELETE ON promo_use
BEGIN SELECT RAISE(ABORT, 'uses are never deleted'); END;

-- gift cards: their coins are in the books, set aside and ended once
CREATE TRIGGER gift_card_new BEFORE INSERT ON gift_card
WHEN NEW.state <> 'OPEN' OR EXISTS (SELECT 1 FROM gift_card WHERE id = NEW.id)
  OR NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'card.bought' AND ref = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the coins of a gift card are set aside first'); END;

CREATE TRIGGER gift_card_identity BEFORE UPDATE OF
  id, buyer_id, coins, digest, hint, taken, created_at, expires_at ON gift_card
BEGIN SELECT RAISE(ABORT, 'a gift card never changes'); END;

CREATE TRIGGER gift_card_message_goes BEFORE UPDATE OF message ON gift_card WHEN NEW.message IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a message is only blanked'); END;

CREATE TRIGGER gift_card_ends BEFORE UPDATE OF state, redeemed_by, ended_at ON gift_card
WHEN OLD.state <> 'OPEN' OR NOT EXISTS (
  SELECT 1 FROM transfer WHERE ref = NEW.id AND kind = iif(NEW.state = 'REDEEMED', 'card.redeemed', 'card.returned'))
BEGIN SELECT RAISE(ABORT, 'a gift card ends once, in the books'); END;

CREATE TRIGGER gift_card_delete BEFORE DELETE ON gift_card
BEGIN SELECT RAISE(ABORT, 'gift cards are never deleted'); END;
