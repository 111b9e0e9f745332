-- The guards of bank files and onboarding, for PostgreSQL. A blank line ends each statement, so no body has one.

-- what a file is
CREATE TRIGGER bank_file_fixed BEFORE UPDATE OF
  id, instance, direction, sha256, media_type, name, size_bytes, batch_id, made_at, made_by, body ON bank_file
FOR EACH ROW EXECUTE FUNCTION refuse('a bank file never changes');

CREATE TRIGGER bank_file_settled BEFORE UPDATE OF state, summary ON bank_file
FOR EACH ROW WHEN (OLD.state NOT IN ('RECEIVED', 'UNREADABLE')) EXECUTE FUNCTION refuse('what became of a bank file is said once');

CREATE TRIGGER bank_file_kept BEFORE DELETE ON bank_file
FOR EACH ROW EXECUTE FUNCTION refuse('bank files are never deleted');

CREATE TRIGGER bank_file_truncate BEFORE TRUNCATE ON bank_file EXECUTE FUNCTION refuse('bank files are never deleted');

CREATE TRIGGER payout_batch_exported BEFORE UPDATE OF exported_at, handed_over_at, answered_at ON payout_batch
FOR EACH ROW WHEN ((OLD.exported_at IS NOT NULL AND NEW.exported_at IS DISTINCT FROM OLD.exported_at)
  OR (OLD.handed_over_at IS NOT NULL AND NEW.handed_over_at IS DISTINCT FROM OLD.handed_over_at)
  OR (OLD.answered_at IS NOT NULL AND NEW.answered_at IS DISTINCT FROM OLD.answered_at))
EXECUTE FUNCTION refuse('a batch passes each station once');

CREATE TRIGGER payout_onboarding_fixed BEFORE UPDATE OF
  recipient_id, creator_id, instance, key, country, currency, created_at ON payout_onboarding
FOR EACH ROW EXECUTE FUNCTION refuse('a recipient stays the same one');

CREATE TRIGGER payout_onboarding_ref_stays BEFORE UPDATE OF ref ON payout_onboarding
FOR EACH ROW WHEN (OLD.ref IS NOT NULL AND NEW.ref IS DISTINCT FROM OLD.ref)
EXECUTE FUNCTION refuse('a provider names a recipient once');

CREATE TRIGGER payout_onboarding_kept BEFORE DELETE ON payout_onboarding
FOR EACH ROW EXECUTE FUNCTION refuse('recipients are never deleted');

CREATE TRIGGER payout_onboarding_truncate BEFORE TRUNCATE ON payout_onboarding
EXECUTE FUNCTION refuse('recipients are never deleted');

-- rights: what recipients tell their provider, and the accounts that stand in files, are personal; reports do not see them
GRANT SELECT ON bank_file, payout_onboarding TO shoutgraph_app;

GRANT SELECT (id, instance, direction, sha256, media_type, name, size_bytes, batch_id, made_at, made_by, state, summary)
ON bank_file TO shoutgraph_report;

GRANT SELECT (recipient_id, creator_id, instance, key, country, currency, created_at, updated_at, state, revision, ref,
  code, expires_at, look_at, looks, leased_until)
ON payout_onboarding TO shoutgraph_report;

GRANT INSERT, UPDATE ON bank_file, payout_onboarding TO shoutgraph_app;
