-- The guards of webhooks out, for SQLite. A blank line ends each statement.

CREATE TRIGGER webhook_endpoint_identity BEFORE UPDATE OF id, created_by, created_at ON webhook_endpoint
BEGIN SELECT RAISE(ABORT, 'an endpoint stays who made it'); END;

CREATE TRIGGER webhook_endpoint_revision BEFORE UPDATE ON webhook_endpoint
WHEN NEW.revision <> OLD.revision + 1
BEGIN SELECT RAISE(ABORT, 'an endpoint goes on revision by revision'); END;

CREATE TRIGGER webhook_secret_identity BEFORE UPDATE OF endpoint_id, number, salt, digest, created_at ON webhook_secret
BEGIN SELECT RAISE(ABORT, 'a secret stays what it is made of'); END;

CREATE TRIGGER webhook_secret_ends BEFORE UPDATE ON webhook_secret
WHEN NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at
BEGIN SELECT RAISE(ABORT, 'a secret that ends is not put off'); END;

CREATE TRIGGER webhook_place_identity BEFORE UPDATE OF endpoint_id ON webhook_place
BEGIN SELECT RAISE(ABORT, 'a place stays whose it is'); END;

CREATE TRIGGER webhook_place_forward BEFORE UPDATE ON webhook_place
WHEN NEW.replays < OLD.replays OR NEW.replays > OLD.replays + 1
  OR (NEW.replays = OLD.replays AND NEW.seq < OLD.seq)
BEGIN SELECT RAISE(ABORT, 'only a replay goes back'); END;

CREATE TRIGGER webhook_delivery_identity BEFORE UPDATE OF id, endpoint_id, event_id, event_type, seq, created_at ON webhook_delivery
BEGIN SELECT RAISE(ABORT, 'a delivery stays what it is of'); END;

CREATE TRIGGER webhook_delivery_counts BEFORE UPDATE ON webhook_delivery
WHEN NEW.attempts <> OLD.attempts + 1
BEGIN SELECT RAISE(ABORT, 'attempts are counted one by one'); END;

CREATE TRIGGER webhook_attempt_fixed BEFORE UPDATE ON webhook_attempt
BEGIN SELECT RAISE(ABORT, 'an attempt never changes'); END;

CREATE TRIGGER webhook_place_told BEFORE UPDATE OF seq ON webhook_place
WHEN NEW.seq > (SELECT coalesce(max(seq), 0) FROM event)
BEGIN SELECT RAISE(ABORT, 'nobody is told of what has not happened'); END;

CREATE TRIGGER webhook_endpoint_delete BEFORE DELETE ON webhook_endpoint
BEGIN SELECT RAISE(ABORT, 'endpoints are never deleted'); END;

CREATE TRIGGER webhook_secret_delete BEFORE DELETE ON webhook_secret
BEGIN SELECT RAISE(ABORT, 'secrets are never deleted'); END;

CREATE TRIGGER webhook_place_delete BEFORE DELETE ON webhook_place
BEGIN SELECT RAISE(ABORT, 'a place is never deleted'); END;

CREATE TRIGGER webhook_endpoint_new BEFORE INSERT ON webhook_endpoint
WHEN EXISTS (SELECT 1 FROM webhook_endpoint WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an endpoint is made once'); END;

CREATE TRIGGER webhook_secret_new BEFORE INSERT ON webhook_secret
WHEN EXISTS (SELECT 1 FROM webhook_secret WHERE endpoint_id = NEW.endpoint_id AND number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'a secret is made once'); END;

CREATE TRIGGER webhook_place_new BEFORE INSERT ON webhook_place
WHEN EXISTS (SELECT 1 FROM webhook_place WHERE endpoint_id = NEW.endpoint_id)
BEGIN SELECT RAISE(ABORT, 'a place is made once'); END;

CREATE TRIGGER webhook_delivery_new BEFORE INSERT ON webhook_delivery
WHEN EXISTS (SELECT 1 FROM webhook_delivery WHERE id = NEW.id OR (endpoint_id = NEW.endpoint_id AND event_id = NEW.event_id))
BEGIN SELECT RAISE(ABORT, 'a delivery is made once'); END;

CREATE TRIGGER webhook_attempt_new BEFORE INSERT ON webhook_attempt
WHEN EXISTS (SELECT 1 FROM webhook_attempt WHERE delivery_id = NEW.delivery_id AND number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'an attempt is made once'); END;
