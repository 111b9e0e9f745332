-- The guards of briefs, evidence and samples, for SQLite. A blank line ends each statement.

-- cut: what was ticked belongs to one video of one order
CREATE TRIGGER cut_identity BEFORE UPDATE OF video_id, order_id ON cut
WHEN NEW.video_id <> OLD.video_id OR NEW.order_id <> OLD.order_id
BEGIN SELECT RAISE(ABORT, 'ticks stay with their video'); END;

CREATE TRIGGER cut_delete BEFORE DELETE ON cut
BEGIN SELECT RAISE(ABORT, 'ticks are not deleted'); END;

-- dispute_statement: what a side said stays as it was said, or is erased
CREATE TRIGGER dispute_statement_fixed BEFORE UPDATE ON dispute_statement
BEGIN SELECT RAISE(ABORT, 'a statement stays as it was said'); END;

-- attachment: a file of a side of an order, used once
CREATE TRIGGER attachment_new BEFORE INSERT ON attachment
WHEN EXISTS (SELECT 1 FROM attachment WHERE id = NEW.id) OR NOT EXISTS (
  SELECT 1 FROM orders o WHERE o.id = NEW.order_id AND CASE NEW.side WHEN 'FAN' THEN o.fan_id = NEW.uploader_id
    ELSE EXISTS (SELECT 1 FROM creator c WHERE c.id = o.creator_id AND c.user_id = NEW.uploader_id) END)
BEGIN SELECT RAISE(ABORT, 'an attachment is by a side of its order'); END;

CREATE TRIGGER attachment_identity BEFORE UPDATE OF id, order_id, purpose, uploader_id, side, size_bytes, size_bytes_max,
  duration_max_s ON attachment
WHEN NEW.id <> OLD.id OR NEW.order_id <> OLD.order_id OR NEW.purpose <> OLD.purpose OR NEW.uploader_id <> OLD.uploader_id
  OR NEW.side <> OLD.side OR NEW.size_bytes <> OLD.size_bytes OR NEW.size_bytes_max <> OLD.size_bytes_max
  OR NEW.duration_max_s <> OLD.duration_max_s
BEGIN SELECT RAISE(ABORT, 'an attachment stays its order''s, with the limits it was opened for'); END;

CREATE TRIGGER attachment_life BEFORE UPDATE OF state ON attachment
WHEN NEW.state <> OLD.state AND OLD.state || ' ' || NEW.state NOT IN
  ('UPLOADING CHECKING', 'UPLOADING REJECTED', 'CHECKING READY', 'CHECKING REJECTED', 'READY REJECTED')
BEGIN SELECT RAISE(ABORT, 'an attachment lives as a video does'); END;

CREATE TRIGGER attachment_digest BEFORE UPDATE OF sha256 ON attachment
WHEN OLD.state = 'READY' AND NEW.state = 'READY' AND NEW.sha256 IS NOT OLD.sha256
BEGIN SELECT RAISE(ABORT, 'a checked attachment keeps its digest'); END;

CREATE TRIGGER attachment_used BEFORE UPDATE OF used_revision ON attachment
WHEN NEW.used_revision IS NOT OLD.used_revision AND (OLD.used_revision IS NOT NULL OR OLD.state <> 'READY')
BEGIN SELECT RAISE(ABORT, 'an attachment is used once, when it is ready'); END;

CREATE TRIGGER attachment_delete BEFORE DELETE ON attachment
BEGIN SELECT RAISE(ABORT, 'an attachment is taken away, not deleted'); END;

-- sample: what shows is a completed order's video that its fan agrees to show; what staff took down stays down
CREATE TRIGGER sample_new BEFORE INSERT ON sample
WHEN EXISTS (SELECT 1 FROM sample WHERE id = NEW.id OR order_id = NEW.order_id) OR (NEW.state = 'SHOWN' AND NOT EXISTS (
  SELECT 1 FROM orders o JOIN brief b ON b.order_id = o.id
  WHERE o.id = NEW.order_id AND o.creator_id = NEW.creator_id AND o.passed_video_id = NEW.video_id
    AND o.state = 'COMPLETED' AND json_extract(b.body, '$.visibility') = 'PUBLIC'))
BEGIN SELECT RAISE(ABORT, 'a sample is the video of a completed order whose fan agrees'); END;

CREATE TRIGGER sample_shown_again BEFORE UPDATE ON sample
WHEN NEW.state = 'SHOWN' AND NOT EXISTS (
  SELECT 1 FROM orders o JOIN brief b ON b.order_id = o.id
  WHERE o.id = NEW.order_id AND o.creator_id = NEW.creator_id AND o.passed_video_id = NEW.video_id
    AND o.state = 'COMPLETED' AND json_extract(b.body, '$.visibility') = 'PUBLIC')
BEGIN SELECT RAISE(ABORT, 'a sample is the video of a completed order whose fan agrees'); END;

CREATE TRIGGER sample_identity BEFORE UPDATE OF id, order_id, creator_id ON sample
WHEN NEW.id <> OLD.id OR NEW.order_id <> OLD.order_id OR NEW.creator_id <> OLD.creator_id
BEGIN SELECT RAISE(ABORT, 'a sample stays its order''s'); END;

CREATE TRIGGER sample_down BEFORE UPDATE OF state ON sample
WHEN OLD.state = 'TAKEN_DOWN' AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'what was taken down stays down'); END;

CREATE TRIGGER sample_delete BEFORE DELETE ON sample
BEGIN SELECT RAISE(ABORT, 'a sample is taken away, not deleted'); END;

CREATE TRIGGER brief_consent BEFORE UPDATE OF body ON brief
WHEN json_extract(NEW.body, '$.visibility') IS NOT 'PUBLIC'
  AND EXISTS (SELECT 1 FROM sample WHERE order_id = OLD.order_id AND state = 'SHOWN')
BEGIN SELECT RAISE(ABORT, 'a sample goes before its fan''s consent'); END;

CREATE TRIGGER brief_delete BEFORE DELETE ON brief
WHEN EXISTS (SELECT 1 FROM sample WHERE order_id = OLD.order_id AND state = 'SHOWN')
BEGIN SELECT RAISE(ABORT, 'a sample goes before its fan''s consent'); END;
