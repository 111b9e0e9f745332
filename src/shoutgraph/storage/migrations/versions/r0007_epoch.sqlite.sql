-- The guards of epochs, for SQLite. A blank line ends each statement.

CREATE TRIGGER epoch_new BEFORE INSERT ON epoch
WHEN NEW.number <= coalesce((SELECT max(number) FROM epoch), 0)
  OR NEW.after_seq < coalesce((SELECT max(after_seq) FROM epoch), 0)
  OR NOT EXISTS (
    SELECT 1 FROM (SELECT seq, hash, at FROM event UNION ALL SELECT 0, zeroblob(32), 0) e
      WHERE e.seq = NEW.after_seq AND e.hash = NEW.after_hash AND e.at = NEW.after_at)
BEGIN SELECT RAISE(ABORT, 'an epoch follows the one before it, at a line of the journal'); END;

CREATE TRIGGER epoch_update BEFORE UPDATE ON epoch
BEGIN SELECT RAISE(ABORT, 'epochs are append-only'); END;

CREATE TRIGGER epoch_delete BEFORE DELETE ON epoch
BEGIN SELECT RAISE(ABORT, 'epochs are append-only'); END;
