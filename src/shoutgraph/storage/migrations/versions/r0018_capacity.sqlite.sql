-- The guards of lines, for SQLite. A blank line ends each statement.

CREATE TRIGGER waitlist_new BEFORE INSERT ON waitlist_entry
WHEN EXISTS (SELECT 1 FROM waitlist_entry WHERE id = NEW.id OR (creator_id = NEW.creator_id AND number = NEW.number))
  OR EXISTS (SELECT 1 FROM creator WHERE id = NEW.creator_id AND user_id = NEW.fan_id)
  OR NOT EXISTS (SELECT 1 FROM offer WHERE id = NEW.offer_id AND creator_id = NEW.creator_id)
BEGIN SELECT RAISE(ABORT, 'a fan waits once, for an offer of somebody else'); END;

CREATE TRIGGER waitlist_identity BEFORE UPDATE OF id, creator_id, offer_id, fan_id, number, joined_at ON waitlist_entry
BEGIN SELECT RAISE(ABORT, 'a place in a line stays whose it is'); END;

CREATE TRIGGER waitlist_moves BEFORE UPDATE OF revision, state, offered_at, offered_until, order_id ON waitlist_entry
WHEN NEW.revision <> OLD.revision + 1 OR OLD.state NOT IN ('WAITING', 'OFFERED')
  OR (OLD.state = 'WAITING' AND NEW.state IN ('WAITING', 'DECLINED', 'LAPSED'))
BEGIN SELECT RAISE(ABORT, 'who waits moves on, step by step, and does not come back'); END;

CREATE TRIGGER waitlist_order BEFORE UPDATE OF order_id ON waitlist_entry
WHEN NEW.order_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM orders WHERE id = NEW.order_id AND fan_id = NEW.fan_id AND creator_id = NEW.creator_id)
BEGIN SELECT RAISE(ABORT, 'who waited orders for themselves, where they waited'); END;

CREATE TRIGGER waitlist_delete BEFORE DELETE ON waitlist_entry
BEGIN SELECT RAISE(ABORT, 'who waited is not forgotten'); END;
