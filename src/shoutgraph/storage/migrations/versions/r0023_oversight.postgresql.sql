-- The guards of the audit trail, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE TRIGGER audit_fixed BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION refuse('the audit trail is append-only');

CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON audit EXECUTE FUNCTION refuse('the audit trail is append-only');

CREATE TRIGGER audit_words_blanked BEFORE UPDATE ON audit_words
FOR EACH ROW WHEN (NEW.words IS NOT NULL OR NEW.audit_id <> OLD.audit_id)
EXECUTE FUNCTION refuse('words of an act are blanked, not changed');

CREATE TRIGGER audit_words_delete BEFORE DELETE ON audit_words
FOR EACH ROW EXECUTE FUNCTION refuse('words of an act are blanked, not changed');

CREATE TRIGGER audit_words_truncate BEFORE TRUNCATE ON audit_words
EXECUTE FUNCTION refuse('words of an act are blanked, not changed');

GRANT SELECT ON audit, audit_words TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON audit TO shoutgraph_app;

GRANT INSERT, UPDATE ON audit_words TO shoutgraph_app;

-- words and payloads can be blanked when a person is erased
CREATE OR REPLACE FUNCTION gift_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  words text[] := '{thanked_at,thanks,message,live_session}';
BEGIN
  IF to_jsonb(NEW) - words <> to_jsonb(OLD) - words
    OR (NEW.message IS DISTINCT FROM OLD.message AND NEW.message IS NOT NULL)
    OR (NEW.live_session IS DISTINCT FROM OLD.live_session AND NEW.live_session IS NOT NULL) THEN
    RAISE EXCEPTION 'what was given never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.thanked_at IS NOT NULL AND (NEW.thanked_at IS DISTINCT FROM OLD.thanked_at
    OR (NEW.thanks IS DISTINCT FROM OLD.thanks AND NEW.thanks IS NOT NULL)) THEN
    RAISE EXCEPTION 'a giver is thanked once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION topup_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.user_id, NEW.instance, NEW.package_id, NEW.coins, NEW.bonus_coins, NEW.price_minor, NEW.currency,
      NEW.book_units, NEW.country, NEW.platform, NEW.created_at, NEW.first_sent_at)
    IS DISTINCT FROM
      (OLD.id, OLD.user_id, OLD.instance, OLD.package_id, OLD.coins, OLD.bonus_coins, OLD.price_minor, OLD.currency,
      OLD.book_units, OLD.country, OLD.platform, OLD.created_at, OLD.first_sent_at)
    OR (NEW.payload <> OLD.payload AND NEW.payload <> '[]') THEN
    RAISE EXCEPTION 'what was agreed never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.settled_minor < OLD.settled_minor OR NEW.refunded_minor < OLD.refunded_minor
    OR NEW.disputed_minor < OLD.disputed_minor OR NEW.won_minor < OLD.won_minor OR NEW.lost_minor < OLD.lost_minor THEN
    RAISE EXCEPTION 'totals only grow' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.credited < OLD.credited THEN
    RAISE EXCEPTION 'a credit is never forgotten' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.ref IS NOT NULL AND NEW.ref IS DISTINCT FROM OLD.ref THEN
    RAISE EXCEPTION 'a provider names a payment once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

-- where money goes is only ever forgotten
CREATE TRIGGER recipient_blanked BEFORE UPDATE ON payout_recipient
FOR EACH ROW WHEN (NEW.id <> OLD.id OR NEW.creator_id <> OLD.creator_id OR NEW.instance <> OLD.instance OR NEW.state <> OLD.state
  OR NEW.created_at <> OLD.created_at OR (NEW.ref <> '' AND (NEW.ref <> OLD.ref OR NEW.label <> OLD.label)))
EXECUTE FUNCTION refuse('where money goes is blanked, not changed');

-- who was erased stays so
CREATE TRIGGER user_erased BEFORE UPDATE ON users
FOR EACH ROW WHEN (OLD.erased_at IS NOT NULL
  OR (NEW.erased_at IS NOT NULL AND (NEW.subject IS NOT NULL OR NEW.locked = 0)))
EXECUTE FUNCTION refuse('who was erased stays so, and says nothing');

-- erasures, exports and closures
CREATE TRIGGER erasure_identity BEFORE UPDATE OF id, user_id, requested_at ON erasure
FOR EACH ROW EXECUTE FUNCTION refuse('an erasure stays whose it is');

