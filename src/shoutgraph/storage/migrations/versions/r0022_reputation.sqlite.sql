-- The guards of reputations and of delivered videos, for SQLite. A blank line ends each statement.

-- how far the journal is counted
CREATE TRIGGER fold_new BEFORE INSERT ON fold
WHEN NEW.seq > (SELECT coalesce(max(seq), 0) FROM event) OR EXISTS (SELECT 1 FROM fold WHERE name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'a fold counts lines that there are, each once'); END;

CREATE TRIGGER fold_on BEFORE UPDATE ON fold
WHEN NEW.name <> OLD.name OR NEW.seq < OLD.seq OR NEW.seq > (SELECT coalesce(max(seq), 0) FROM event)
BEGIN SELECT RAISE(ABORT, 'a fold counts lines that there are, each once'); END;

CREATE TRIGGER fold_delete BEFORE DELETE ON fold
BEGIN SELECT RAISE(ABORT, 'a fold counts lines that there are, each once'); END;

-- a creator's days
CREATE TRIGGER reputation_day_identity BEFORE UPDATE OF creator_id, day ON reputation_day
WHEN NEW.creator_id <> OLD.creator_id OR NEW.day <> OLD.day
BEGIN SELECT RAISE(ABORT, 'a day stays the day of its creator'); END;

-- what a window comes to is the sum of its days
CREATE TRIGGER reputation_new BEFORE INSERT ON reputation
WHEN 0
  OR NEW.accepted <> (SELECT coalesce(sum(accepted), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.declined <> (SELECT coalesce(sum(declined), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.unanswered <> (SELECT coalesce(sum(unanswered), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.waited_s <> (SELECT coalesce(sum(waited_s), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.delivered <> (SELECT coalesce(sum(delivered), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.late <> (SELECT coalesce(sum(late), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.overdue <> (SELECT coalesce(sum(overdue), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.withdrawn <> (SELECT coalesce(sum(withdrawn), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.refused <> (SELECT coalesce(sum(refused), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.redone <> (SELECT coalesce(sum(redone), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.completed <> (SELECT coalesce(sum(completed), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.refunded <> (SELECT coalesce(sum(refunded), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
BEGIN SELECT RAISE(ABORT, 'a reputation is the sum of its days'); END;

CREATE TRIGGER reputation_sum BEFORE UPDATE ON reputation
WHEN NEW.creator_id <> OLD.creator_id
  OR NEW.accepted <> (SELECT coalesce(sum(accepted), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.declined <> (SELECT coalesce(sum(declined), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.unanswered <> (SELECT coalesce(sum(unanswered), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.waited_s <> (SELECT coalesce(sum(waited_s), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.delivered <> (SELECT coalesce(sum(delivered), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.late <> (SELECT coalesce(sum(late), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.overdue <> (SELECT coalesce(sum(overdue), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.withdrawn <> (SELECT coalesce(sum(withdrawn), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.refused <> (SELECT coalesce(sum(refused), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.redone <> (SELECT coalesce(sum(redone), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.completed <> (SELECT coalesce(sum(completed), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
  OR NEW.refunded <> (SELECT coalesce(sum(refunded), 0) FROM reputation_day
    WHERE creator_id = NEW.creator_id AND day BETWEEN NEW.since AND NEW.until)
BEGIN SELECT RAISE(ABORT, 'a reputation is the sum of its days'); END;

CREATE TRIGGER reputation_delete BEFORE DELETE ON reputation
BEGIN SELECT RAISE(ABORT, 'a reputation is the sum of its days'); END;

-- what lists sort and filter by is what the reputation says
CREATE TRIGGER creator_judged BEFORE UPDATE OF response_sort_s, badges ON creator
WHEN (NEW.response_sort_s <> OLD.response_sort_s OR NEW.badges <> OLD.badges) AND NOT EXISTS (
  SELECT 1 FROM reputation WHERE creator_id = OLD.id AND response_sort_s = NEW.response_sort_s AND badges = NEW.badges)
BEGIN SELECT RAISE(ABORT, 'what a creator is known for is their reputation'); END;

-- a delivered video stays what it is; its copy is made once, or never
CREATE TRIGGER delivered_new BEFORE INSERT ON delivered_video
WHEN EXISTS (SELECT 1 FROM delivered_video WHERE video_id = NEW.video_id OR manifest_id = NEW.manifest_id)
BEGIN SELECT RAISE(ABORT, 'a video is delivered once'); END;

CREATE TRIGGER delivered_of_video BEFORE INSERT ON delivered_video
WHEN NOT EXISTS (
  SELECT 1 FROM video WHERE id = NEW.video_id AND creator_id = NEW.creator_id AND sha256 = NEW.sha256
    AND duration_ms = NEW.duration_ms)
BEGIN SELECT RAISE(ABORT, 'a delivered video is what was measured'); END;

CREATE TRIGGER delivered_facts BEFORE UPDATE ON delivered_video
WHEN NEW.video_id <> OLD.video_id OR NEW.manifest_id <> OLD.manifest_id OR NEW.creator_id <> OLD.creator_id
  OR NEW.sha256 <> OLD.sha256 OR NEW.duration_ms <> OLD.duration_ms OR NEW.day <> OLD.day
  OR (OLD.mark <> 'WAITING' AND (NEW.mark <> OLD.mark OR NEW.marked_sha256 IS NOT OLD.marked_sha256
    OR NEW.marked_bytes IS NOT OLD.marked_bytes))
BEGIN SELECT RAISE(ABORT, 'a delivered video stays what it is'); END;

CREATE TRIGGER delivered_delete BEFORE DELETE ON delivered_video
BEGIN SELECT RAISE(ABORT, 'a delivered video stays what it is'); END;
