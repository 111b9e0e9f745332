-- The guards of bank files and onboarding, for SQLite. A blank line ends each statement.

CREATE TRIGGER bank_file_fixed BEFORE UPDATE OF
  id, instance, direction, sha256, media_type, name, size_bytes, batch_id, made_at, made_by, body ON bank_file
BEGIN SELECT RAISE(ABORT, 'a bank file never changes'); END;

CREATE TRIGGER bank_file_settled BEFORE UPDATE OF state, summary ON bank_file
WHEN OLD.state NOT IN ('RECEIVED', 'UNREADABLE')
BEGIN SELECT RAISE(ABORT, 'what became of a bank file is said once'); END;

CREATE TRIGGER bank_file_kept BEFORE DELETE ON bank_file
BEGIN SELECT RAISE(ABORT, 'bank files are never deleted'); END;

CREATE TRIGGER payout_batch_exported BEFORE UPDATE OF exported_at, handed_over_at, answered_at ON payout_batch
WHEN (OLD.exported_at IS NOT NULL AND NEW.exported_at IS NOT OLD.exported_at)
  OR (OLD.handed_over_at IS NOT NULL AND NEW.handed_over_at IS NOT OLD.handed_over_at)
  OR (OLD.answered_at IS NOT NULL AND NEW.answered_at IS NOT OLD.answered_at)
BEGIN SELECT RAISE(ABORT, 'a batch passes each station once'); END;

CREATE TRIGGER payout_onboarding_fixed BEFORE UPDATE OF
  recipient_id, creator_id, instance, key, country, currency, created_at ON payout_onboarding
BEGIN SELECT RAISE(ABORT, 'a recipient stays the same one'); END;

CREATE TRIGGER payout_onboarding_ref_stays BEFORE UPDATE OF ref ON payout_onboarding
WHEN OLD.ref IS NOT NULL AND NEW.ref IS NOT OLD.ref
BEGIN SELECT RAISE(ABORT, 'a provider names a recipient once'); END;

CREATE TRIGGER payout_onboarding_kept BEFORE DELETE ON payout_onboarding
BEGIN SELECT RAISE(ABORT, 'recipients are never deleted'); END;
