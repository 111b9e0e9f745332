-- The guards of gifts, and what each fan gave, kept in step, for SQLite. A blank line ends each statement.

-- the catalogue
CREATE TRIGGER sticker_update BEFORE UPDATE OF id, key, version, name, coins, tier, asset, created_at ON sticker
BEGIN SELECT RAISE(ABORT, 'a sticker never changes: store a new version'); END;

CREATE TRIGGER sticker_ends BEFORE UPDATE OF current ON sticker WHEN NEW.current > OLD.current
BEGIN SELECT RAISE(ABORT, 'a version that ended stays so: store a new one'); END;

CREATE TRIGGER sticker_delete BEFORE DELETE ON sticker
BEGIN SELECT RAISE(ABORT, 'a sticker never changes: store a new version'); END;

-- a gift is in the books, earned by another person than gave it, at the price of its sticker
CREATE TRIGGER gift_new BEFORE INSERT ON gift
WHEN EXISTS (SELECT 1 FROM gift WHERE id = NEW.id)
  OR NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'gift' AND ref = NEW.id)
  OR NOT EXISTS (SELECT 1 FROM earning WHERE id = NEW.earning_id AND kind = 'GIFT' AND subject_id = NEW.id
    AND creator_id = NEW.creator_id AND coins = NEW.coins - NEW.fee_coins AND fee_coins = NEW.fee_coins)
BEGIN SELECT RAISE(ABORT, 'a gift is in the books, once'); END;

CREATE TRIGGER gift_price BEFORE INSERT ON gift
WHEN NOT EXISTS (SELECT 1 FROM sticker WHERE id = NEW.sticker_id AND coins * NEW.quantity = NEW.coins)
BEGIN SELECT RAISE(ABORT, 'a gift costs what its stickers cost'); END;

CREATE TRIGGER gift_own BEFORE INSERT ON gift
WHEN EXISTS (SELECT 1 FROM creator WHERE id = NEW.creator_id AND user_id = NEW.user_id)
BEGIN SELECT RAISE(ABORT, 'nobody gives to themselves'); END;

CREATE TRIGGER gift_identity BEFORE UPDATE OF
  id, creator_id, user_id, sticker_id, earning_id, quantity, coins, fee_coins, message, live_session, sent_at ON gift
BEGIN SELECT RAISE(ABORT, 'what was given never changes'); END;

CREATE TRIGGER gift_thanked_once BEFORE UPDATE OF thanked_at, thanks ON gift
WHEN OLD.thanked_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a giver is thanked once'); END;

CREATE TRIGGER gift_delete BEFORE DELETE ON gift
BEGIN SELECT RAISE(ABORT, 'gifts are never deleted'); END;

-- days and weeks of UTC since 1970, weeks from Monday
CREATE TRIGGER gift_counted AFTER INSERT ON gift
BEGIN
  INSERT INTO gift_total (creator_id, span, number, user_id, coins, gifts) VALUES
    (NEW.creator_id, 'DAY', NEW.sent_at / 86400000000, NEW.user_id, NEW.coins, 1),
    (NEW.creator_id, 'WEEK', (NEW.sent_at + 259200000000) / 604800000000, NEW.user_id, NEW.coins, 1),
    (NEW.creator_id, 'ALL', 0, NEW.user_id, NEW.coins, 1)
  ON CONFLICT (creator_id, span, number, user_id) DO UPDATE SET coins = coins + excluded.coins, gifts = gifts + 1;
END;

CREATE TRIGGER gift_total_identity BEFORE UPDATE OF creator_id, span, number, user_id ON gift_total
BEGIN SELECT RAISE(ABORT, 'what somebody gave is theirs'); END;

CREATE TRIGGER gift_total_grows BEFORE UPDATE OF coins, gifts ON gift_total
WHEN NEW.coins <= OLD.coins OR NEW.gifts <> OLD.gifts + 1
BEGIN SELECT RAISE(ABORT, 'what somebody gave only grows, gift by gift'); END;

CREATE TRIGGER gift_total_delete BEFORE DELETE ON gift_total
BEGIN SELECT RAISE(ABORT, 'what somebody gave only grows, gift by gift'); END;
