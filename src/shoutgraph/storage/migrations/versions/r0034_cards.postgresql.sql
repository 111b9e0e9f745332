-- The guards of gift cards, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE TRIGGER topup_as_card BEFORE UPDATE ON topup FOR EACH ROW WHEN (NEW.as_card <> OLD.as_card)
EXECUTE FUNCTION refuse('what was agreed never changes');

-- their coins are in the books, set aside and ended once. Checked at COMMIT: the transfers of a batch of commands are
-- written at its end.
CREATE OR REPLACE FUNCTION gift_card_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'OPEN' THEN
      RAISE EXCEPTION 'the coins of a gift card are set aside first' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.issue_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM card_issue WHERE id = NEW.issue_id AND state = 'PROPOSED' AND coins = NEW.coins) THEN
      RAISE EXCEPTION 'an issued gift card is agreed by two people first' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF to_jsonb(NEW) - '{state,redeemed_by,ended_at,message,recipient_name,digest,hint}'::text[]
      <> to_jsonb(OLD) - '{state,redeemed_by,ended_at,message,recipient_name,digest,hint}'::text[] THEN
    RAISE EXCEPTION 'a gift card never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF (OLD.state <> 'OPEN' OR NEW.state <> 'OPEN' OR OLD.buyer_id IS NULL) AND (NEW.digest <> OLD.digest OR NEW.hint <> OLD.hint) THEN
    RAISE EXCEPTION 'only an open gift card gets a new code' USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.message IS DISTINCT FROM OLD.message AND NEW.message IS NOT NULL)
      OR (NEW.recipient_name IS DISTINCT FROM OLD.recipient_name AND NEW.recipient_name IS NOT NULL) THEN
    RAISE EXCEPTION 'a message is only blanked' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state <> 'OPEN' AND (NEW.state, NEW.redeemed_by, NEW.ended_at)
      IS DISTINCT FROM (OLD.state, OLD.redeemed_by, OLD.ended_at) THEN
    RAISE EXCEPTION 'a gift card ends once, in the books' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION gift_card_in_books() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'card.bought' AND ref = NEW.id
      UNION ALL SELECT 1 FROM transfer WHERE kind = 'card.issued' AND ref = NEW.issue_id) THEN
    RAISE EXCEPTION 'the coins of a gift card are set aside first' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.topup_id IS NOT NULL AND NOT (
      EXISTS (SELECT 1 FROM transfer WHERE kind = 'topup.succeeded' AND ref = NEW.topup_id)
      AND EXISTS (SELECT 1 FROM topup
        WHERE id = NEW.topup_id AND user_id = NEW.buyer_id AND coins = NEW.coins AND as_card = 1)) THEN
    RAISE EXCEPTION 'a gift card is paid first' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state <> 'OPEN' AND NOT EXISTS (SELECT 1 FROM transfer WHERE ref = NEW.id
      AND kind = CASE NEW.state WHEN 'REDEEMED' THEN 'card.redeemed' ELSE 'card.returned' END) THEN
    RAISE EXCEPTION 'a gift card ends once, in the books' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

-- what two people agree to give away
CREATE FUNCTION card_issue_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'PROPOSED' THEN
      RAISE EXCEPTION 'an issue of cards is proposed once, and first' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF to_jsonb(NEW) - '{state,decided_by,decided_at,booked}'::text[]
      <> to_jsonb(OLD) - '{state,decided_by,decided_at,booked}'::text[] THEN
    RAISE EXCEPTION 'what was proposed to be issued never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state <> 'PROPOSED' THEN
    RAISE EXCEPTION 'an issue of cards is decided once' USING ERRCODE = 'check_violation';
  END IF;
  IF (SELECT count(*) FROM gift_card WHERE issue_id = NEW.id)
      <> (CASE NEW.state WHEN 'ISSUED' THEN NEW.cards_count ELSE 0 END) THEN
    RAISE EXCEPTION 'an issue has all of its cards' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER card_issue_guard BEFORE INSERT OR UPDATE ON card_issue
FOR EACH ROW EXECUTE FUNCTION card_issue_guard();

CREATE TRIGGER card_issue_delete BEFORE DELETE ON card_issue
FOR EACH ROW EXECUTE FUNCTION refuse('issues of cards are never deleted');

CREATE TRIGGER card_issue_truncate BEFORE TRUNCATE ON card_issue
EXECUTE FUNCTION refuse('issues of cards are never deleted');

-- what top-ups are for
CREATE FUNCTION card_purchase_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'WAITING' OR NOT EXISTS (
        SELECT 1 FROM topup WHERE id = NEW.topup_id AND user_id = NEW.buyer_id AND as_card = 1) THEN
      RAISE EXCEPTION 'a card is asked for with its top-up' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.topup_id, NEW.buyer_id, NEW.created_at) IS DISTINCT FROM (OLD.topup_id, OLD.buyer_id, OLD.created_at) THEN
    RAISE EXCEPTION 'what was asked for with a top-up never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.message IS DISTINCT FROM OLD.message AND NEW.message IS NOT NULL)
      OR (NEW.recipient_name IS DISTINCT FROM OLD.recipient_name AND NEW.recipient_name IS NOT NULL) THEN
    RAISE EXCEPTION 'a message is only blanked' USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.state, NEW.card_id, NEW.kept, NEW.decided_at)
      IS DISTINCT FROM (OLD.state, OLD.card_id, OLD.kept, OLD.decided_at)
      AND (OLD.state <> 'WAITING' OR (NEW.state = 'ISSUED' AND NOT EXISTS (
        SELECT 1 FROM gift_card WHERE id = NEW.card_id AND topup_id = NEW.topup_id))) THEN
    RAISE EXCEPTION 'a card is bought once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER card_purchase_guard BEFORE INSERT OR UPDATE ON card_purchase
FOR EACH ROW EXECUTE FUNCTION card_purchase_guard();

CREATE TRIGGER card_purchase_delete BEFORE DELETE ON card_purchase
FOR EACH ROW EXECUTE FUNCTION refuse('what was asked for with a top-up is never deleted');

CREATE TRIGGER card_purchase_truncate BEFORE TRUNCATE ON card_purchase
EXECUTE FUNCTION refuse('what was asked for with a top-up is never deleted');

-- rights
GRANT UPDATE (digest, hint, recipient_name) ON gift_card TO shoutgraph_app;

GRANT SELECT ON card_issue TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON card_issue TO shoutgraph_app;

GRANT UPDATE (state, decided_by, decided_at, booked) ON card_issue TO shoutgraph_app;

GRANT SELECT ON card_purchase TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON card_purchase TO shoutgraph_app;

GRANT UPDATE (state, card_id, kept, decided_at, message, recipient_name) ON card_purchase TO shoutgraph_app;
