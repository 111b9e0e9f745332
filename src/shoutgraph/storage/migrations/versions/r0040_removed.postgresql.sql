-- The guards of recipients that were removed, for PostgreSQL. A blank line ends each statement, so no body has one.

-- who removes a recipient waits for what is on its way there, and says nothing of it any more
CREATE FUNCTION recipient_removed() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF OLD.removed_at IS NOT NULL OR NEW.ref <> '' OR EXISTS (
      SELECT 1 FROM payout WHERE creator_id = NEW.creator_id AND recipient_id = NEW.id
        AND state IN ('REQUESTED', 'HELD', 'APPROVED', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN')) THEN
    RAISE EXCEPTION 'a recipient is removed once, when nothing is on its way there' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER recipient_removed BEFORE UPDATE OF removed_at ON payout_recipient
FOR EACH ROW EXECUTE FUNCTION recipient_removed();

-- nothing goes where a creator takes no money any more
CREATE FUNCTION payout_to_removed() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM payout_recipient WHERE id = NEW.recipient_id AND removed_at IS NOT NULL) THEN
    RAISE EXCEPTION 'nothing is paid to a recipient that was removed' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER payout_to_removed BEFORE INSERT ON payout
FOR EACH ROW EXECUTE FUNCTION payout_to_removed();

GRANT UPDATE (removed_at) ON payout_recipient TO shoutgraph_app;
