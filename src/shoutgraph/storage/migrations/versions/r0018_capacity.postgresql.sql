-- The guards of lines and campaigns, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE FUNCTION waitlist_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM creator WHERE id = NEW.creator_id AND user_id = NEW.fan_id)
    OR NOT EXISTS (SELECT 1 FROM offer WHERE id = NEW.offer_id AND creator_id = NEW.creator_id) THEN
    RAISE EXCEPTION 'a fan waits once, for an offer of somebody else' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER waitlist_new BEFORE INSERT ON waitlist_entry FOR EACH ROW EXECUTE FUNCTION waitlist_new();

CREATE FUNCTION waitlist_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.creator_id, NEW.offer_id, NEW.fan_id, NEW.number, NEW.joined_at)
    IS DISTINCT FROM (OLD.id, OLD.creator_id, OLD.offer_id, OLD.fan_id, OLD.number, OLD.joined_at) THEN
    RAISE EXCEPTION 'a place in a line stays whose it is' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.revision <> OLD.revision + 1 OR OLD.state NOT IN ('WAITING', 'OFFERED')
    OR (OLD.state = 'WAITING' AND NEW.state IN ('WAITING', 'DECLINED', 'LAPSED')) THEN
    RAISE EXCEPTION 'who waits moves on, step by step, and does not come back' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.order_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM orders WHERE id = NEW.order_id AND fan_id = NEW.fan_id AND creator_id = NEW.creator_id) THEN
    RAISE EXCEPTION 'who waited orders for themselves, where they waited' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER waitlist_guard BEFORE UPDATE ON waitlist_entry FOR EACH ROW EXECUTE FUNCTION waitlist_guard();

CREATE TRIGGER waitlist_delete BEFORE DELETE ON waitlist_entry
FOR EACH ROW EXECUTE FUNCTION refuse('who waited is not forgotten');

CREATE TRIGGER waitlist_truncate BEFORE TRUNCATE ON waitlist_entry EXECUTE FUNCTION refuse('who waited is not forgotten');

-- campaign: a fee of its own is approved by somebody else, terms never change, and no order is taken out
CREATE FUNCTION campaign_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - '{name,revision,ends_at,orders_max,standing,decided_by,decided_at,note,ended_at}'::text[]
    <> to_jsonb(OLD) - '{name,revision,ends_at,orders_max,standing,decided_by,decided_at,note,ended_at}'::text[] THEN
    RAISE EXCEPTION 'the terms of a campaign never change' USING ERRCODE = 'check_violation';
  END IF;
  IF to_jsonb(NEW) - 'name' = to_jsonb(OLD) - 'name' THEN
    RETURN NEW;
  END IF;
  IF NEW.revision <> OLD.revision + 1
    OR (NEW.standing <> OLD.standing AND OLD.standing <> 'PROPOSED')
    OR (OLD.decided_by IS NOT NULL
      AND (NEW.decided_by, NEW.decided_at, NEW.note) IS DISTINCT FROM (OLD.decided_by, OLD.decided_at, OLD.note))
    OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
    OR NEW.orders_max < (SELECT coalesce(max(number), 0) FROM campaign_order WHERE campaign_id = NEW.id)
    OR NEW.ends_at <= (SELECT coalesce(max(placed_at), NEW.starts_at) FROM campaign_order WHERE campaign_id = NEW.id) THEN
    RAISE EXCEPTION 'a campaign moves on, step by step, and leaves no order out' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER campaign_guard BEFORE UPDATE ON campaign FOR EACH ROW EXECUTE FUNCTION campaign_guard();

CREATE TRIGGER campaign_delete BEFORE DELETE ON campaign
FOR EACH ROW EXECUTE FUNCTION refuse('campaigns are never deleted');

CREATE TRIGGER campaign_truncate BEFORE TRUNCATE ON campaign EXECUTE FUNCTION refuse('campaigns are never deleted');

-- An order in a campaign has its terms, a number of its own, and a number that there is. Whoever lowers the limit beside
-- it holds the creator, as whoever orders does.
CREATE FUNCTION campaign_order_new() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM campaign AS c JOIN orders AS o ON o.id = NEW.order_id AND o.campaign_id = c.id
    WHERE c.id = NEW.campaign_id AND c.creator_id = o.creator_id AND c.standing = 'APPROVED' AND o.state <> 'DRAFT'
      AND NEW.number <= coalesce(c.orders_max, NEW.number)
      AND NEW.placed_at >= c.starts_at AND NEW.placed_at < c.ends_at
      AND o.fee_bps = coalesce(c.fee_bps, o.fee_bps) AND o.accept_s IS NOT DISTINCT FROM c.accept_s
      AND o.base_coins = coalesce(c.price_coins, o.list_coins - o.list_coins * coalesce(c.discount_bps, 0) / 10000)
      AND strpos(c.offer_ids, '|' || o.offer_id || '|') > 0) THEN
    RAISE EXCEPTION 'an order in a campaign has its terms, and there are no more than it takes'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER campaign_order_new BEFORE INSERT ON campaign_order
FOR EACH ROW EXECUTE FUNCTION campaign_order_new();

CREATE TRIGGER campaign_order_fixed BEFORE UPDATE OR DELETE ON campaign_order
FOR EACH ROW EXECUTE FUNCTION refuse('orders in campaigns are append-only');

CREATE TRIGGER campaign_order_truncate BEFORE TRUNCATE ON campaign_order
EXECUTE FUNCTION refuse('orders in campaigns are append-only');

CREATE TRIGGER orders_terms BEFORE UPDATE ON orders FOR EACH ROW
WHEN (OLD.state <> 'DRAFT' AND (NEW.campaign_id IS DISTINCT FROM OLD.campaign_id OR NEW.fee_bps <> OLD.fee_bps
  OR NEW.list_coins IS DISTINCT FROM OLD.list_coins OR NEW.accept_s IS DISTINCT FROM OLD.accept_s)) EXECUTE FUNCTION refuse('what was agreed at submit never changes');

-- rights
GRANT SELECT ON waitlist_entry, campaign, campaign_order TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON waitlist_entry, campaign TO shoutgraph_app;

GRANT INSERT ON campaign_order TO shoutgraph_app;
