-- The guards of ratings, for SQLite. A blank line ends each statement.

-- rating
CREATE TRIGGER rating_new BEFORE INSERT ON rating
WHEN EXISTS (SELECT 1 FROM rating WHERE id = NEW.id OR order_id = NEW.order_id)
BEGIN SELECT RAISE(ABORT, 'an order is rated once'); END;

CREATE TRIGGER rating_of_order BEFORE INSERT ON rating
WHEN NEW.hidden <> 0 OR NOT EXISTS (
  SELECT 1 FROM orders WHERE id = NEW.order_id AND fan_id = NEW.fan_id AND creator_id = NEW.creator_id
    AND state = 'COMPLETED')
BEGIN SELECT RAISE(ABORT, 'a rating is of a completed order between these two, and begins shown'); END;

CREATE TRIGGER rating_identity BEFORE UPDATE OF id, order_id, creator_id, fan_id, created_at ON rating
WHEN NEW.id <> OLD.id OR NEW.order_id <> OLD.order_id OR NEW.creator_id <> OLD.creator_id OR NEW.fan_id <> OLD.fan_id
  OR NEW.created_at <> OLD.created_at
BEGIN SELECT RAISE(ABORT, 'a rating stays whose it is'); END;

CREATE TRIGGER rating_revision BEFORE UPDATE OF revision, stars ON rating
WHEN NEW.revision < OLD.revision OR (NEW.stars <> OLD.stars AND NEW.revision = OLD.revision)
BEGIN SELECT RAISE(ABORT, 'each change of a rating has a revision of its own'); END;

CREATE TRIGGER rating_decided BEFORE UPDATE OF hidden ON rating
WHEN NEW.hidden <> OLD.hidden AND NEW.hidden IS NOT (
  SELECT hidden FROM rating_decision WHERE rating_id = NEW.id ORDER BY revision DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'a rating is hidden and restored by a decision with its reasons'); END;

CREATE TRIGGER rating_delete BEFORE DELETE ON rating
BEGIN SELECT RAISE(ABORT, 'a rating is hidden, not deleted'); END;

-- Words are blanked, not deleted: a rating has its row of them.
CREATE TRIGGER rating_words_new BEFORE INSERT ON rating_words
WHEN EXISTS (SELECT 1 FROM rating_words WHERE rating_id = NEW.rating_id)
BEGIN SELECT RAISE(ABORT, 'a rating has one row of words'); END;

CREATE TRIGGER rating_words_identity BEFORE UPDATE OF rating_id ON rating_words
WHEN NEW.rating_id <> OLD.rating_id
BEGIN SELECT RAISE(ABORT, 'words stay with their rating'); END;

CREATE TRIGGER rating_words_delete BEFORE DELETE ON rating_words
BEGIN SELECT RAISE(ABORT, 'words are blanked, not deleted'); END;

-- decisions are append-only
CREATE TRIGGER rating_decision_new BEFORE INSERT ON rating_decision
WHEN EXISTS (SELECT 1 FROM rating_decision WHERE rating_id = NEW.rating_id AND revision = NEW.revision)
BEGIN SELECT RAISE(ABORT, 'decisions about ratings are append-only'); END;

CREATE TRIGGER rating_decision_update BEFORE UPDATE ON rating_decision
BEGIN SELECT RAISE(ABORT, 'decisions about ratings are append-only'); END;

CREATE TRIGGER rating_decision_delete BEFORE DELETE ON rating_decision
BEGIN SELECT RAISE(ABORT, 'decisions about ratings are append-only'); END;

-- The tally follows from the ratings that are shown, and the creator's average from the tally.
CREATE TRIGGER rating_counted AFTER INSERT ON rating
BEGIN
  INSERT INTO rating_tally (creator_id, stars_1, stars_2, stars_3, stars_4, stars_5)
    SELECT NEW.creator_id, 0, 0, 0, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM rating_tally WHERE creator_id = NEW.creator_id);
  UPDATE rating_tally SET
    stars_1 = stars_1 + (NEW.stars = 1),
    stars_2 = stars_2 + (NEW.stars = 2),
    stars_3 = stars_3 + (NEW.stars = 3),
    stars_4 = stars_4 + (NEW.stars = 4),
    stars_5 = stars_5 + (NEW.stars = 5)
  WHERE creator_id = NEW.creator_id;
