-- The guards of lines and campaigns, for SQLite. A blank line ends each statement.

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

-- campaign: a fee of its own is approved by somebody else, terms never change, and no order is taken out
CREATE TRIGGER campaign_new BEFORE INSERT ON campaign WHEN EXISTS (SELECT 1 FROM campaign WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a campaign is made once'); END;

CREATE TRIGGER campaign_terms BEFORE UPDATE OF id, creator_id, starts_at, offer_ids, price_coins, discount_bps, accept_s,
  delivery_s, fee_bps, countries, proposed_by, created_at ON campaign
BEGIN SELECT RAISE(ABORT, 'the terms of a campaign never change'); END;

CREATE TRIGGER campaign_moves BEFORE UPDATE OF
  revision, ends_at, orders_max, standing, decided_by, decided_at, note, ended_at ON campaign
WHEN NEW.revision <> OLD.revision + 1
  OR (NEW.standing <> OLD.standing AND OLD.standing <> 'PROPOSED')
  OR (OLD.decided_by IS NOT NULL AND (NEW.decided_by, NEW.decided_at, NEW.note) IS NOT (OLD.decided_by, OLD.decided_at, OLD.note))
  OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS NOT OLD.ended_at)
  OR NEW.orders_max < coalesce((SELECT max(number) FROM campaign_order WHERE campaign_id = NEW.id), 0)
  OR NEW.ends_at <= coalesce((SELECT max(placed_at) FROM campaign_order WHERE campaign_id = NEW.id), NEW.starts_at)
BEGIN SELECT RAISE(ABORT, 'a campaign moves on, step by step, and leaves no order out'); END;

CREATE TRIGGER campaign_delete BEFORE DELETE ON campaign
BEGIN SELECT RAISE(ABORT, 'campaigns are never deleted'); END;

-- an order in a campaign has its terms, a number of its own, and a number that there is
CREATE TRIGGER campaign_order_new BEFORE INSERT ON campaign_order
WHEN EXISTS (SELECT 1 FROM campaign_order WHERE order_id = NEW.order_id
    OR (campaign_id = NEW.campaign_id AND number = NEW.number))
  OR NOT EXISTS (
    SELECT 1 FROM campaign AS c JOIN orders AS o ON o.id = NEW.order_id AND o.campaign_id = c.id
    WHERE c.id = NEW.campaign_id AND c.creator_id = o.creator_id AND c.standing = 'APPROVED' AND o.state <> 'DRAFT'
      AND NEW.number <= coalesce(c.orders_max, NEW.number)
      AND NEW.placed_at >= c.starts_at AND NEW.placed_at < c.ends_at
      AND o.fee_bps = coalesce(c.fee_bps, o.fee_bps) AND o.accept_s IS c.accept_s
      AND o.base_coins = coalesce(c.price_coins, o.list_coins - o.list_coins * coalesce(c.discount_bps, 0) / 10000)
      AND instr(c.offer_ids, '|' || o.offer_id || '|') > 0)
BEGIN SELECT RAISE(ABORT, 'an order in a campaign has its terms, and there are no more than it takes'); END;

CREATE TRIGGER campaign_order_update BEFORE UPDATE ON campaign_order
BEGIN SELECT RAISE(ABORT, 'orders in campaigns are append-only'); END;

CREATE TRIGGER campaign_order_delete BEFORE DELETE ON campaign_order
BEGIN SELECT RAISE(ABORT, 'orders in campaigns are append-only'); END;

CREATE TRIGGER orders_terms BEFORE UPDATE OF campaign_id, list_coins, accept_s, fee_bps ON orders
WHEN OLD.state <> 'DRAFT' AND (NEW.campaign_id, NEW.list_coins, NEW.accept_s, NEW.fee_bps)
  IS NOT (OLD.campaign_id, OLD.list_coins, OLD.accept_s, OLD.fee_bps)
BEGIN SELECT RAISE(ABORT, 'what was agreed at submit never changes'); END;
