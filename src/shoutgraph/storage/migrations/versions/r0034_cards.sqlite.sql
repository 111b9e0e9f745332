-- The guards of gift cards, for SQLite. A blank line ends each statement.

CREATE TRIGGER topup_as_card BEFORE UPDATE OF as_card ON topup WHEN NEW.as_card <> OLD.as_card
BEGIN SELECT RAISE(ABORT, 'what was agreed never changes'); END;

-- their coins are in the books, set aside and ended once
CREATE TRIGGER gift_card_new BEFORE INSERT ON gift_card
WHEN NEW.state <> 'OPEN' OR EXISTS (SELECT 1 FROM gift_card WHERE id = NEW.id)
  OR NOT EXISTS (SELECT 1 FROM transfer WHERE kind = 'card.bought' AND ref = NEW.id
    UNION ALL SELECT 1 FROM transfer WHERE kind = 'card.issued' AND ref = NEW.issue_id)
BEGIN SELECT RAISE(ABORT, 'the coins of a gift card are set aside first'); END;

CREATE TRIGGER gift_card_paid BEFORE INSERT ON gift_card
WHEN NEW.topup_id IS NOT NULL AND NOT (
  EXISTS (SELECT 1 FROM transfer WHERE kind = 'topup.succeeded' AND ref = NEW.topup_id)
  AND EXISTS (SELECT 1 FROM topup WHERE id = NEW.topup_id AND user_id = NEW.buyer_id AND coins = NEW.coins AND as_card = 1))
BEGIN SELECT RAISE(ABORT, 'a gift card is paid first'); END;

CREATE TRIGGER gift_card_agreed BEFORE INSERT ON gift_card
WHEN NEW.issue_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM card_issue WHERE id = NEW.issue_id AND state = 'PROPOSED' AND coins = NEW.coins)
BEGIN SELECT RAISE(ABORT, 'an issued gift card is agreed by two people first'); END;

CREATE TRIGGER gift_card_identity BEFORE UPDATE OF
  id, buyer_id, coins, taken, created_at, expires_at, origin, topup_id, issue_id ON gift_card
BEGIN SELECT RAISE(ABORT, 'a gift card never changes'); END;

CREATE TRIGGER gift_card_code BEFORE UPDATE OF digest, hint ON gift_card
WHEN OLD.state <> 'OPEN' OR NEW.state <> 'OPEN' OR OLD.buyer_id IS NULL
BEGIN SELECT RAISE(ABORT, 'only an open gift card gets a new code'); END;

CREATE TRIGGER gift_card_message_goes BEFORE UPDATE OF message, recipient_name ON gift_card
WHEN NEW.message IS NOT NULL OR NEW.recipient_name IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a message is only blanked'); END;

CREATE TRIGGER gift_card_ends BEFORE UPDATE OF state, redeemed_by, ended_at ON gift_card
WHEN OLD.state <> 'OPEN' OR NOT EXISTS (
  SELECT 1 FROM transfer WHERE ref = NEW.id AND kind = iif(NEW.state = 'REDEEMED', 'card.redeemed', 'card.returned'))
BEGIN SELECT RAISE(ABORT, 'a gift card ends once, in the books'); END;

CREATE TRIGGER gift_card_delete BEFORE DELETE ON gift_card
BEGIN SELECT RAISE(ABORT, 'gift cards are never deleted'); END;

-- what two people agree to give away
CREATE TRIGGER card_issue_new BEFORE INSERT ON card_issue
WHEN NEW.state <> 'PROPOSED' OR EXISTS (SELECT 1 FROM card_issue WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an issue of cards is proposed once, and first'); END;

CREATE TRIGGER card_issue_identity BEFORE UPDATE OF
  id, coins, cards_count, expires_at, reason, case_reference, proposed_by, proposed_at ON card_issue
BEGIN SELECT RAISE(ABORT, 'what was proposed to be issued never changes'); END;

CREATE TRIGGER card_issue_once BEFORE UPDATE OF state, decided_by, decided_at, booked ON card_issue
WHEN OLD.state <> 'PROPOSED'
BEGIN SELECT RAISE(ABORT, 'an issue of cards is decided once'); END;

CREATE TRIGGER card_issue_all BEFORE UPDATE OF state ON card_issue
WHEN (SELECT count(*) FROM gift_card WHERE issue_id = NEW.id) <> iif(NEW.state = 'ISSUED', NEW.cards_count, 0)
BEGIN SELECT RAISE(ABORT, 'an issue has all of its cards'); END;

CREATE TRIGGER card_issue_delete BEFORE DELETE ON card_issue
BEGIN SELECT RAISE(ABORT, 'issues of cards are never deleted'); END;

-- what top-ups are for
CREATE TRIGGER card_purchase_new BEFORE INSERT ON card_purchase
WHEN NEW.state <> 'WAITING' OR EXISTS (SELECT 1 FROM card_purchase WHERE topup_id = NEW.topup_id)
  OR NOT EXISTS (SELECT 1 FROM topup WHERE id = NEW.topup_id AND user_id = NEW.buyer_id AND as_card = 1)
BEGIN SELECT RAISE(ABORT, 'a card is asked for with its top-up'); END;

CREATE TRIGGER card_purchase_identity BEFORE UPDATE OF topup_id, buyer_id, created_at ON card_purchase
BEGIN SELECT RAISE(ABORT, 'what was asked for with a top-up never changes'); END;

CREATE TRIGGER card_purchase_words_go BEFORE UPDATE OF message, recipient_name ON card_purchase
WHEN NEW.message IS NOT NULL OR NEW.recipient_name IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a message is only blanked'); END;

CREATE TRIGGER card_purchase_once BEFORE UPDATE OF state, card_id, kept, decided_at ON card_purchase
WHEN OLD.state <> 'WAITING' OR (NEW.state = 'ISSUED' AND NOT EXISTS (
  SELECT 1 FROM gift_card WHERE id = NEW.card_id AND topup_id = NEW.topup_id))
BEGIN SELECT RAISE(ABORT, 'a card is bought once'); END;

CREATE TRIGGER card_purchase_delete BEFORE DELETE ON card_purchase
BEGIN SELECT RAISE(ABORT, 'what was asked for with a top-up is never deleted'); END;
