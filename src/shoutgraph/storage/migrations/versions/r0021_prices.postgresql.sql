-- The guards of prices, for PostgreSQL. A blank line ends each statement, so no body has one.

-- what a top-up was agreed under
CREATE FUNCTION topup_agreed() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.price_id, NEW.rate_version, NEW.spread_bps, NEW.promotion_id, NEW.discount_minor, NEW.bonus_s)
    IS DISTINCT FROM
      (OLD.price_id, OLD.rate_version, OLD.spread_bps, OLD.promotion_id, OLD.discount_minor, OLD.bonus_s) THEN
    RAISE EXCEPTION 'what was agreed never changes' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER topup_agreed BEFORE UPDATE ON topup FOR EACH ROW EXECUTE FUNCTION topup_agreed();

-- price lists
CREATE FUNCTION price_list_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - '{state,decided_at,ended_at}'::text[] <> to_jsonb(OLD) - '{state,decided_at,ended_at}'::text[] THEN
    RAISE EXCEPTION 'a price list never changes: publish a new version' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state <> 'SCHEDULED' AND (NEW.state, NEW.decided_at) IS DISTINCT FROM (OLD.state, OLD.decided_at) THEN
    RAISE EXCEPTION 'a price list takes effect or is withdrawn once' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at THEN
    RAISE EXCEPTION 'a price list ends once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER price_list_guard BEFORE UPDATE ON price_list FOR EACH ROW EXECUTE FUNCTION price_list_guard();

CREATE TRIGGER price_list_delete BEFORE DELETE ON price_list
FOR EACH ROW EXECUTE FUNCTION refuse('price lists are never deleted');

CREATE TRIGGER price_list_truncate BEFORE TRUNCATE ON price_list EXECUTE FUNCTION refuse('price lists are never deleted');

-- promotions: what they give never changes, and uses are counted as they are stored, within the limits
CREATE FUNCTION promotion_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - '{uses,ended_at}'::text[] <> to_jsonb(OLD) - '{uses,ended_at}'::text[] THEN
    RAISE EXCEPTION 'what a promotion gives never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at THEN
    RAISE EXCEPTION 'a promotion ends once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER promotion_guard BEFORE UPDATE ON promotion FOR EACH ROW EXECUTE FUNCTION promotion_guard();

CREATE TRIGGER promotion_delete BEFORE DELETE ON promotion
FOR EACH ROW EXECUTE FUNCTION refuse('promotions are never deleted');

CREATE TRIGGER promotion_truncate BEFORE TRUNCATE ON promotion EXECUTE FUNCTION refuse('promotions are never deleted');

CREATE FUNCTION promo_code_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - 'uses' <> to_jsonb(OLD) - 'uses' THEN
    RAISE EXCEPTION 'a code never changes' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER promo_code_guard BEFORE UPDATE ON promo_code FOR EACH ROW EXECUTE FUNCTION promo_code_guard();

CREATE TRIGGER promo_code_delete BEFORE DELETE ON promo_code
FOR EACH ROW EXECUTE FUNCTION refuse('codes are never deleted');

CREATE TRIGGER promo_code_truncate BEFORE TRUNCATE ON promo_code EXECUTE FUNCTION refuse('codes are never deleted');

-- Nobody but this trigger writes the counts. A use that comes back to life (late money) is counted beyond a limit.
CREATE FUNCTION promo_use_counted() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE more integer;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state = 'RETURNED' THEN RETURN NULL; END IF;
    UPDATE promotion SET uses = uses + 1
     WHERE id = NEW.promotion_id AND (uses_max IS NULL OR uses < uses_max) AND NEW.slot <= user_uses_max;
    IF NOT FOUND THEN RAISE EXCEPTION 'a code is used within its limits' USING ERRCODE = 'check_violation'; END IF;
    UPDATE promo_code c SET uses = c.uses + 1 FROM promotion p
     WHERE c.id = NEW.code_id AND p.id = NEW.promotion_id AND c.promotion_id = p.id
       AND (p.code_uses_max IS NULL OR c.uses < p.code_uses_max);
    IF NOT FOUND THEN RAISE EXCEPTION 'a code is used within its limits' USING ERRCODE = 'check_violation'; END IF;
    RETURN NULL;
  END IF;
  more := (OLD.state = 'RETURNED')::integer - (NEW.state = 'RETURNED')::integer;
  IF more <> 0 THEN
    UPDATE promotion SET uses = uses + more WHERE id = NEW.promotion_id;
    UPDATE promo_code SET uses = uses + more WHERE id = NEW.code_id;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER promo_use_counted AFTER INSERT OR UPDATE OF state ON promo_use
