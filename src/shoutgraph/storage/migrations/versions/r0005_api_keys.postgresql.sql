-- The guards of API keys, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE TRIGGER api_key_fixed BEFORE UPDATE OF id, label, scopes, digest, created_at ON api_key
FOR EACH ROW EXECUTE FUNCTION refuse('an API key is only ever revoked');

CREATE TRIGGER api_key_revoked BEFORE UPDATE OF revoked_at ON api_key
FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL)
EXECUTE FUNCTION refuse('an API key is revoked once');

CREATE TRIGGER api_key_kept BEFORE DELETE ON api_key
FOR EACH ROW EXECUTE FUNCTION refuse('an API key is kept, so that its id names one tool for ever');

CREATE TRIGGER api_key_truncate BEFORE TRUNCATE ON api_key
EXECUTE FUNCTION refuse('an API key is kept, so that its id names one tool for ever');

-- rights
GRANT SELECT ON api_key TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON api_key TO shoutgraph_app;

GRANT UPDATE (revoked_at) ON api_key TO shoutgraph_app;
