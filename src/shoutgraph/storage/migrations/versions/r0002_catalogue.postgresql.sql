-- What the database keeps in step for the catalogue, and the guards of prices, for PostgreSQL. A blank line ends each
-- statement, so no body has one.

-- a person
CREATE FUNCTION user_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.id <> OLD.id THEN
    RAISE EXCEPTION 'a user stays the same person' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER user_guard BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION user_guard();

CREATE TRIGGER user_delete BEFORE DELETE ON users
FOR EACH ROW EXECUTE FUNCTION refuse('a user is erased, not deleted: the books name them');

CREATE TRIGGER user_truncate BEFORE TRUNCATE ON users
EXECUTE FUNCTION refuse('a user is erased, not deleted: the books name them');

-- A creator's cheapest active offer. The creator is held first: of two processes that change offers, the second one then
-- sees the offers of the first.
CREATE FUNCTION offer_priced() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM 1 FROM creator WHERE id = NEW.creator_id FOR NO KEY UPDATE;
  UPDATE creator SET price_from_coins =
    (SELECT min(price_coins) FROM offer WHERE creator_id = NEW.creator_id AND active = 1)
  WHERE id = NEW.creator_id;
  RETURN NULL;
END $$;

CREATE TRIGGER offer_new AFTER INSERT ON offer FOR EACH ROW EXECUTE FUNCTION offer_priced();

CREATE TRIGGER offer_price AFTER UPDATE OF price_coins, active ON offer
FOR EACH ROW EXECUTE FUNCTION offer_priced();

CREATE FUNCTION offer_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.creator_id) IS DISTINCT FROM (OLD.id, OLD.creator_id) THEN
    RAISE EXCEPTION 'an offer stays its creator''s' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER offer_guard BEFORE UPDATE ON offer FOR EACH ROW EXECUTE FUNCTION offer_guard();

CREATE TRIGGER offer_delete BEFORE DELETE ON offer
FOR EACH ROW EXECUTE FUNCTION refuse('an offer is never deleted: orders name it');

CREATE TRIGGER offer_truncate BEFORE TRUNCATE ON offer
EXECUTE FUNCTION refuse('an offer is never deleted: orders name it');

-- a creator
CREATE FUNCTION creator_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.number, NEW.id, NEW.user_id) IS DISTINCT FROM (OLD.number, OLD.id, OLD.user_id) THEN
    RAISE EXCEPTION 'a creator stays the same person' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER creator_guard BEFORE UPDATE ON creator FOR EACH ROW EXECUTE FUNCTION creator_guard();

CREATE FUNCTION creator_price() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.price_from_coins IS DISTINCT FROM
    (SELECT min(price_coins) FROM offer WHERE creator_id = OLD.id AND active = 1) THEN
    RAISE EXCEPTION 'the price that a creator starts at is that of an offer' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER creator_price BEFORE UPDATE OF price_from_coins ON creator
FOR EACH ROW EXECUTE FUNCTION creator_price();

CREATE TRIGGER creator_delete BEFORE DELETE ON creator
FOR EACH ROW EXECUTE FUNCTION refuse('a creator is never deleted: orders and the books name them');

CREATE TRIGGER creator_truncate BEFORE TRUNCATE ON creator
EXECUTE FUNCTION refuse('a creator is never deleted: orders and the books name them');

-- prices and rates never change; a price only goes off sale
CREATE TRIGGER fx_rate_fixed BEFORE UPDATE OR DELETE ON fx_rate
FOR EACH ROW EXECUTE FUNCTION refuse('a rate never changes: store a new version');

CREATE TRIGGER fx_rate_truncate BEFORE TRUNCATE ON fx_rate
EXECUTE FUNCTION refuse('a rate never changes: store a new version');

CREATE FUNCTION price_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - 'current' <> to_jsonb(OLD) - 'current' THEN
    RAISE EXCEPTION 'a price never changes: store a new version' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.current > OLD.current THEN
    RAISE EXCEPTION 'a price that is off sale stays so: store a new version' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER package_guard BEFORE UPDATE ON coin_package FOR EACH ROW EXECUTE FUNCTION price_guard();

CREATE TRIGGER package_delete BEFORE DELETE ON coin_package
FOR EACH ROW EXECUTE FUNCTION refuse('a price never changes: store a new version');

CREATE TRIGGER package_truncate BEFORE TRUNCATE ON coin_package
EXECUTE FUNCTION refuse('a price never changes: store a new version');

CREATE TRIGGER unit_price_guard BEFORE UPDATE ON unit_price FOR EACH ROW EXECUTE FUNCTION price_guard();

CREATE TRIGGER unit_price_delete BEFORE DELETE ON unit_price
FOR EACH ROW EXECUTE FUNCTION refuse('a price never changes: store a new version');

CREATE TRIGGER unit_price_truncate BEFORE TRUNCATE ON unit_price
EXECUTE FUNCTION refuse('a price never changes: store a new version');

-- rights
GRANT SELECT ON users, creator, offer, fx_rate, coin_package, unit_price TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON users, creator, offer TO shoutgraph_app;

GRANT USAGE ON SEQUENCE creator_number_seq TO shoutgraph_app;

GRANT INSERT ON fx_rate, coin_package, unit_price TO shoutgraph_app;

GRANT UPDATE (current) ON coin_package, unit_price TO shoutgraph_app;
