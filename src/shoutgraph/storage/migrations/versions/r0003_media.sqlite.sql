-- The guards of videos, for SQLite. A blank line ends each statement.

CREATE TRIGGER video_identity BEFORE UPDATE OF id, order_id, creator_id, size_bytes, size_bytes_max, duration_max_s ON video
WHEN NEW.id <> OLD.id OR NEW.order_id <> OLD.order_id OR NEW.creator_id <> OLD.creator_id
  OR NEW.size_bytes <> OLD.size_bytes OR NEW.size_bytes_max <> OLD.size_bytes_max
  OR NEW.duration_max_s <> OLD.duration_max_s
BEGIN SELECT RAISE(ABORT, 'a video stays its order''s, with the limits it was opened for'); END;

-- what was delivered is what was checked
CREATE TRIGGER video_digest BEFORE UPDATE OF sha256 ON video
WHEN OLD.sha256 IS NOT NULL AND NEW.sha256 IS NOT OLD.sha256
BEGIN SELECT RAISE(ABORT, 'a checked video keeps its digest'); END;

CREATE TRIGGER video_life BEFORE UPDATE OF state ON video
WHEN NEW.state <> OLD.state AND OLD.state || ' ' || NEW.state NOT IN
  ('UPLOADING CHECKING', 'UPLOADING REJECTED', 'CHECKING READY', 'CHECKING REJECTED', 'READY REJECTED')
BEGIN SELECT RAISE(ABORT, 'a video goes from UPLOADING to CHECKING to READY, and to REJECTED from each'); END;
