-- The guards of gifts, and what each fan gave, kept in step, for PostgreSQL. A blank line ends each statement, so no
-- body has one.

-- the catalogue
CREATE FUNCTION sticker_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - 'current' <> to_jsonb(OLD) - 'current' THEN
    RAISE EXCEPTION 'a sticker never changes: store a new version' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.current > OLD.current THEN
    RAISE EXCEPTION 'a version that ended stays so: store a new one' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER sticker_guard BEFORE UPDATE ON sticker FOR EACH ROW EXECUTE FUNCTION sticker_guard();

CREATE TRIGGER sticker_delete BEFORE DELETE ON sticker
FOR EACH ROW EXECUTE FUNCTION refuse('a sticker never changes: store a new version');

CREATE TRIGGER sticker_truncate BEFORE TRUNCATE ON sticker
EXECUTE FUNCTION refuse('a sticker never changes: store a new version');

-- A gift is in the books, earned by another person than gave it, at the price of its sticker. Checked at COMMIT: the
-- transfers of a batch of commands are written at its end.
CREATE FUNCTION gift_in_books() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'gift' AND ref = NEW.id)
    OR NOT EXISTS (SELECT 1 FROM earning WHERE id = NEW.earning_id AND kind = 'GIFT' AND subject_id = NEW.id
      AND creator_id = NEW.creator_id AND coins = NEW.coins - NEW.fee_coins AND fee_coins = NEW.fee_coins) THEN
    RAISE EXCEPTION 'a gift is in the books, once' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM sticker WHERE id = NEW.sticker_id AND coins * NEW.quantity = NEW.coins) THEN
    RAISE EXCEPTION 'a gift costs what its stickers cost' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM creator WHERE id = NEW.creator_id AND user_id = NEW.user_id) THEN
    RAISE EXCEPTION 'nobody gives to themselves' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER gift_in_books AFTER INSERT ON gift DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION gift_in_books();

CREATE FUNCTION gift_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - '{thanked_at,thanks}'::text[] <> to_jsonb(OLD) - '{thanked_at,thanks}'::text[] THEN
    RAISE EXCEPTION 'what was given never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.thanked_at IS NOT NULL THEN
    RAISE EXCEPTION 'a giver is thanked once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER gift_guard BEFORE UPDATE ON gift FOR EACH ROW EXECUTE FUNCTION gift_guard();

CREATE TRIGGER gift_delete BEFORE DELETE ON gift FOR EACH ROW EXECUTE FUNCTION refuse('gifts are never deleted');

CREATE TRIGGER gift_truncate BEFORE TRUNCATE ON gift EXECUTE FUNCTION refuse('gifts are never deleted');

-- Days and weeks of UTC since 1970, weeks from Monday. Nobody but this trigger writes what fans gave.
CREATE FUNCTION gift_counted() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO gift_total AS t (creator_id, span, number, user_id, coins, gifts) VALUES
    (NEW.creator_id, 'DAY', NEW.sent_at / 86400000000, NEW.user_id, NEW.coins, 1),
    (NEW.creator_id, 'WEEK', (NEW.sent_at + 259200000000) / 604800000000, NEW.user_id, NEW.coins, 1),
    (NEW.creator_id, 'ALL', 0, NEW.user_id, NEW.coins, 1)
  ON CONFLICT (creator_id, span, number, user_id) DO UPDATE SET coins = t.coins + excluded.coins, gifts = t.gifts + 1;
  RETURN NULL;
END $$;

CREATE TRIGGER gift_counted AFTER INSERT ON gift FOR EACH ROW EXECUTE FUNCTION gift_counted();

CREATE FUNCTION gift_total_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.creator_id, NEW.span, NEW.number, NEW.user_id)
      IS DISTINCT FROM (OLD.creator_id, OLD.span, OLD.number, OLD.user_id) THEN
    RAISE EXCEPTION 'what somebody gave is theirs' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.coins <= OLD.coins OR NEW.gifts <> OLD.gifts + 1 THEN
    RAISE EXCEPTION 'what somebody gave only grows, gift by gift' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER gift_total_guard BEFORE UPDATE ON gift_total FOR EACH ROW EXECUTE FUNCTION gift_total_guard();

CREATE TRIGGER gift_total_delete BEFORE DELETE ON gift_total
FOR EACH ROW EXECUTE FUNCTION refuse('what somebody gave only grows, gift by gift');

CREATE TRIGGER gift_total_truncate BEFORE TRUNCATE ON gift_total
EXECUTE FUNCTION refuse('what somebody gave only grows, gift by gift');

-- rights
GRANT SELECT ON sticker, gift, gift_total TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON sticker, gift TO shoutgraph_app;

GRANT UPDATE (current) ON sticker TO shoutgraph_app;

GRANT UPDATE (thanked_at, thanks) ON gift TO shoutgraph_app;