END;

CREATE TRIGGER rating_recounted AFTER UPDATE OF stars, hidden ON rating
WHEN NEW.stars <> OLD.stars OR NEW.hidden <> OLD.hidden
BEGIN
  UPDATE rating_tally SET
    stars_1 = stars_1 + (NEW.stars = 1 AND NEW.hidden = 0) - (OLD.stars = 1 AND OLD.hidden = 0),
    stars_2 = stars_2 + (NEW.stars = 2 AND NEW.hidden = 0) - (OLD.stars = 2 AND OLD.hidden = 0),
    stars_3 = stars_3 + (NEW.stars = 3 AND NEW.hidden = 0) - (OLD.stars = 3 AND OLD.hidden = 0),
    stars_4 = stars_4 + (NEW.stars = 4 AND NEW.hidden = 0) - (OLD.stars = 4 AND OLD.hidden = 0),
    stars_5 = stars_5 + (NEW.stars = 5 AND NEW.hidden = 0) - (OLD.stars = 5 AND OLD.hidden = 0)
  WHERE creator_id = NEW.creator_id;
END;

CREATE TRIGGER rating_averaged AFTER UPDATE ON rating_tally
BEGIN
  UPDATE creator SET
    rating_sum = NEW.stars_1 + 2 * NEW.stars_2 + 3 * NEW.stars_3 + 4 * NEW.stars_4 + 5 * NEW.stars_5,
    rating_count = NEW.stars_1 + NEW.stars_2 + NEW.stars_3 + NEW.stars_4 + NEW.stars_5
  WHERE id = NEW.creator_id;
END;

-- Nobody counts by themselves: what changes must be what the rows say.
CREATE TRIGGER rating_tally_new BEFORE INSERT ON rating_tally
WHEN NEW.stars_1 + NEW.stars_2 + NEW.stars_3 + NEW.stars_4 + NEW.stars_5 <> 0
  OR EXISTS (SELECT 1 FROM rating_tally WHERE creator_id = NEW.creator_id)
BEGIN SELECT RAISE(ABORT, 'a tally follows from ratings'); END;

CREATE TRIGGER rating_tally_law BEFORE UPDATE ON rating_tally
WHEN NEW.creator_id <> OLD.creator_id
  OR (NEW.stars_1 <> OLD.stars_1 AND NEW.stars_1 <>
    (SELECT count(*) FROM rating WHERE creator_id = NEW.creator_id AND hidden = 0 AND stars = 1))
  OR (NEW.stars_2 <> OLD.stars_2 AND NEW.stars_2 <>
    (SELECT count(*) FROM rating WHERE creator_id = NEW.creator_id AND hidden = 0 AND stars = 2))
  OR (NEW.stars_3 <> OLD.stars_3 AND NEW.stars_3 <>
    (SELECT count(*) FROM rating WHERE creator_id = NEW.creator_id AND hidden = 0 AND stars = 3))
  OR (NEW.stars_4 <> OLD.stars_4 AND NEW.stars_4 <>
    (SELECT count(*) FROM rating WHERE creator_id = NEW.creator_id AND hidden = 0 AND stars = 4))
  OR (NEW.stars_5 <> OLD.stars_5 AND NEW.stars_5 <>
    (SELECT count(*) FROM rating WHERE creator_id = NEW.creator_id AND hidden = 0 AND stars = 5))
BEGIN SELECT RAISE(ABORT, 'a tally follows from ratings'); END;

CREATE TRIGGER rating_tally_delete BEFORE DELETE ON rating_tally
BEGIN SELECT RAISE(ABORT, 'a tally follows from ratings'); END;

CREATE TRIGGER creator_rated BEFORE UPDATE OF rating_sum, rating_count ON creator
WHEN NEW.rating_sum <> coalesce((
    SELECT stars_1 + 2 * stars_2 + 3 * stars_3 + 4 * stars_4 + 5 * stars_5 FROM rating_tally WHERE creator_id = OLD.id), 0)
  OR NEW.rating_count <> coalesce((
    SELECT stars_1 + stars_2 + stars_3 + stars_4 + stars_5 FROM rating_tally WHERE creator_id = OLD.id), 0)
BEGIN SELECT RAISE(ABORT, 'the average of a creator is that of their ratings'); END;
