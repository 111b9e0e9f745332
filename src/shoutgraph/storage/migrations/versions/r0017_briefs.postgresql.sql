-- The guards of briefs, evidence and samples, for PostgreSQL. A blank line ends each statement, so no body has one.

-- cut: what was ticked belongs to one video of one order
CREATE TRIGGER cut_identity BEFORE UPDATE OF video_id, order_id ON cut
FOR EACH ROW WHEN (NEW.video_id <> OLD.video_id OR NEW.order_id <> OLD.order_id)
EXECUTE FUNCTION refuse('ticks stay with their video');

CREATE TRIGGER cut_delete BEFORE DELETE ON cut FOR EACH ROW EXECUTE FUNCTION refuse('ticks are not deleted');

CREATE TRIGGER cut_truncate BEFORE TRUNCATE ON cut EXECUTE FUNCTION refuse('ticks are not deleted');

-- dispute_statement: what a side said stays as it was said, or is erased
CREATE TRIGGER dispute_statement_fixed BEFORE UPDATE ON dispute_statement
FOR EACH ROW EXECUTE FUNCTION refuse('a statement stays as it was said');

CREATE TRIGGER dispute_statement_truncate BEFORE TRUNCATE ON dispute_statement
EXECUTE FUNCTION refuse('a statement stays as it was said');

-- rights
GRANT SELECT ON cut TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON cut TO shoutgraph_app;

GRANT DELETE ON dispute_statement TO shoutgraph_app;
