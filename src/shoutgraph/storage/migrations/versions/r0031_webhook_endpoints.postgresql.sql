-- The guards of webhooks out, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE TRIGGER webhook_endpoint_identity BEFORE UPDATE OF id, created_by, created_at ON webhook_endpoint
FOR EACH ROW EXECUTE FUNCTION refuse('an endpoint stays who made it');

CREATE TRIGGER webhook_endpoint_revision BEFORE UPDATE ON webhook_endpoint
FOR EACH ROW WHEN (NEW.revision <> OLD.revision + 1) EXECUTE FUNCTION refuse('an endpoint goes on revision by revision');

CREATE TRIGGER webhook_secret_identity BEFORE UPDATE OF endpoint_id, number, salt, digest, created_at ON webhook_secret
FOR EACH ROW EXECUTE FUNCTION refuse('a secret stays what it is made of');

CREATE TRIGGER webhook_secret_ends BEFORE UPDATE ON webhook_secret
FOR EACH ROW WHEN (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at) EXECUTE FUNCTION refuse('a secret that ends is not put off');

CREATE TRIGGER webhook_place_identity BEFORE UPDATE OF endpoint_id ON webhook_place
FOR EACH ROW EXECUTE FUNCTION refuse('a place stays whose it is');

CREATE TRIGGER webhook_place_forward BEFORE UPDATE ON webhook_place
FOR EACH ROW WHEN (NEW.replays < OLD.replays OR NEW.replays > OLD.replays + 1
  OR (NEW.replays = OLD.replays AND NEW.seq < OLD.seq)) EXECUTE FUNCTION refuse('only a replay goes back');

CREATE TRIGGER webhook_delivery_identity BEFORE UPDATE OF id, endpoint_id, event_id, event_type, seq, created_at ON webhook_delivery
FOR EACH ROW EXECUTE FUNCTION refuse('a delivery stays what it is of');

CREATE TRIGGER webhook_delivery_counts BEFORE UPDATE ON webhook_delivery
FOR EACH ROW WHEN (NEW.attempts <> OLD.attempts + 1) EXECUTE FUNCTION refuse('attempts are counted one by one');

CREATE TRIGGER webhook_attempt_fixed BEFORE UPDATE ON webhook_attempt
FOR EACH ROW EXECUTE FUNCTION refuse('an attempt never changes');

CREATE FUNCTION webhook_place_told() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.seq > (SELECT coalesce(max(seq), 0) FROM event) THEN
    RAISE EXCEPTION 'nobody is told of what has not happened' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER webhook_place_told BEFORE UPDATE OF seq ON webhook_place
FOR EACH ROW EXECUTE FUNCTION webhook_place_told();

CREATE TRIGGER webhook_endpoint_delete BEFORE DELETE ON webhook_endpoint
FOR EACH ROW EXECUTE FUNCTION refuse('endpoints are never deleted');

CREATE TRIGGER webhook_endpoint_truncate BEFORE TRUNCATE ON webhook_endpoint EXECUTE FUNCTION refuse('endpoints are never deleted');

CREATE TRIGGER webhook_secret_delete BEFORE DELETE ON webhook_secret
FOR EACH ROW EXECUTE FUNCTION refuse('secrets are never deleted');

CREATE TRIGGER webhook_secret_truncate BEFORE TRUNCATE ON webhook_secret EXECUTE FUNCTION refuse('secrets are never deleted');

CREATE TRIGGER webhook_place_delete BEFORE DELETE ON webhook_place
FOR EACH ROW EXECUTE FUNCTION refuse('a place is never deleted');

CREATE TRIGGER webhook_place_truncate BEFORE TRUNCATE ON webhook_place EXECUTE FUNCTION refuse('a place is never deleted');

CREATE TRIGGER webhook_delivery_truncate BEFORE TRUNCATE ON webhook_delivery EXECUTE FUNCTION refuse('what was sent is forgotten by its age');

CREATE TRIGGER webhook_attempt_truncate BEFORE TRUNCATE ON webhook_attempt EXECUTE FUNCTION refuse('what was sent is forgotten by its age');

-- rights
GRANT SELECT ON webhook_endpoint, webhook_secret, webhook_place, webhook_delivery, webhook_attempt TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON webhook_endpoint, webhook_secret, webhook_place, webhook_delivery, webhook_attempt TO shoutgraph_app;

GRANT UPDATE (revision, url, label, event_types, state, reason, changed_at) ON webhook_endpoint TO shoutgraph_app;

GRANT UPDATE (expires_at) ON webhook_secret TO shoutgraph_app;

GRANT UPDATE ON webhook_place TO shoutgraph_app;

GRANT UPDATE (state, attempts, changed_at) ON webhook_delivery TO shoutgraph_app;

GRANT DELETE ON webhook_delivery, webhook_attempt TO shoutgraph_app;
