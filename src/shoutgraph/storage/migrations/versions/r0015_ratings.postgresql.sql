-- The guards of ratings, for PostgreSQL. A blank line ends each statement, so no body has one.

-- rating
CREATE FUNCTION rating_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.hidden <> 0 OR NOT EXISTS (
    SELECT 1 FROM orders WHERE id = NEW.order_id AND fan_id = NEW.fan_id AND creator_id = NEW.creator_id
      AND state = 'COMPLETED') THEN
    RAISE EXCEPTION 'a rating is of a completed order between these two, and begins shown'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER rating_new BEFORE INSERT ON rating FOR EACH ROW EXECUTE FUNCTION rating_new();

CREATE FUNCTION rating_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.order_id, NEW.creator_id, NEW.fan_id, NEW.created_at)
    IS DISTINCT FROM (OLD.id, OLD.order_id, OLD.creator_id, OLD.fan_id, OLD.created_at) THEN
    RAISE EXCEPTION 'a rating stays whose it is' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.revision < OLD.revision OR (NEW.stars <> OLD.stars AND NEW.revision = OLD.revision) THEN
    RAISE EXCEPTION 'each change of a rating has a revision of its own' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.hidden <> OLD.hidden AND NEW.hidden IS DISTINCT FROM (
    SELECT hidden FROM rating_decision WHERE rating_id = NEW.id ORDER BY revision DESC LIMIT 1) THEN
    RAISE EXCEPTION 'a rating is hidden and restored by a decision with its reasons' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER rating_guard BEFORE UPDATE ON rating FOR EACH ROW EXECUTE FUNCTION rating_guard();

CREATE TRIGGER rating_delete BEFORE DELETE ON rating
FOR EACH ROW EXECUTE FUNCTION refuse('a rating is hidden, not deleted');

CREATE TRIGGER rating_truncate BEFORE TRUNCATE ON rating EXECUTE FUNCTION refuse('a rating is hidden, not deleted');

-- Words are blanked, not deleted: a rating has its row of them.
CREATE TRIGGER rating_words_identity BEFORE UPDATE OF rating_id ON rating_words
FOR EACH ROW WHEN (NEW.rating_id <> OLD.rating_id) EXECUTE FUNCTION refuse('words stay with their rating');

CREATE TRIGGER rating_words_delete BEFORE DELETE ON rating_words
FOR EACH ROW EXECUTE FUNCTION refuse('words are blanked, not deleted');

CREATE TRIGGER rating_words_truncate BEFORE TRUNCATE ON rating_words
EXECUTE FUNCTION refuse('words are blanked, not deleted');

-- decisions are append-only
CREATE TRIGGER rating_decision_fixed BEFORE UPDATE OR DELETE ON rating_decision
FOR EACH ROW EXECUTE FUNCTION refuse('decisions about ratings are append-only');

CREATE TRIGGER rating_decision_truncate BEFORE TRUNCATE ON rating_decision
EXECUTE FUNCTION refuse('decisions about ratings are append-only');

