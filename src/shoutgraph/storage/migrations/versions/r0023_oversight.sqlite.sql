-- The guards of the audit trail, for SQLite. A blank line ends each statement.

CREATE TRIGGER audit_new BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_words_new BEFORE INSERT ON audit_words
WHEN EXISTS (SELECT 1 FROM audit_words WHERE audit_id = NEW.audit_id)
BEGIN SELECT RAISE(ABORT, 'words of an act are blanked, not changed'); END;

CREATE TRIGGER audit_words_blanked BEFORE UPDATE ON audit_words
WHEN NEW.words IS NOT NULL OR NEW.audit_id <> OLD.audit_id
BEGIN SELECT RAISE(ABORT, 'words of an act are blanked, not changed'); END;

CREATE TRIGGER audit_words_delete BEFORE DELETE ON audit_words
BEGIN SELECT RAISE(ABORT, 'words of an act are blanked, not changed'); END;

-- words and payloads can be blanked when a person is erased
DROP TRIGGER gift_identity;

CREATE TRIGGER gift_identity BEFORE UPDATE OF
  id, creator_id, user_id, sticker_id, earning_id, quantity, coins, fee_coins, sent_at ON gift
BEGIN SELECT RAISE(ABORT, 'what was given never changes'); END;

CREATE TRIGGER gift_words BEFORE UPDATE OF message, live_session ON gift
WHEN (NEW.message IS NOT OLD.message AND NEW.message IS NOT NULL)
  OR (NEW.live_session IS NOT OLD.live_session AND NEW.live_session IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what was given never changes'); END;

DROP TRIGGER gift_thanked_once;

CREATE TRIGGER gift_thanked_once BEFORE UPDATE OF thanked_at, thanks ON gift
WHEN OLD.thanked_at IS NOT NULL AND (NEW.thanked_at IS NOT OLD.thanked_at OR NEW.thanks IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'a giver is thanked once'); END;

DROP TRIGGER topup_identity;

CREATE TRIGGER topup_identity BEFORE UPDATE OF
  id, user_id, instance, package_id, coins, bonus_coins, price_minor, currency, book_units, country, platform, payload,
  created_at, first_sent_at ON topup
WHEN NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id OR NEW.instance <> OLD.instance
  OR NEW.package_id IS NOT OLD.package_id OR NEW.coins <> OLD.coins OR NEW.bonus_coins <> OLD.bonus_coins
  OR NEW.price_minor <> OLD.price_minor OR NEW.currency <> OLD.currency OR NEW.book_units <> OLD.book_units
  OR NEW.country <> OLD.country OR NEW.platform <> OLD.platform OR (NEW.payload <> OLD.payload AND NEW.payload <> '[]')
  OR NEW.created_at <> OLD.created_at OR NEW.first_sent_at <> OLD.first_sent_at
BEGIN SELECT RAISE(ABORT, 'what was agreed never changes'); END;

-- where money goes is only ever forgotten
CREATE TRIGGER recipient_blanked BEFORE UPDATE ON payout_recipient
WHEN NEW.id <> OLD.id OR NEW.creator_id <> OLD.creator_id OR NEW.instance <> OLD.instance OR NEW.state <> OLD.state
  OR NEW.created_at <> OLD.created_at OR (NEW.ref <> '' AND (NEW.ref <> OLD.ref OR NEW.label <> OLD.label))
BEGIN SELECT RAISE(ABORT, 'where money goes is blanked, not changed'); END;

-- who was erased stays so
CREATE TRIGGER user_erased BEFORE UPDATE ON users
WHEN OLD.erased_at IS NOT NULL OR (NEW.erased_at IS NOT NULL AND (NEW.subject IS NOT NULL OR NEW.locked = 0))
BEGIN SELECT RAISE(ABORT, 'who was erased stays so, and says nothing'); END;

-- erasures, exports and closures
CREATE TRIGGER erasure_new BEFORE INSERT ON erasure WHEN EXISTS (SELECT 1 FROM erasure WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an erasure is asked for once'); END;

CREATE TRIGGER erasure_identity BEFORE UPDATE OF id, user_id, requested_at ON erasure
BEGIN SELECT RAISE(ABORT, 'an erasure stays whose it is'); END;

CREATE TRIGGER erasure_ended BEFORE UPDATE ON erasure WHEN OLD.state IN ('DONE', 'CANCELLED')
BEGIN SELECT RAISE(ABORT, 'an erasure ends once'); END;

CREATE TRIGGER erasure_done BEFORE UPDATE OF state ON erasure
WHEN NEW.state = 'DONE' AND NOT EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id AND erased_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'an erasure is done when the person is erased'); END;

CREATE TRIGGER erasure_delete BEFORE DELETE ON erasure
BEGIN SELECT RAISE(ABORT, 'erasures are never deleted'); END;

CREATE TRIGGER data_export_identity BEFORE UPDATE OF id, user_id, requested_at ON data_export
BEGIN SELECT RAISE(ABORT, 'an export stays whose it is'); END;

CREATE TRIGGER data_export_ended BEFORE UPDATE OF state ON data_export WHEN OLD.state IN ('EXPIRED', 'FAILED')
BEGIN SELECT RAISE(ABORT, 'an export ends once'); END;

CREATE TRIGGER data_export_delete BEFORE DELETE ON data_export
BEGIN SELECT RAISE(ABORT, 'exports are never deleted'); END;

-- a word that was searched for leaves the index when its creator is erased, not when the index is next tidied up
INSERT INTO creator_fts (creator_fts, rank) VALUES ('secure-delete', 1);

-- reports
CREATE TRIGGER report_identity BEFORE UPDATE OF
  id, reporter_id, affected_id, kind, subject_id, ground, filed_at ON report
BEGIN SELECT RAISE(ABORT, 'a report stays what it is about'); END;

CREATE TRIGGER report_forward BEFORE UPDATE OF state, revision ON report
WHEN NEW.revision <> OLD.revision + 1
  OR (OLD.state || NEW.state) NOT IN ('OPENDECIDED', 'DECIDEDAPPEALED', 'APPEALEDFINAL')
BEGIN SELECT RAISE(ABORT, 'a report goes on step by step'); END;

CREATE TRIGGER report_delete BEFORE DELETE ON report
BEGIN SELECT RAISE(ABORT, 'reports are never deleted'); END;

CREATE TRIGGER report_words_said BEFORE UPDATE ON report_words
WHEN NEW.report_id <> OLD.report_id
  OR (NEW.explanation IS NOT OLD.explanation AND NEW.explanation IS NOT NULL)
  OR (NEW.appeal IS NOT OLD.appeal AND NEW.appeal IS NOT NULL AND OLD.appeal IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what was said in a report is blanked, not changed'); END;

CREATE TRIGGER report_words_delete BEFORE DELETE ON report_words
BEGIN SELECT RAISE(ABORT, 'what was said in a report is blanked, not changed'); END;

CREATE TRIGGER report_decision_two BEFORE INSERT ON report_decision
WHEN NEW.appeal = 1 AND NOT EXISTS (
  SELECT 1 FROM report_decision WHERE report_id = NEW.report_id AND appeal = 0 AND decided_by <> NEW.decided_by)
BEGIN SELECT RAISE(ABORT, 'an appeal is decided by somebody else'); END;

CREATE TRIGGER report_decision_update BEFORE UPDATE ON report_decision
BEGIN SELECT RAISE(ABORT, 'statements of reasons are append-only'); END;

CREATE TRIGGER report_decision_delete BEFORE DELETE ON report_decision
BEGIN SELECT RAISE(ABORT, 'statements of reasons are append-only'); END;