CREATE FUNCTION erasure_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF OLD.state IN ('DONE', 'CANCELLED') THEN
    RAISE EXCEPTION 'an erasure ends once' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state = 'DONE' AND NOT EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id AND erased_at IS NOT NULL) THEN
    RAISE EXCEPTION 'an erasure is done when the person is erased' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER erasure_guard BEFORE UPDATE ON erasure FOR EACH ROW EXECUTE FUNCTION erasure_guard();

CREATE TRIGGER erasure_delete BEFORE DELETE ON erasure
FOR EACH ROW EXECUTE FUNCTION refuse('erasures are never deleted');

CREATE TRIGGER erasure_truncate BEFORE TRUNCATE ON erasure EXECUTE FUNCTION refuse('erasures are never deleted');

CREATE TRIGGER data_export_identity BEFORE UPDATE OF id, user_id, requested_at ON data_export
FOR EACH ROW EXECUTE FUNCTION refuse('an export stays whose it is');

CREATE TRIGGER data_export_ended BEFORE UPDATE OF state ON data_export
FOR EACH ROW WHEN (OLD.state IN ('EXPIRED', 'FAILED')) EXECUTE FUNCTION refuse('an export ends once');

CREATE TRIGGER data_export_delete BEFORE DELETE ON data_export
FOR EACH ROW EXECUTE FUNCTION refuse('exports are never deleted');

CREATE TRIGGER data_export_truncate BEFORE TRUNCATE ON data_export
EXECUTE FUNCTION refuse('exports are never deleted');

GRANT SELECT ON erasure, data_export TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE ON erasure, data_export TO shoutgraph_app;

GRANT UPDATE (label, ref) ON payout_recipient TO shoutgraph_app;

GRANT UPDATE (message, live_session) ON gift TO shoutgraph_app;

-- reports
CREATE TRIGGER report_identity BEFORE UPDATE OF
  id, reporter_id, affected_id, kind, subject_id, ground, filed_at ON report
FOR EACH ROW EXECUTE FUNCTION refuse('a report stays what it is about');

CREATE TRIGGER report_forward BEFORE UPDATE ON report
FOR EACH ROW WHEN (NEW.revision <> OLD.revision + 1
  OR (OLD.state || NEW.state) NOT IN ('OPENDECIDED', 'DECIDEDAPPEALED', 'APPEALEDFINAL'))
EXECUTE FUNCTION refuse('a report goes on step by step');

CREATE TRIGGER report_delete BEFORE DELETE ON report
FOR EACH ROW EXECUTE FUNCTION refuse('reports are never deleted');

CREATE TRIGGER report_truncate BEFORE TRUNCATE ON report EXECUTE FUNCTION refuse('reports are never deleted');

CREATE TRIGGER report_words_said BEFORE UPDATE ON report_words
FOR EACH ROW WHEN (NEW.report_id <> OLD.report_id
  OR (NEW.explanation IS DISTINCT FROM OLD.explanation AND NEW.explanation IS NOT NULL)
  OR (NEW.appeal IS DISTINCT FROM OLD.appeal AND NEW.appeal IS NOT NULL AND OLD.appeal IS NOT NULL))
EXECUTE FUNCTION refuse('what was said in a report is blanked, not changed');

CREATE TRIGGER report_words_delete BEFORE DELETE ON report_words
FOR EACH ROW EXECUTE FUNCTION refuse('what was said in a report is blanked, not changed');

CREATE TRIGGER report_words_truncate BEFORE TRUNCATE ON report_words
EXECUTE FUNCTION refuse('what was said in a report is blanked, not changed');

CREATE FUNCTION report_decision_two() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.appeal = 1 AND NOT EXISTS (
    SELECT 1 FROM report_decision WHERE report_id = NEW.report_id AND appeal = 0 AND decided_by <> NEW.decided_by) THEN
    RAISE EXCEPTION 'an appeal is decided by somebody else' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER report_decision_two BEFORE INSERT ON report_decision
FOR EACH ROW EXECUTE FUNCTION report_decision_two();

CREATE TRIGGER report_decision_fixed BEFORE UPDATE OR DELETE ON report_decision
FOR EACH ROW EXECUTE FUNCTION refuse('statements of reasons are append-only');

CREATE TRIGGER report_decision_truncate BEFORE TRUNCATE ON report_decision
EXECUTE FUNCTION refuse('statements of reasons are append-only');

GRANT SELECT ON report, report_words, report_decision TO shoutgraph_app;

GRANT SELECT ON report, report_decision TO shoutgraph_report;

GRANT INSERT, UPDATE ON report, report_words TO shoutgraph_app;

GRANT INSERT ON report_decision TO shoutgraph_app;
