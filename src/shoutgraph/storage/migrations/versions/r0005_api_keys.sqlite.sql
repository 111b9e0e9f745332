-- The guards of API keys, for SQLite. A blank line ends each statement.

CREATE TRIGGER api_key_fixed BEFORE UPDATE OF id, label, scopes, digest, created_at ON api_key
BEGIN SELECT RAISE(ABORT, 'an API key is only ever revoked'); END;

CREATE TRIGGER api_key_revoked BEFORE UPDATE OF revoked_at ON api_key
WHEN OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL
BEGIN SELECT RAISE(ABORT, 'an API key is revoked once'); END;

CREATE TRIGGER api_key_kept BEFORE DELETE ON api_key
BEGIN SELECT RAISE(ABORT, 'an API key is kept, so that its id names one tool for ever'); END;
