-- What is removed upon a report comes back by an appeal alone, for SQLite. A blank line ends each statement.

DROP TRIGGER video_life;

CREATE TRIGGER video_life BEFORE UPDATE OF state ON video
WHEN NEW.state <> OLD.state AND OLD.state || ' ' || NEW.state NOT IN
  ('UPLOADING CHECKING', 'UPLOADING REJECTED', 'CHECKING READY', 'CHECKING REJECTED', 'READY REJECTED')
  AND NOT (OLD.state = 'REJECTED' AND NEW.state = 'READY' AND OLD.rejection_code = 'TAKEN_DOWN' AND OLD.stored = 1
    AND EXISTS (SELECT 1 FROM report WHERE subject_id = OLD.id AND state IN ('APPEALED', 'FINAL')))
BEGIN SELECT RAISE(ABORT, 'a video goes from UPLOADING to CHECKING to READY, and to REJECTED from each'); END;

DROP TRIGGER attachment_life;

CREATE TRIGGER attachment_life BEFORE UPDATE OF state ON attachment
WHEN NEW.state <> OLD.state AND OLD.state || ' ' || NEW.state NOT IN
  ('UPLOADING CHECKING', 'UPLOADING REJECTED', 'CHECKING READY', 'CHECKING REJECTED', 'READY REJECTED')
  AND NOT (OLD.state = 'REJECTED' AND NEW.state = 'READY' AND OLD.rejection_code = 'TAKEN_DOWN' AND OLD.stored = 1
    AND EXISTS (SELECT 1 FROM report WHERE subject_id = OLD.id AND state IN ('APPEALED', 'FINAL')))
BEGIN SELECT RAISE(ABORT, 'an attachment lives as a video does'); END;

DROP TRIGGER sample_down;

CREATE TRIGGER sample_down BEFORE UPDATE OF state ON sample
WHEN OLD.state = 'TAKEN_DOWN' AND NEW.state <> OLD.state
  AND NOT EXISTS (SELECT 1 FROM report WHERE subject_id = OLD.id AND state IN ('APPEALED', 'FINAL'))
BEGIN SELECT RAISE(ABORT, 'what was taken down stays down'); END;

CREATE TRIGGER gift_hidden BEFORE UPDATE OF hidden ON gift
WHEN NEW.hidden <> OLD.hidden AND NOT EXISTS (SELECT 1 FROM report WHERE subject_id = OLD.id
  AND (NEW.hidden = 1 OR state IN ('APPEALED', 'FINAL')))
BEGIN SELECT RAISE(ABORT, 'a message is hidden upon a report, and shown by its appeal'); END;