FOR EACH ROW EXECUTE FUNCTION promo_use_counted();

CREATE FUNCTION promo_use_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - '{state,topup_id,slot}'::text[] <> to_jsonb(OLD) - '{state,topup_id,slot}'::text[]
    OR (NEW.slot <> OLD.slot AND OLD.state <> 'RETURNED') THEN
    RAISE EXCEPTION 'what was used never changes' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER promo_use_guard BEFORE UPDATE ON promo_use FOR EACH ROW EXECUTE FUNCTION promo_use_guard();

-- Checked at COMMIT: the transfers of a batch of commands are written at its end.
CREATE FUNCTION promo_use_granted() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'promo.granted' AND ref = NEW.id) THEN
    RAISE EXCEPTION 'granted coins are in the books' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER promo_use_granted AFTER INSERT ON promo_use DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.topup_id IS NULL) EXECUTE FUNCTION promo_use_granted();

CREATE TRIGGER promo_use_delete BEFORE DELETE ON promo_use
FOR EACH ROW EXECUTE FUNCTION refuse('uses are never deleted');

CREATE TRIGGER promo_use_truncate BEFORE TRUNCATE ON promo_use EXECUTE FUNCTION refuse('uses are never deleted');

-- gift cards: their coins are in the books, set aside and ended once. Checked at COMMIT: the transfers of a batch of
-- commands are written at its end.
CREATE FUNCTION gift_card_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'OPEN' THEN
      RAISE EXCEPTION 'the coins of a gift card are set aside first' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF to_jsonb(NEW) - '{state,redeemed_by,ended_at,message}'::text[]
      <> to_jsonb(OLD) - '{state,redeemed_by,ended_at,message}'::text[] THEN
    RAISE EXCEPTION 'a gift card never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.message IS DISTINCT FROM OLD.message AND NEW.message IS NOT NULL THEN
    RAISE EXCEPTION 'a message is only blanked' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state <> 'OPEN' AND (NEW.state, NEW.redeemed_by, NEW.ended_at)
      IS DISTINCT FROM (OLD.state, OLD.redeemed_by, OLD.ended_at) THEN
    RAISE EXCEPTION 'a gift card ends once, in the books' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER gift_card_guard BEFORE INSERT OR UPDATE ON gift_card FOR EACH ROW EXECUTE FUNCTION gift_card_guard();

CREATE FUNCTION gift_card_in_books() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'card.bought' AND ref = NEW.id) THEN
    RAISE EXCEPTION 'the coins of a gift card are set aside first' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state <> 'OPEN' AND NOT EXISTS (SELECT 1 FROM transfer WHERE ref = NEW.id
      AND kind = CASE NEW.state WHEN 'REDEEMED' THEN 'card.redeemed' ELSE 'card.returned' END) THEN
    RAISE EXCEPTION 'a gift card ends once, in the books' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER gift_card_in_books AFTER INSERT OR UPDATE ON gift_card DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION gift_card_in_books();

CREATE TRIGGER gift_card_delete BEFORE DELETE ON gift_card
FOR EACH ROW EXECUTE FUNCTION refuse('gift cards are never deleted');

CREATE TRIGGER gift_card_truncate BEFORE TRUNCATE ON gift_card EXECUTE FUNCTION refuse('gift cards are never deleted');

-- rights
GRANT SELECT ON price_list TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON price_list TO shoutgraph_app;

GRANT UPDATE (state, decided_at, ended_at) ON price_list TO shoutgraph_app;

GRANT SELECT ON promotion, promo_code, promo_use, code_attempt TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON promotion, promo_code, promo_use, code_attempt TO shoutgraph_app;

GRANT UPDATE (ended_at) ON promotion TO shoutgraph_app;

GRANT UPDATE (state, topup_id, slot) ON promo_use TO shoutgraph_app;

GRANT UPDATE (since, attempts), DELETE ON code_attempt TO shoutgraph_app;

GRANT SELECT ON gift_card TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON gift_card TO shoutgraph_app;

GRANT UPDATE (state, redeemed_by, ended_at, message) ON gift_card TO shoutgraph_app;
