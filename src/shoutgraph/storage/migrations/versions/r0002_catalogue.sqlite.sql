-- What the database keeps in step for the catalogue, and the guards of prices, for SQLite. A blank line ends each
-- statement.

-- a person
CREATE TRIGGER user_delete BEFORE DELETE ON users
BEGIN SELECT RAISE(ABORT, 'a user is erased, not deleted: the books name them'); END;

CREATE TRIGGER user_identity BEFORE UPDATE OF id ON users WHEN NEW.id <> OLD.id
BEGIN SELECT RAISE(ABORT, 'a user stays the same person'); END;

-- a creator's cheapest active offer
CREATE TRIGGER offer_new AFTER INSERT ON offer
BEGIN
  UPDATE creator SET price_from_coins =
    (SELECT min(price_coins) FROM offer WHERE creator_id = NEW.creator_id AND active = 1)
  WHERE id = NEW.creator_id;
END;

CREATE TRIGGER offer_price AFTER UPDATE OF price_coins, active ON offer
BEGIN
  UPDATE creator SET price_from_coins =
    (SELECT min(price_coins) FROM offer WHERE creator_id = NEW.creator_id AND active = 1)
  WHERE id = NEW.creator_id;
END;

CREATE TRIGGER offer_identity BEFORE UPDATE OF id, creator_id ON offer
WHEN NEW.id <> OLD.id OR NEW.creator_id <> OLD.creator_id
BEGIN SELECT RAISE(ABORT, 'an offer stays its creator''s'); END;

CREATE TRIGGER offer_delete BEFORE DELETE ON offer
BEGIN SELECT RAISE(ABORT, 'an offer is never deleted: orders name it'); END;

CREATE TRIGGER creator_price BEFORE UPDATE OF price_from_coins ON creator
WHEN NEW.price_from_coins IS NOT
  (SELECT min(price_coins) FROM offer WHERE creator_id = OLD.id AND active = 1)
BEGIN SELECT RAISE(ABORT, 'the price that a creator starts at is that of an offer'); END;

-- the search index: beginnings of words, without accents and case, and the facets that lists are filtered by
CREATE VIRTUAL TABLE creator_fts USING fts5(
  handle, name, bio, facets,
  content = 'creator', content_rowid = 'number',
  tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');

CREATE TRIGGER creator_found AFTER INSERT ON creator
BEGIN
  INSERT INTO creator_fts (rowid, handle, name, bio, facets)
    VALUES (NEW.number, NEW.handle, NEW.name, NEW.bio, NEW.facets);
END;

CREATE TRIGGER creator_renamed AFTER UPDATE OF handle, name, bio, facets ON creator
WHEN NEW.handle <> OLD.handle OR NEW.name <> OLD.name OR NEW.bio <> OLD.bio OR NEW.facets <> OLD.facets
BEGIN
  INSERT INTO creator_fts (creator_fts, rowid, handle, name, bio, facets)
    VALUES ('delete', OLD.number, OLD.handle, OLD.name, OLD.bio, OLD.facets);
  INSERT INTO creator_fts (rowid, handle, name, bio, facets)
    VALUES (NEW.number, NEW.handle, NEW.name, NEW.bio, NEW.facets);
END;

CREATE TRIGGER creator_identity BEFORE UPDATE OF number, id, user_id ON creator
WHEN NEW.number <> OLD.number OR NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id
BEGIN SELECT RAISE(ABORT, 'a creator stays the same person'); END;

CREATE TRIGGER creator_delete BEFORE DELETE ON creator
BEGIN SELECT RAISE(ABORT, 'a creator is never deleted: orders and the books name them'); END;

-- prices and rates never change; a price only goes off sale
CREATE TRIGGER fx_rate_update BEFORE UPDATE ON fx_rate
BEGIN SELECT RAISE(ABORT, 'a rate never changes: store a new version'); END;

CREATE TRIGGER fx_rate_delete BEFORE DELETE ON fx_rate
BEGIN SELECT RAISE(ABORT, 'a rate never changes: store a new version'); END;

CREATE TRIGGER package_update BEFORE UPDATE OF
  id, version, country, currency, platform, coins, bonus_coins, price_minor, book_currency, rate_version, created_at
ON coin_package
BEGIN SELECT RAISE(ABORT, 'a price never changes: store a new version'); END;

CREATE TRIGGER package_off_sale BEFORE UPDATE OF current ON coin_package WHEN NEW.current > OLD.current
BEGIN SELECT RAISE(ABORT, 'a price that is off sale stays so: store a new version'); END;

CREATE TRIGGER package_delete BEFORE DELETE ON coin_package
BEGIN SELECT RAISE(ABORT, 'a price never changes: store a new version'); END;

CREATE TRIGGER unit_price_update BEFORE UPDATE OF
  id, version, country, currency, platform, price_minor, per_coins, coins_min, coins_max, book_currency, rate_version,
  created_at
ON unit_price
BEGIN SELECT RAISE(ABORT, 'a price never changes: store a new version'); END;

CREATE TRIGGER unit_price_off_sale BEFORE UPDATE OF current ON unit_price WHEN NEW.current > OLD.current
BEGIN SELECT RAISE(ABORT, 'a price that is off sale stays so: store a new version'); END;

CREATE TRIGGER unit_price_delete BEFORE DELETE ON unit_price
BEGIN SELECT RAISE(ABORT, 'a price never changes: store a new version'); END;
