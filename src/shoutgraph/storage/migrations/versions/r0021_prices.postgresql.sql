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

-- rights
GRANT SELECT ON price_list TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON price_list TO shoutgraph_app;

GRANT UPDATE (state, decided_at, ended_at) ON price_list TO shoutgraph_app;
