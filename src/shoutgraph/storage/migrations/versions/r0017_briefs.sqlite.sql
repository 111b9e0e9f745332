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
