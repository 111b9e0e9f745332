-- The guards of people's own limits, for SQLite. A blank line ends each statement.

-- what somebody set to guard themselves is made longer, never shorter
CREATE TRIGGER spending_guard_lasts BEFORE UPDATE ON spending_guard
WHEN OLD.excluded_until > coalesce(NEW.excluded_until, 0) OR OLD.paused_until > coalesce(NEW.paused_until, 0)
BEGIN SELECT RAISE(ABORT, 'a pause is made longer, never shorter'); END;

CREATE TRIGGER spending_guard_goes_on BEFORE UPDATE ON spending_guard
WHEN NEW.user_id <> OLD.user_id OR NEW.revision <= OLD.revision
BEGIN SELECT RAISE(ABORT, 'a guard goes on by revisions, and stays whose it is'); END;

CREATE TRIGGER spending_guard_delete BEFORE DELETE ON spending_guard
BEGIN SELECT RAISE(ABORT, 'a guard is never deleted'); END;