-- The tally follows from the ratings that are shown, and the creator's average from the tally. The creator is held first:
-- of two processes that rate, the second one then counts on from the first.
CREATE FUNCTION rating_counted() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  was_stars bigint := 0;
  was_shown bigint := 0;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.stars = OLD.stars AND NEW.hidden = OLD.hidden THEN
      RETURN NULL;
    END IF;
    was_stars := OLD.stars;
    was_shown := 1 - OLD.hidden;
  END IF;
  PERFORM 1 FROM creator WHERE id = NEW.creator_id FOR NO KEY UPDATE;
  INSERT INTO rating_tally (creator_id, stars_1, stars_2, stars_3, stars_4, stars_5)
    VALUES (NEW.creator_id, 0, 0, 0, 0, 0) ON CONFLICT (creator_id) DO NOTHING;
  UPDATE rating_tally SET
    stars_1 = stars_1 + (NEW.stars = 1 AND NEW.hidden = 0)::int - was_shown * (was_stars = 1)::int,
    stars_2 = stars_2 + (NEW.stars = 2 AND NEW.hidden = 0)::int - was_shown * (was_stars = 2)::int,
    stars_3 = stars_3 + (NEW.stars = 3 AND NEW.hidden = 0)::int - was_shown * (was_stars = 3)::int,
    stars_4 = stars_4 + (NEW.stars = 4 AND NEW.hidden = 0)::int - was_shown * (was_stars = 4)::int,
    stars_5 = stars_5 + (NEW.stars = 5 AND NEW.hidden = 0)::int - was_shown * (was_stars = 5)::int
  WHERE creator_id = NEW.creator_id;
  UPDATE creator SET
    rating_sum = stars_1 + 2 * stars_2 + 3 * stars_3 + 4 * stars_4 + 5 * stars_5,
    rating_count = stars_1 + stars_2 + stars_3 + stars_4 + stars_5
  FROM rating_tally WHERE rating_tally.creator_id = creator.id AND creator.id = NEW.creator_id;
  RETURN NULL;
END $$;

CREATE TRIGGER rating_counted AFTER INSERT OR UPDATE OF stars, hidden ON rating
FOR EACH ROW EXECUTE FUNCTION rating_counted();

-- Nobody counts by themselves: at COMMIT, what a tally came to must be what the rows say; what it was in between is not
-- asked. Whoever changed it still holds the creator, so no other rating of theirs can come between.
CREATE FUNCTION rating_tally_law() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  kept rating_tally;
  counted rating_tally;
BEGIN
  SELECT * INTO kept FROM rating_tally WHERE creator_id = NEW.creator_id;
  IF kept IS DISTINCT FROM NEW THEN
    RETURN NULL;
  END IF;
  SELECT NEW.creator_id, count(*) FILTER (WHERE stars = 1), count(*) FILTER (WHERE stars = 2), count(*) FILTER (WHERE stars = 3),
      count(*) FILTER (WHERE stars = 4), count(*) FILTER (WHERE stars = 5)
    INTO counted FROM rating WHERE creator_id = NEW.creator_id AND hidden = 0;
  IF kept <> counted THEN
    RAISE EXCEPTION 'a tally follows from ratings' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER rating_tally_law AFTER INSERT OR UPDATE ON rating_tally
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rating_tally_law();

CREATE TRIGGER rating_tally_identity BEFORE UPDATE OF creator_id ON rating_tally
FOR EACH ROW WHEN (NEW.creator_id <> OLD.creator_id) EXECUTE FUNCTION refuse('a tally follows from ratings');

CREATE TRIGGER rating_tally_delete BEFORE DELETE ON rating_tally
FOR EACH ROW EXECUTE FUNCTION refuse('a tally follows from ratings');

CREATE TRIGGER rating_tally_truncate BEFORE TRUNCATE ON rating_tally
EXECUTE FUNCTION refuse('a tally follows from ratings');

CREATE FUNCTION creator_rated() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  stars bigint;
  ratings bigint;
BEGIN
  SELECT coalesce(sum(stars_1 + 2 * stars_2 + 3 * stars_3 + 4 * stars_4 + 5 * stars_5), 0),
      coalesce(sum(stars_1 + stars_2 + stars_3 + stars_4 + stars_5), 0)
    INTO stars, ratings FROM rating_tally WHERE creator_id = NEW.id;
  IF NEW.rating_sum <> stars OR NEW.rating_count <> ratings THEN
    RAISE EXCEPTION 'the average of a creator is that of their ratings' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER creator_rated BEFORE UPDATE OF rating_sum, rating_count ON creator
FOR EACH ROW EXECUTE FUNCTION creator_rated();

-- rights: nobody but the trigger writes tallies
GRANT SELECT ON rating, rating_words, rating_decision, rating_tally TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON rating, rating_words TO shoutgraph_app;

GRANT INSERT ON rating_decision TO shoutgraph_app;
