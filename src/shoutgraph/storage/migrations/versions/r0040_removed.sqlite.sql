-- The guards of recipients that were removed, for SQLite. A blank line ends each statement.

-- who removes a recipient waits for what is on its way there, and says nothing of it any more
CREATE TRIGGER recipient_removed BEFORE UPDATE OF removed_at ON payout_recipient
WHEN OLD.removed_at IS NOT NULL OR NEW.ref <> '' OR EXISTS (
  SELECT 1 FROM payout WHERE creator_id = NEW.creator_id AND recipient_id = NEW.id
    AND state IN ('REQUESTED', 'HELD', 'APPROVED', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN'))
BEGIN SELECT RAISE(ABORT, 'a recipient is removed once, when nothing is on its way there'); END;

-- nothing goes where a creator takes no money any more
CREATE TRIGGER payout_to_removed BEFORE INSERT ON payout
WHEN EXISTS (SELECT 1 FROM payout_recipient WHERE id = NEW.recipient_id AND removed_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'nothing is paid to a recipient that was removed'); END;
